package codec_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
)

// deltas are streams as the providers send them: mostly small pieces of text.
func deltas() map[flow.API][]byte {
	formats := map[flow.API]string{
		flow.Messages:       "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" word%d and\"}      }\n\n",
		flow.Chat:           "data: {\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\",\"created\":1741570283,\"model\":\"gpt-5.1-2025-11-13\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_fc9f1d7035\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word%d\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"Vd2pPKrWq\"}\n\n",
		flow.Responses:      "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":9,\"item_id\":\"msg_67c9fdcf37fc8190ba82116e33fb28c50b8b0ad29eb92486\",\"output_index\":0,\"content_index\":0,\"delta\":\" word%d\",\"logprobs\":[],\"obfuscation\":\"q3bXJ6\"}\n\n",
		flow.StreamGenerate: "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"A line of text that is about as long as Gemini's chunks are: they hold many words (%d).\\n\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 9000,\"candidatesTokenCount\": 20,\"totalTokenCount\": 9020,\"promptTokensDetails\": [{\"modality\": \"TEXT\",\"tokenCount\": 9000}]},\"modelVersion\": \"gemini-2.5-pro\",\"responseId\": \"mAitaLmkHPPlz7IPvtfUqQ4\"}\n\n",
	}
	streams := map[flow.API][]byte{}
	for api, format := range formats {
		var b bytes.Buffer
		for i := 0; b.Len() < 1<<20; i++ {
			fmt.Fprintf(&b, format, i)
		}
		streams[api] = b.Bytes()
	}
	return streams
}

func BenchmarkPush(b *testing.B) {
	for api, stream := range deltas() {
		for _, keep := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/keep=%v", api, keep), func(b *testing.B) {
				b.SetBytes(int64(len(stream)))
				b.ReportAllocs()
				for b.Loop() {
					a := codec.NewAnswer(api, codec.Options{Keep: keep})
					for rest := stream; len(rest) > 0; {
						n := min(4096, len(rest))
						a.Push(rest[:n])
						rest = rest[n:]
					}
					if got := a.End(); got.Unknown > 0 {
						b.Fatal("unknown events")
					}
				}
			})
		}
	}
}

// BenchmarkEvents leaves the framing out.
func BenchmarkEvents(b *testing.B) {
	for api, stream := range deltas() {
		events := payloads(stream)
		b.Run(string(api), func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				a := codec.NewAnswer(api, codec.Options{Stream: codec.Messages})
				for _, data := range events {
					a.Push(data)
				}
			}
		})
	}
}
