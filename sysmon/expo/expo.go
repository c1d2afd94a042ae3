// Package expo owns the Prometheus text exposition format as this program
// writes it (https://prometheus.io/docs/instrumenting/exposition_formats/,
// version 0.0.4) and the description of a metric family, from which the
// metric dictionary is made. It runs no goroutines.
package expo

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"posthouse/sysmon/words"
)

// Family describes a metric for the people who read it.
type Family struct {
	Name   string     // as exposed, without _bucket, _sum, _count
	Type   string     // counter, gauge, histogram, summary
	Labels []string   // beside job and instance
	Unit   string     // base unit: seconds, bytes, ratio, …; empty: a number of things
	Help   words.Text // what it counts
	Normal words.Text // what is usual
	Action words.Text // what to do when it is not
	Source string     // where the figure is from: a file of the kernel, a part of the server
}

// Source writes families in the text format: HELP and TYPE, then samples.
type Source func(w io.Writer)

// Header writes the HELP and TYPE lines of a family. HELP is in English.
func Header(w io.Writer, f Family) {
	help := strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(f.Help.EN)
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.Name, help, f.Name, f.Type)
}

// Sample writes one line. Labels are pairs of name and value.
func Sample(w io.Writer, name string, value float64, labels ...string) {
	var b strings.Builder
	b.WriteString(name)
	if len(labels) > 1 {
		b.WriteByte('{')
		for i := 0; i+1 < len(labels); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(labels[i])
			b.WriteString(`="`)
			_, _ = escape().WriteString(&b, labels[i+1])
			b.WriteByte('"')
		}
		b.WriteByte('}')
	}
	b.WriteByte(' ')
	b.WriteString(number(value))
	b.WriteByte('\n')
	_, _ = io.WriteString(w, b.String()) // w is memory or a connection whose end its owner sees
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	case math.IsNaN(v):
		return "NaN"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// escape is how the format writes a label's value.
func escape() *strings.Replacer { return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`) }
