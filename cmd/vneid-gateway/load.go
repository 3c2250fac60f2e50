package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

const (
	configVariable = "VNEID_GATEWAY_CONFIG"
	adminVariable  = "VNEID_GATEWAY_ADMIN_ADDRESS"
)

// settings are the flags that say which configuration is meant.
type settings struct {
	file string
	set  []string
}

func (s *settings) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&s.set, "set", nil,
		"override one scalar field, such as admin.address=127.0.0.1:9081 (may be repeated; beats environment and file)")
}

// load reads the configuration: flag beats environment beats file.
func (s *settings) load() (*config.Config, error) {
	if s.file == "" {
		s.file = os.Getenv(configVariable)
	}
	if s.file == "" {
		return nil, fmt.Errorf("no configuration: name a file with --config or %s", configVariable)
	}
	overrides, err := s.overrides()
	if err != nil {
		return nil, err
	}
	return config.Load(s.file, config.WithEnvironment(os.Environ()), config.WithOverrides(overrides...))
}

func (s *settings) overrides() ([]config.Override, error) {
	var list []config.Override
	for _, assignment := range s.set {
		field, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return nil, fmt.Errorf("--set %s: write it as field=value", assignment)
		}
		list = append(list, config.Override{Source: "--set " + field, Field: field, Value: value})
	}
	return list, nil
}

// newLog returns a JSON log of the configured level, which can be changed.
func newLog(w io.Writer, level string) (*slog.Logger, *slog.LevelVar) {
	var l slog.LevelVar
	// The configuration was validated: an unknown name cannot come here.
	_ = l.UnmarshalText([]byte(level))
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &l})), &l
}
