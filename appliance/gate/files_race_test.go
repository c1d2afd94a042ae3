//go:build race

package gate

// raceEnabled tells that the race detector is in the binary.
const raceEnabled = true
