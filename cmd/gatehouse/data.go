package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// dataVar names the variable that stands in for --data.
const dataVar = "GATEHOUSE_DATA"

// dataFlag adds --data to a command. dataDir resolves its value.
func dataFlag(fs *flag.FlagSet) *string {
	return fs.String("data", "", "data `DIR` (default $"+dataVar+", else the per-user data folder)")
}

// dataDir gives the data folder as an absolute path: the flag's, else
// $GATEHOUSE_DATA, else the per-user folder. It makes nothing.
func dataDir(flag string) (string, error) {
	dir := flag
	if dir == "" {
		dir = os.Getenv(dataVar)
	}
	if dir == "" {
		var err error
		if dir, err = userData(runtime.GOOS, os.Getenv); err != nil {
			return "", err
		}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("resolving data folder %s: %w", dir, err)
	}
	return abs, nil
}

// userData gives the per-user data folder of a system. A relative
// $XDG_DATA_HOME is ignored, as the XDG base directory specification says.
func userData(system string, getenv func(string) string) (string, error) {
	home := getenv("HOME")
	switch xdg := getenv("XDG_DATA_HOME"); {
	case system == "windows":
		if local := getenv("LocalAppData"); local != "" {
			return filepath.Join(local, "Gatehouse"), nil
		}
	case system == "darwin":
		if home != "" {
			return filepath.Join(home, "Library", "Application Support", "Gatehouse"), nil
		}
	case filepath.IsAbs(xdg):
		return filepath.Join(xdg, "gatehouse"), nil
	case home != "":
		return filepath.Join(home, ".local", "share", "gatehouse"), nil
	}
	return "", errors.New("finding the per-user data folder: no home folder is set; give --data DIR or $" + dataVar)
}
