// Package words owns the form in which everything that watches the box says
// what a person reads: a pair of English and 简体中文. It runs no goroutines.
package words

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
