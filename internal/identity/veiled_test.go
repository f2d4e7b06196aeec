package identity_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/identity"
)

func TestVeiled(t *testing.T) {
	h := http.Header{
		"Authorization": {"Bearer own"}, "X-Api-Key": {"own"}, "X-Goog-Api-Key": {"own"}, "Api-Key": {"own"}, "X-Amz-Security-Token": {"own"},
		"Cf-Aig-Authorization": {"Bearer own"}, "Sec-Websocket-Protocol": {"realtime, openai-insecure-api-key.own"}, "User-Agent": {"x"}, "X-Note": {"words"},
		"Cookie": {"a=b", "c=d"}, "X-My-Token": {"e"}, "X-Any": {"Bearer f", "AIza-0123456789-g"}, "Referer": {"https://h.example/?page=1&token=h&key=own"},
	}
	path := "/v1?alt=sse&key=own&access_token=own&X-Amz-Signature=own&token=i%2Bj&c%6fde=k&x=sk-ant-0123456789&a"
	want := []flow.Header{
		{Name: "Cookie", Value: "a=b"}, {Name: "Cookie", Value: "c=d"}, {Name: "Referer", Value: "h"}, {Name: "X-Any", Value: "AIza-0123456789-g"},
		{Name: "X-My-Token", Value: "e"}, {Value: "i+j"}, {Value: "k"}, {Value: "sk-ant-0123456789"},
	}
	if got := identity.Veiled(h, path); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}
