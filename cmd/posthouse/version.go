package main

import "runtime/debug"

// release is the version of the product; packages set it when they are built
// with -ldflags "-X main.release=1.2.3".
var release = "0.1.0-dev"

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}
