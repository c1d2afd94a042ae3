//go:build race

package thumbnail

// The race detector's shadow memory alone is over any limit on data.
const raceEnabled = true
