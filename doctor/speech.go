package doctor

import (
	"errors"
	"fmt"
	"time"

	"posthouse/appliance/config"
	"posthouse/appliance/lancert"
	"posthouse/sysmon/words"
)

// speech speaks one of the two languages of the product.
type speech struct{ lang string }

// of chooses a sentence.
func (s speech) of(en, zh string) string { return words.Of(en, zh).In(s.lang) }

// ofN is of with the same arguments put into both sentences.
func (s speech) ofN(en, zh string, args ...any) string { return fmt.Sprintf(s.of(en, zh), args...) }

// err tells an error in the reader's language where it has one.
func (s speech) err(err error) string {
	var cert *lancert.Error
	if errors.As(err, &cert) {
		return cert.Text(s.lang)
	}
	return config.Text(err, s.lang)
}

func minute(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }
