package console

import (
	"net/http"
	"time"

	"github.com/workingagents/gatehouse/internal/ledger"
)

// PolicyTests says what came of the tests that the policy in force holds.
type PolicyTests struct {
	Tests    int           `json:"tests"`
	Failures []TestFailure `json:"failures"`
}

// TestFailure is a test that did not get what it expects.
type TestFailure struct {
	Line string `json:"line"` // policy.yaml:14
	Want string `json:"want"`
	Got  string `json:"got"`
	Why  string `json:"why"`
}

func (c *Console) testPolicy(w http.ResponseWriter, _ *http.Request) error {
	n, failures := c.o.Policy.Policy().Test(time.Now())
	out := PolicyTests{n, make([]TestFailure, 0, len(failures))}
	for _, f := range failures {
		out.Failures = append(out.Failures, TestFailure(f))
	}
	return writeJSON(w, http.StatusOK, out)
}

// RemoteDetectors are the detectors elsewhere that are configured.
type RemoteDetectors struct {
	Detectors []RemoteDetector `json:"detectors"` // by name
}

func (c *Console) detectors(w http.ResponseWriter, _ *http.Request) error {
	list, err := c.o.Metrics.remote()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, RemoteDetectors{list})
}

// Growth says how the record became as large as it is.
type Growth struct {
	Segments []ledger.Stretch `json:"segments"` // the oldest first
}

func (c *Console) growth(w http.ResponseWriter, _ *http.Request) error {
	list, err := c.o.Ledger.Growth()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, Growth{list})
}
