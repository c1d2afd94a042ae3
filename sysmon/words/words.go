// Package words owns the form in which everything that watches the box says
// what a person reads: a pair of English and 简体中文, and how a size is written.
// It runs no goroutines.
package words

import (
	"fmt"
	"math"
)

// Text is one text in both languages. Neither may be empty where a person
// reads it.
type Text struct {
	EN string `json:"en" yaml:"en"`
	ZH string `json:"zh" yaml:"zh"`
}

// Of makes a Text.
func Of(en, zh string) Text { return Text{EN: en, ZH: zh} }

// In is the text in a language: zh, or else English.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Bytes writes a size in IEC units, one decimal from 1 KiB on: 512 B, 1.5 KiB.
func Bytes[N int64 | float64](n N) string {
	const step = 1024
	v, unit := float64(n), 0
	for math.Abs(v) >= step && unit < 5 {
		v /= step
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%.0f B", v)
	}
	return fmt.Sprintf("%.1f %s", v, [...]string{"", "KiB", "MiB", "GiB", "TiB", "PiB"}[unit])
}
