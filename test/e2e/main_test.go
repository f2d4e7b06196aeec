// Package e2e tests Gatehouse from outside: the real binary, the real agents
// and the providers' SDKs, against `gatehouse simulate`.
package e2e

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The parallel tests wait for agents that wait before they try again; they
	// need no processor of their own.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
