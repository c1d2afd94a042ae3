package main

import (
	"errors"
	"strings"

	"posthouse/appliance/config"
	"posthouse/appliance/lancert"
	"posthouse/appliance/wire"
)

// words speaks one of the two languages of the product.
type words struct{ zh bool }

// wordsOf chooses the language as programs do: LC_ALL, LC_MESSAGES, LANG.
func wordsOf(env []string) words {
	for _, name := range []string{"LC_ALL=", "LC_MESSAGES=", "LANG="} {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name); ok && v != "" {
				return words{strings.HasPrefix(strings.ToLower(v), "zh")}
			}
		}
	}
	return words{}
}

func (w words) lang() string {
	if w.zh {
		return "zh"
	}
	return "en"
}

// of chooses a sentence.
func (w words) of(en, zh string) string {
	if w.zh {
		return zh
	}
	return en
}

// err tells an error in the reader's language where it has one.
func (w words) err(err error) string {
	var refusal *wire.Error
	if errors.As(err, &refusal) {
		return refusal.Text.In(w.lang())
	}
	var cert *lancert.Error
	if errors.As(err, &cert) {
		return w.of(cert.English, cert.Chinese)
	}
	return config.Text(err, w.lang())
}
