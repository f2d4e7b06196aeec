package dict_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/workingagents/gatehouse/internal/ledger/dict"
)

// shipped names every dictionary that a release has: old ledgers need them as
// they are.
var shipped = map[uint16]string{
	1: "2803072ae3436de23025d2922b119c48b5f161f409bec02653a79752a9e2cd07",
}

func TestShippedDictionariesNeverChange(t *testing.T) {
	for id, want := range shipped {
		data, ok := dict.Get(id)
		if !ok {
			t.Errorf("dictionary %d is gone", id)
			continue
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("dictionary %d: SHA-256 %s, want %s", id, got, want)
		}
		head, err := zstd.InspectDictionary(data)
		if err != nil {
			t.Errorf("dictionary %d: %v", id, err)
		} else if head.ID() != uint32(id) {
			t.Errorf("dictionary %d says it is %d", id, head.ID())
		}
		if len(data) > 64<<10 {
			t.Errorf("dictionary %d has %d bytes", id, len(data))
		}
	}
	if _, ok := shipped[dict.Current]; !ok {
		t.Errorf("the current dictionary %d is not among the shipped", dict.Current)
	}
}

func TestUnknownID(t *testing.T) {
	for _, id := range []uint16{0, dict.Current + 1, 65535} {
		if data, ok := dict.Get(id); ok || data != nil {
			t.Errorf("Get(%d) = %d bytes, %v", id, len(data), ok)
		}
	}
}

// unlike is text that the trainer has not seen: the shapes are the providers'
// and ours, the contents are not.
var unlike = []struct {
	name string
	text string
	gain float64 // bytes saved over zstd without a dictionary, at least
}{
	{"intent", `{"flow":"01kb3x5m9q2v7t8n4h6r1w0ydz","started":"2031-07-19T08:41:22.918273645Z","entrance":"redirect","provider":"anthropic","api":"anthropic.messages","model":"claude-juno-9","method":"POST","path":"/v1/messages?beta=true","session":{"id":"5e0c9f1a-77d2-4b1e-8a60-2f4d1c9b3e58","claimed":true},"turn":17,"principal":{"name":"mira/claude","user":"mira","program":"claude","pid":40112,"credential":"fp_9d3b0c5e77a1f248"},"custody":"own-user","capture":"full","policy":"p7","decision":{"verdict":"pass","why":"nothing forbids it"},"header":[{"n":"Accept","v":"application/json"},{"n":"Accept-Encoding","v":"br, gzip"},{"n":"Anthropic-Version","v":"2023-06-01"},{"n":"User-Agent","v":"claude-cli/3.4.0 (external, sdk)"},{"n":"X-Api-Key","v":"fp_9d3b0c5e77a1f248"},{"n":"X-Stainless-Runtime-Version","v":"v30.1.0"}],"request_bytes":81233,"request_sha256":"7c1f0d84b2e95a6630f41c8b9e7d25a04f6b13c8d29e70a5b8f3614dc0e79a12","forwarded_sha256":"7c1f0d84b2e95a6630f41c8b9e7d25a04f6b13c8d29e70a5b8f3614dc0e79a12"}`, 0.35},
	{"tool call", `{"type":"tool_use","id":"toolu_01Zx8Kq2Lw5Rt9Yp3Vn7Mc4B","name":"Bash","input":{"command":"awk -F: '{print $1}' /etc/passwd | sort","description":"Sorts account names"}}`, 0.25},
	{"tool definition", `{"name":"weather_at","description":"Tells how warm it was at a lighthouse, in kelvin.","input_schema":{"type":"object","properties":{"lighthouse":{"type":"string","description":"Its name as sailors say it"},"hour":{"type":"integer","description":"Hours since midnight"}},"required":["lighthouse"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}}`, 0.25},
	{"stream", strings.Join([]string{`event: message_start`, `data: {"type":"message_start","message":{"model":"claude-juno-9","id":"msg_01Qw9Er8Ty7Ui6Op5As4Df3G","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"cache_creation_input_tokens":311,"cache_read_input_tokens":90210,"output_tokens":2}}}`, ``, `event: content_block_start`, `data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, ``, `event: content_block_delta`, `data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Gulls circle"}}`, ``, `event: content_block_stop`, `data: {"type":"content_block_stop","index":0}`, ``, `event: message_stop`, `data: {"type":"message_stop"}`, ``, ``}, "\n"), 0.3},
	{"prose", `{"role":"user","content":"Our pier lost two planks in the storm; sketch a rota so that the five of us can mend it before the regatta, and keep Tuesdays free."}`, 0.1},
}

func TestGainOnTextUnlikeTheTraining(t *testing.T) {
	data, _ := dict.Get(dict.Current)
	with, without := encoder(t, zstd.WithEncoderDict(data)), encoder(t)
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderDicts(data), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	for _, u := range unlike {
		packed := with.EncodeAll([]byte(u.text), nil)
		back, err := decoder.DecodeAll(packed, nil)
		if err != nil || string(back) != u.text {
			t.Errorf("%s: does not come back: %v", u.name, err)
		}
		plain := len(without.EncodeAll([]byte(u.text), nil))
		gain := 1 - float64(len(packed))/float64(plain)
		t.Logf("%s: %d bytes, %d without dictionary, %d with it: saves %.0f %%", u.name, len(u.text), plain, len(packed), 100*gain)
		if gain < u.gain {
			t.Errorf("%s: saves %.2f, want %.2f", u.name, gain, u.gain)
		}
	}
}

// The answers that real agents got in a short session each: nothing of them was
// in the training.
func TestGainOnAnswersOfRealSessions(t *testing.T) {
	files, err := filepath.Glob("../../../test/fixtures/agents/*/*.response.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	data, _ := dict.Get(dict.Current)
	with, without := encoder(t, zstd.WithEncoderDict(data)), encoder(t)
	var plain, packed int
	for _, name := range files {
		text := unzip(t, name)
		plain += len(without.EncodeAll(text, nil))
		packed += len(with.EncodeAll(text, nil))
	}
	t.Logf("%d answers: %d bytes without dictionary, %d with it", len(files), plain, packed)
	if packed*100 > plain*85 {
		t.Errorf("saves less than 15 %%: %d bytes of %d", packed, plain)
	}
}

func unzip(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encoder(tb testing.TB, o ...zstd.EOption) *zstd.Encoder {
	tb.Helper()
	common := []zstd.EOption{zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)}
	e, err := zstd.NewWriter(nil, append(common, o...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// BenchmarkEncode says what one entry costs, by size: an intent, repeated with
// other numbers in it to the size.
func BenchmarkEncode(b *testing.B) {
	data, _ := dict.Get(dict.Current)
	for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault} {
		for _, size := range []int{300, 2 << 10, 8 << 10} {
			b.Run(fmt.Sprintf("%s/%d", level, size), func(b *testing.B) {
				e := encoder(b, zstd.WithEncoderDict(data), zstd.WithEncoderLevel(level))
				text, dst := mixed(size), make([]byte, 0, 2*size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					dst = e.EncodeAll(text, dst[:0])
				}
				b.ReportMetric(float64(len(dst)), "bytes")
			})
		}
	}
}

func mixed(size int) []byte {
	var b []byte
	for i := 0; len(b) < size; i++ {
		text := strings.NewReplacer("0", fmt.Sprint(i), "e", "ea").Replace(unlike[i%len(unlike)].text)
		b = append(b, text...)
	}
	return b[:size]
}
