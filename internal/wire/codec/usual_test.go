package codec_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// TestUsualDeltasAreReadAsOthers: a delta in the very bytes in which most come says
// the same as with a space in it, also when something is wrong with it.
func TestUsualDeltasAreReadAsOthers(t *testing.T) {
	for _, data := range []string{
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\nb \"c\" \u00e9"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + strings.Repeat(`long `, 40) + `"}}`,
		`{"type":"content_block_delta","index":12,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1"}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"hm"}}`,
		`{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"hm","estimated_tokens":7}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}      }`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}  x }`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"},"type":"ping"}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a","text":"b"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":null}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":`,
		`{"type":"content_block_delta","index":,"delta":{"type":"text_delta","text":"a"}}`,
		`{"type":"content_block_delta","index":-1,"delta":{"type":"text_delta","text":"a"}}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}`,
	} {
		if got, want := said(data), said("{ "+data[1:]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", data, got, want)
		}
	}
}

// said is what an answer of one delta, twice, comes to.
func said(data string) flow.Answer {
	a := codec.NewAnswer(flow.Messages, codec.Options{Keep: true})
	a.Push([]byte("data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\"}}\n\n"))
	for range 2 {
		a.Push(fmt.Appendf(nil, "data: %s\n\n", data))
	}
	return a.End()
}
