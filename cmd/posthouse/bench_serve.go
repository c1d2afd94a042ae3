package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/cobra"

	"posthouse/appliance/bench"
)

// measured is what bench asks of a server that it starts, through flags of
// serve that help does not list.
type measured struct {
	memory  bool   // return unused memory to the system on SIGUSR2
	profile string // file for a CPU profile of the whole run
}

func measuredFlags(cmd *cobra.Command) *measured {
	m := new(measured)
	cmd.Flags().BoolVar(&m.memory, "measured", false, "")
	cmd.Flags().StringVar(&m.profile, "cpuprofile", "", "")
	for _, name := range []string{"measured", "cpuprofile"} {
		cmd.Flags().Lookup(name).Hidden = true
	}
	return m
}

// around runs a server under the measurements that were asked for.
func (m *measured) around(ctx context.Context, serve func() error) error {
	if m.memory {
		go bench.ReturnMemory(ctx)
	}
	if m.profile == "" {
		return serve()
	}
	f, err := os.Create(m.profile)
	if err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(fmt.Errorf("begin profile: %w", err), f.Close())
	}
	err = serve()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}
