package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/selftest"
)

func TestInterceptSelftest(t *testing.T) {
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"intercept", "selftest", "--json"}, streams{strings.NewReader(""), &out, io.Discard}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	lines := 0
	for d := json.NewDecoder(&out); ; lines++ {
		var l selftest.Line
		if err := d.Decode(&l); err == io.EOF {
			break
		} else if err != nil || !l.OK || l.Case == "" {
			t.Fatalf("%+v %v", l, err)
		}
	}
	if lines < 30 {
		t.Errorf("%d lines", lines)
	}
}

func TestInterceptSelftestTellsWhatFailed(t *testing.T) {
	var out bytes.Buffer
	err := printSelftest(&out, []selftest.Line{{Case: "a", OK: true}, {Case: "b", Refused: "expired", Fault: "the provider got 7 bytes", Forwarded: 7}}, false)
	var exit exitError
	if !errors.As(err, &exit) || exit.code != 1 || exit.text != "1 of 2 lines failed" {
		t.Errorf("%v", err)
	}
	if text := out.String(); !strings.Contains(text, "FAIL  b") || !strings.Contains(text, "the provider got 7 bytes (expired)") || !strings.Contains(text, "ok    a") {
		t.Errorf("%s", text)
	}
	if err := dispatch(t.Context(), []string{"intercept"}, streams{strings.NewReader(""), io.Discard, io.Discard}); !errors.As(err, &exit) || exit.code != 2 {
		t.Errorf("without a verb: %v", err)
	}
}
