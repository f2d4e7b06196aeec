package app_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAnAccessKeyInTheWrongPlaceIsNotForwarded(t *testing.T) {
	const key = "ghk_00000000000000000000000000000000000000"
	up := answering(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("{}")) })
	h := open(t, t.TempDir(), up, nil)
	for _, req := range []*http.Request{
		h.request("/anthropic/k/"+key+"/v1/messages", "{}"),
		h.request("/anthropic/v1/messages?key="+key, "{}"),
		h.request("/anthropic/v1/messages", "{}", "X-Api-Key", key),
		h.request("/openai/v1/chat/completions", "{}", "Authorization", "Bearer "+key),
	} {
		resp, text := h.do(req)
		if resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "X-Gatehouse-Key") || strings.Contains(text, key) {
			t.Errorf("%s: %s %s", req.URL.Path, resp.Status, text)
		}
	}
	if n := len(up.seen); n > 0 {
		t.Errorf("the provider got %d of them", n)
	}
	grep(t, h.dir, key)
}

func TestAnAddressThatCanNotGoOnAsItCameIsRefused(t *testing.T) {
	up := answering(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("{}")) })
	h := open(t, t.TempDir(), up, nil)
	for address, want := range map[string]string{"/v1/messages?a=b#c=d&e": "%23", "/v1/messages#f": "escaped", "/v1/{messages}": "escaped"} {
		req := h.request("/v1/messages", "{}")
		req.URL.Opaque = address
		if resp, text := h.do(req); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, want) {
			t.Errorf("%s: %s %s", address, resp.Status, text)
		}
	}
	if n := len(up.seen); n > 0 {
		t.Errorf("the provider got %d of them", n)
	}
}
