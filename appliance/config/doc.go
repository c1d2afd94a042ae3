// Package config owns the configuration of Posthouse: one value, read once,
// validated as a whole and handed down as small options.
//
// # Where a value comes from
//
// Later wins:
//
//	default               the struct tag of the key
//	file                  posthouse.toml
//	conf.d/*.toml         in the order of their names
//	environment           POSTHOUSE_SECTION_KEY, or POSTHOUSE_SECTION_KEY_FILE
//	                      whose file holds the value (systemd LoadCredential=)
//	command line          "section.key" = value
//
// A list replaces the list of an earlier layer, it is never appended to. In
// the environment and on the command line a list is separated by commas. The
// content of a _FILE loses its trailing line ends and nothing else. A
// variable that starts with POSTHOUSE_ and one of the section names must name
// a key; other POSTHOUSE_ variables belong to the command line tool and are
// left alone.
//
// # File format
//
// TOML 1.0, UTF-8, at most 1 MiB, no byte order mark. Sizes are integers
// (bytes) or strings with a unit ("20GiB", "500MB"); durations are Go duration
// strings ("25s", "1h30m"). Files hold no secrets: everything secret lives in
// the data directory. A file that other users of the machine may write is
// refused.
//
// # Documentation
//
// The documentation of a key is its struct tags: toml (name), doc (English),
// zh (简体中文), default, unit, restart ("yes": takes effect at the next start,
// "no": may be applied by a reload), and min, max, oneof, which are checked.
// Describe, the packaged example and the manual page come out of the same
// tags.
//
// # Promises
//
// Load reports every problem it can find, not the first one, each with file,
// line and column where there is one, in both languages. A returned Config is
// valid. A Config is a plain value; its slices are never changed after Load.
//
// It runs no goroutines.
package config
