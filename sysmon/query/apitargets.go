package query

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// The documents of /api/v1/metadata, /api/v1/targets and
// /api/v1/status/buildinfo; fields are those of Prometheus.
type (
	metadataDoc struct {
		Type model.MetricType `json:"type"`
		Unit string           `json:"unit"`
		Help string           `json:"help"`
	}
	targetsDoc struct {
		Active  []targetDoc    `json:"activeTargets"`
		Dropped []struct{}     `json:"droppedTargets"`
		Counts  map[string]int `json:"droppedTargetCounts"`
	}
	targetDoc struct {
		Discovered map[string]string `json:"discoveredLabels"`
		Labels     map[string]string `json:"labels"`
		Pool       string            `json:"scrapePool"`
		URL        string            `json:"scrapeUrl"`
		GlobalURL  string            `json:"globalUrl"`
		LastError  string            `json:"lastError"`
		LastScrape time.Time         `json:"lastScrape"`
		Took       float64           `json:"lastScrapeDuration"`
		Health     string            `json:"health"`
		Interval   string            `json:"scrapeInterval"`
		Timeout    string            `json:"scrapeTimeout"`
	}
	buildDoc struct {
		Version   string `json:"version"`
		Revision  string `json:"revision"`
		Branch    string `json:"branch"`
		User      string `json:"buildUser"`
		Date      string `json:"buildDate"`
		GoVersion string `json:"goVersion"`
	}
)

// speaks is the version of Prometheus whose API and PromQL are answered; a
// Grafana decides by it what it may ask.
const speaks = "3.15.0"

func (a *API) metadata(form url.Values) (answer, error) {
	limit := -1
	if text := form.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return answer{}, refuse(BadData, err, "limit must be a number", "limit 必须是数字。")
		}
		limit = n
	}
	known, only := a.d.Metadata(), form.Get("metric")
	out := map[string][]metadataDoc{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if only != "" && name != only {
			continue
		}
		if limit >= 0 && len(out) >= limit {
			break
		}
		m := known[name]
		out[name] = []metadataDoc{{m.Type, m.Unit, m.Help}}
	}
	raw, err := marshal(out)
	return answer{data: raw}, err
}

func (a *API) targets(form url.Values) (answer, error) {
	out := targetsDoc{Active: []targetDoc{}, Dropped: []struct{}{}, Counts: map[string]int{}}
	if strings.ToLower(form.Get("state")) != "dropped" {
		for _, t := range a.d.Targets() {
			if pool := form.Get("scrapePool"); pool != "" && pool != t.Job {
				continue
			}
			doc := targetDoc{Labels: map[string]string{"job": t.Job, "instance": t.Instance}, Pool: t.Job, URL: t.URL, GlobalURL: t.URL,
				LastScrape: t.Last, Took: t.Took.Seconds(), Health: "up", Interval: model.Duration(t.Interval).String(), Timeout: model.Duration(t.Interval).String(),
				Discovered: map[string]string{"job": t.Job, "__address__": t.Instance}}
			switch {
			case t.Last.IsZero():
				doc.Health = "unknown"
			case t.Err != nil:
				doc.Health, doc.LastError = "down", t.Err.Error()
			}
			out.Active = append(out.Active, doc)
		}
	}
	raw, err := marshal(out)
	return answer{data: raw}, err
}

// buildInfo tells the version of Prometheus that is spoken, and whose build
// answers as the branch.
func (a *API) buildInfo() (answer, error) {
	raw, err := marshal(buildDoc{Version: speaks, Revision: a.d.Version, Branch: "posthouse", GoVersion: a.d.GoVersion})
	return answer{data: raw}, err
}
