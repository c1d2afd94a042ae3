package board

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Grafana is a board as a dashboard for a Grafana of one's own, in a language
// (zh, or else English): schema version 39, with the data source to choose.
func Grafana(b Board, lang string) ([]byte, error) {
	uid := "posthouse-" + b.ID
	if lang == "zh" {
		uid += "-zh"
	}
	dashboard := map[string]any{
		"uid": uid, "title": "Posthouse: " + b.Title.In(lang), "description": b.About.In(lang), "tags": []string{"posthouse"},
		"schemaVersion": 39, "editable": true, "graphTooltip": 1, "refresh": "30s", "timezone": "",
		"time": map[string]string{"from": "now-6h", "to": "now"},
		"templating": map[string]any{"list": []any{map[string]any{
			"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus", "hide": 0}}},
		"panels": grafanaPanels(b, lang),
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(dashboard); err != nil {
		return nil, fmt.Errorf("write dashboard for Grafana: %w", err)
	}
	return out.Bytes(), nil
}

// grafanaPanels lays panels out on Grafana's grid of 24 columns.
func grafanaPanels(b Board, lang string) []any {
	const columns = 24
	var out []any
	x, y, row := 0, 0, 0
	for i, p := range b.Panels {
		w, h := 12, 8
		switch {
		case p.Kind == Stat:
			w, h = 6, 4
		case p.Wide:
			w = columns
		}
		if x+w > columns {
			x, y, row = 0, y+row, 0
		}
		out = append(out, grafanaPanel(p, lang, i+1, map[string]int{"x": x, "y": y, "w": w, "h": h}))
		x, row = x+w, max(row, h)
	}
	return out
}

func grafanaPanel(p Panel, lang string, id int, place map[string]int) map[string]any {
	source := map[string]string{"type": "prometheus", "uid": "${datasource}"}
	targets := []any{}
	for i, q := range p.Queries {
		targets = append(targets, map[string]any{"refId": string(rune('A' + i)), "expr": q.Expr, "legendFormat": q.Legend.In(lang), "datasource": source})
	}
	kind := "timeseries"
	if p.Kind == Stat {
		kind = "stat"
	}
	custom := map[string]any{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "spanNulls": false,
		"thresholdsStyle": map[string]string{"mode": "line"}, "stacking": map[string]string{"mode": "none"}}
	switch p.Kind {
	case Area:
		custom["fillOpacity"] = 20
	case Stacked:
		custom["fillOpacity"] = 30
		custom["stacking"] = map[string]string{"mode": "normal"}
	case Bars:
		custom["drawStyle"], custom["fillOpacity"] = "bars", 60
	}
	defaults := map[string]any{"unit": grafanaUnit(p.Unit), "thresholds": grafanaThresholds(p.Thresholds)}
	if p.Kind != Stat {
		defaults["custom"] = custom
	}
	return map[string]any{"id": id, "title": p.Title.In(lang), "description": p.Help.In(lang), "type": kind, "gridPos": place, "datasource": source,
		"targets": targets, "fieldConfig": map[string]any{"defaults": defaults, "overrides": []any{}}}
}

// grafanaUnit is Grafana's name for a unit of ours.
func grafanaUnit(u string) string {
	switch u {
	case "/s":
		return "cps"
	case "bytes":
		return "bytes"
	case "bytes/s":
		return "binBps"
	case "bits/s":
		return "bps"
	case "ratio":
		return "percentunit"
	case "percent":
		return "percent"
	case "seconds":
		return "s"
	case "days":
		return "d"
	case "celsius":
		return "celsius"
	}
	return "short"
}

// grafanaThresholds are steps from below; a threshold whose lower side is bad
// colours what lies under it.
func grafanaThresholds(list []Threshold) map[string]any {
	colour := map[string]string{"warning": "yellow", "serious": "orange", "critical": "red"}
	steps := []any{map[string]any{"color": "green", "value": nil}}
	if len(list) > 0 && list[0].Below {
		steps = []any{map[string]any{"color": colour[list[len(list)-1].Severity], "value": nil}}
		for i := len(list) - 1; i >= 0; i-- {
			next := "green"
			if i > 0 {
				next = colour[list[i-1].Severity]
			}
			steps = append(steps, map[string]any{"color": next, "value": list[i].Value})
		}
		return map[string]any{"mode": "absolute", "steps": steps}
	}
	for _, t := range list {
		steps = append(steps, map[string]any{"color": colour[t.Severity], "value": t.Value})
	}
	return map[string]any{"mode": "absolute", "steps": steps}
}
