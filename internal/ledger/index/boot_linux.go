package index

import (
	"os"
	"regexp"
)

var hexID = regexp.MustCompile(`^[0-9a-fA-F-]{1,64}$`)

// bootID names this run of the machine; "" is unknown.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(text) < 2 {
		return ""
	}
	id := string(text[:len(text)-1])
	if !hexID.MatchString(id) {
		return ""
	}
	return id
}
