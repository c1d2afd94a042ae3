package support

import (
	"strings"
	"testing"

	"posthouse/appliance/config"
)

// Every key that a bundle tells is one of the configuration, and none of them
// is a text or a list that somebody makes up.
func TestNoTextOfTheConfigurationIsTold(t *testing.T) {
	made := map[string]bool{}
	for _, r := range config.Show(config.Config{}, nil) {
		made[r.Key] = true
	}
	for _, key := range toldSettings() {
		if !made[key] {
			t.Errorf("there is no setting %s", key)
		}
	}
	for _, r := range config.Show(config.Config{}, nil) {
		free := r.Value == `[]` || r.Value == `""` // a list or a text, empty here
		choice := map[string]bool{"server.language": true, "tls.mode": true, "hooks.makers": true, "log.level": true, "log.format": true}[r.Key]
		told := strings.Contains(string(Config(config.Config{})), r.Key+" = ")
		if told && free && !choice {
			t.Errorf("a bundle tells %s, which may be anything", r.Key)
		}
	}
}
