package app_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/coding"
)

// harbour is a gateway with a provider that keeps what comes.
type harbour struct {
	*house
	provider http.Handler
	up       *upstream
	ws       chan string // messages
}

func dock(t *testing.T, policy string) *harbour {
	t.Helper()
	dir := t.TempDir()
	if policy != "" {
		if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := &harbour{up: answering(plainAnswer), ws: make(chan string, 100)}
	socket := socketUpstream(t, func(m string) []string {
		b.ws <- m
		return responseEvents("resp_1", "ok")
	})
	b.provider = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			socket.ServeHTTP(w, r)
			return
		}
		b.up.ServeHTTP(w, r)
	})
	b.house = open(t, dir, b.provider, nil)
	return b
}

// key makes an access key: a principal of its own, of whom nothing is known.
func (b *harbour) key(name string) string {
	b.t.Helper()
	resp, err := b.admin.Post("http://localhost/api/v1/keys", "application/json", strings.NewReader(`{"name":`+q(name)+`}`))
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var made struct{ Key string }
	if err := json.NewDecoder(resp.Body).Decode(&made); err != nil || made.Key == "" {
		b.t.Fatalf("making a key: %s %v", resp.Status, err)
	}
	return made.Key
}

// ship sends the parcels under a key. It gives the flows that they became and
// what the provider saw.
func (b *harbour) ship(name string, parcels []parcel) (flows []flow.View, arrived string) {
	b.t.Helper()
	key, want := b.key(name), len(parcels)
	var conn *websocket.Conn
	for _, p := range parcels {
		if !p.socket {
			resp, _ := b.do(b.parcel(p, key))
			if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusBadRequest {
				b.t.Errorf("answered %s", resp.Status)
			}
			continue
		}
		if conn == nil {
			conn, want = dial(b.t, b.house, p.path, http.Header{"X-Gatehouse-Key": {key}}), want+1
		}
		if !b.exchange(conn, p.body) {
			conn.CloseNow()
			break
		}
	}
	if conn != nil {
		conn.CloseNow()
	}
	return b.of("key:"+name, want), b.unload()
}

func (b *harbour) parcel(p parcel, key string) *http.Request {
	req := b.request(p.path, string(p.wire()), append([]string{"X-Gatehouse-Key", key}, p.header...)...)
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if p.coding != "" {
		req.Header.Set("Content-Encoding", p.coding)
	}
	return req
}

// exchange says one message and hears its answer. It is false when the socket
// is of no use any more.
func (b *harbour) exchange(c *websocket.Conn, message string) bool {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		return false
	}
	for {
		_, event, err := c.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				b.t.Error("no answer and no end on the socket")
			}
			return false
		}
		if strings.Contains(string(event), `"response.completed"`) || strings.Contains(string(event), `"type":"error"`) {
			return true
		}
	}
}

// of waits until a principal has n flows, all of them ended.
func (b *harbour) of(principal string, n int) (list []flow.View) {
	b.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		list = slices.DeleteFunc(b.flows(), func(v flow.View) bool { return v.Principal != principal })
		if len(list) == n && !slices.ContainsFunc(list, func(v flow.View) bool { return v.State == flow.Open }) {
			return list
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s has %d flows, want %d, all ended: %+v", principal, len(list), n, list)
		}
	}
}

// unload gives all that the provider saw since the last time: addresses,
// headers, bodies without their coding, messages.
func (b *harbour) unload() string {
	b.t.Helper()
	var all strings.Builder
	for {
		select {
		case s := <-b.up.seen:
			body, err := coding.Decode(strings.Join(s.r.Header["Content-Encoding"], ","), []byte(s.body), coding.Limit{})
			if err != nil {
				b.t.Errorf("the provider can't decode what it got: %v", err)
			}
			fmt.Fprintf(&all, "%s\n%v\n%s\n", s.r.RequestURI, s.r.Header, body)
		case m := <-b.ws:
			fmt.Fprintln(&all, m)
		default:
			return all.String()
		}
	}
}

// found gives the finding of the planted secret, which must be the same
// wherever it stands.
func found(flows []flow.View) (list []flow.Finding) {
	for _, v := range flows {
		for _, f := range v.Findings {
			if strings.HasPrefix(f.Rule, "secret.github") {
				list = append(list, f)
			}
		}
	}
	return list
}

// TestEveryRouteFindsTheSame sends one secret on every route, in every spelling
// and in halves. Each must give the same finding, and in mode report nothing is
// changed.
func TestEveryRouteFindsTheSame(t *testing.T) {
	secret := planted(1)
	b := dock(t, "")
	flows, _ := b.ship("first", routes(secret)[0].parcels)
	first := found(flows)
	if len(first) != 1 || first[0].ID == "" || first[0].Severity < flow.High {
		t.Fatalf("findings of the first route: %+v", flows[0].Findings)
	}
	for i, s := range shipments(secret) {
		t.Run(s.name, func(t *testing.T) {
			b.t = t
			flows, arrived := b.ship(fmt.Sprint("r", i), s.parcels)
			list := found(flows)
			if len(list) == 0 {
				t.Fatalf("nothing was found: %s", judged(flows))
			}
			last := flows[len(flows)-1]
			if last.Would != "redact" && last.Would != "block" || last.Verdict != flow.Pass {
				t.Errorf("%s", judged(flows))
			}
			for _, f := range list {
				s.check(t, f, first[0])
			}
			s.counts(t, flows)
			for _, p := range s.parcels {
				if !strings.Contains(arrived, p.body) {
					t.Errorf("in mode report the provider got something else: %.2000s", arrived)
				}
			}
		})
	}
	b.t = t
}

func judged(flows []flow.View) string {
	var b strings.Builder
	for _, v := range flows {
		fmt.Fprintf(&b, "%s %s is %s: %s, would %q (%s), %d forwarded, %d scanned, %d unreadable %s, findings %+v\n", v.Method, v.Path, v.State,
			v.Verdict, v.Would, v.Why, v.ForwardedBytes, v.ScannedBytes, v.UnreadableBytes, v.Unreadable, v.Findings)
	}
	return b.String()
}

// check compares a finding with what is wanted.
func (s shipment) check(t *testing.T, got, first flow.Finding) {
	t.Helper()
	if got.ID != first.ID || got.Rule != first.Rule || got.Severity != first.Severity {
		t.Errorf("finding %+v, the first route's was %+v", got, first)
	}
	if s.channel != "" && got.Channel != s.channel {
		t.Errorf("channel %q, want %q", got.Channel, s.channel)
	}
	if got.Place != s.place {
		t.Errorf("place %q, want %q", got.Place, s.place)
	}
	if s.via != "" && strings.Join(got.Via, " ") != s.via {
		t.Errorf("via %q, want %q", got.Via, s.via)
	}
	if got.Start >= got.End || got.Start < 0 {
		t.Errorf("span %d to %d", got.Start, got.End)
	}
}

// counts checks that each flow says what was forwarded, scanned and unreadable:
// all of it was read.
func (s shipment) counts(t *testing.T, flows []flow.View) {
	t.Helper()
	if s.parcels[0].socket {
		flows = flows[1:] // the upgrade
	}
	for i, v := range flows {
		p := s.parcels[i]
		size := int64(len(p.body))
		if v.ForwardedBytes != int64(len(p.wire())) || v.ScannedBytes != size || v.UnreadableBytes != 0 {
			t.Errorf("%d bytes forwarded, %d scanned, %d unreadable; %d were sent, decoded %d",
				v.ForwardedBytes, v.ScannedBytes, v.UnreadableBytes, len(p.wire()), size)
		}
	}
}

const (
	redacting = "version: 1\nmode: enforce\nrules:\n  - {rule: \"secret.*\", do: redact}\n"
	blocking  = "version: 1\nmode: enforce\nrules:\n  - {rule: \"secret.*\", do: block}\n"
	builtIn   = "version: 1\nmode: enforce\n"
)

// TestNoRouteLetsItThrough: where the policy is enforced nobody behind the
// gateway can put the secret together, whichever way it was sent.
func TestNoRouteLetsItThrough(t *testing.T) {
	for name, mode := range map[string]string{"redact": redacting, "block": blocking, "built in": builtIn} {
		t.Run(name, func(t *testing.T) {
			secret := planted(2)
			b := dock(t, mode)
			for i, s := range shipments(secret) {
				t.Run(s.name, func(t *testing.T) {
					b.t = t
					flows, arrived := b.ship(fmt.Sprint("r", i), s.parcels)
					if leaked(arrived, secret, s.spelled) {
						t.Errorf("the provider got it (%s): %.2000s", judged(flows), arrived)
					}
					last := flows[len(flows)-1]
					if last.Verdict == flow.Pass || name == "block" && last.Verdict != flow.Block {
						t.Errorf("%s", judged(flows))
					}
					if refused := last.State == flow.Refused; refused != (last.Verdict == flow.Block) || refused && (last.ForwardedBytes != 0 || last.ForwardedSHA256 != "") {
						t.Errorf("%s", judged(flows))
					}
				})
			}
			b.t = t
			grep(t, b.dir, secret)
		})
	}
}

// leaked reports whether a secret, or everything of its other spelling, is in
// a text.
func leaked(text, secret string, spelled []string) bool {
	if strings.Contains(text, secret) {
		return true
	}
	if len(spelled) == 0 {
		return false
	}
	return !slices.ContainsFunc(spelled, func(s string) bool { return !strings.Contains(text, s) })
}

// TestARedactedBodyIsWhole: what is forwarded is the body as it was but for the
// secret, and can be read by whoever it is for, in its own coding.
func TestARedactedBodyIsWhole(t *testing.T) {
	secret := planted(3)
	b := dock(t, redacting)
	for i, name := range []string{"", "gzip", "br", "zstd", "deflate"} {
		body := claude(blocks(textBlock("ein Schlüssel: "), textBlock("\t"+secret+" \"ja\" "+secret)))
		flows, arrived := b.ship(fmt.Sprint("c", i), []parcel{{path: messagesPath, body: body, coding: name}})
		lines := strings.Split(strings.TrimSpace(arrived), "\n")
		got := lines[len(lines)-1]
		before, after, _ := strings.Cut(body, secret)
		middle, end, _ := strings.Cut(after, secret)
		token := strings.TrimPrefix(got, before)[:min(22, max(0, len(got)-len(before)))]
		if want := before + token + middle + token + end; got != want || !strings.HasPrefix(token, "QZ") {
			t.Errorf("%s: the provider got\n%s\nwant\n%s", name, got, want)
		}
		if v := flows[0]; v.Verdict != flow.Redact || b.raw(v.ID, "request") != string(parcel{body: body, coding: name}.wire()) {
			t.Errorf("%s: %s", name, judged(flows))
		}
	}
}

// TestOwnCredentialIsNoFinding: the key with which an agent pays its provider
// stands in a header that is made for it.
func TestOwnCredentialIsNoFinding(t *testing.T) {
	b := dock(t, blocking)
	own := "sk-" + "ant-api03-" + strings.Repeat(planted(4)[4:], 3)[:93] + "AA"
	for i, header := range [][]string{{"X-Api-Key", own}, {"Authorization", "Bearer " + own}, {"X-Goog-Api-Key", "AI" + "zaSy" + planted(5)[4:37]}} {
		flows, arrived := b.ship(fmt.Sprint("o", i), []parcel{{path: messagesPath, body: claude(q("hello")), header: header}})
		if v := flows[0]; v.Verdict != flow.Pass || len(v.Findings) > 0 || !strings.Contains(arrived, header[1]) {
			t.Errorf("%s", judged(flows))
		}
	}
}

// TestWhatCanNotBeReadIsCounted: media, unknown codings and lies about them
// are counted, and stopped where the policy is enforced.
func TestWhatCanNotBeReadIsCounted(t *testing.T) {
	noise := make([]byte, 4096)
	rand.NewChaCha8([32]byte{7}).Read(noise)
	image := b64("\x89PNG\r\n\x1a\n" + string(noise))
	list := []shipment{
		{name: "an image", parcels: []parcel{{path: messagesPath, body: claude(blocks(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + image + `"}}`))}}},
		{name: "an unknown coding", parcels: []parcel{{path: messagesPath, body: string(noise), header: []string{"Content-Encoding", "x-own"}}}},
		{name: "no gzip", parcels: []parcel{{path: messagesPath, body: string(noise), header: []string{"Content-Encoding", "gzip"}}}},
		{name: "an image in a compressed message", parcels: []parcel{{path: "/openai/agent.v1.Chat/Run", body: envelope(1, string(encoded("gzip", []byte(field(1, image))))), header: []string{"Content-Type", "application/grpc", "Grpc-Encoding", "gzip"}}}},
		{name: "a binary file", parcels: []parcel{upload("/openai/v1/files", "application/octet-stream", string(noise))}},
	}
	for _, mode := range []string{"", redacting} {
		b := dock(t, mode)
		for i, s := range list {
			key := b.key(fmt.Sprint("u", i))
			b.do(b.parcel(s.parcels[0], key))
			v := b.of(fmt.Sprint("key:u", i), 1)[0]
			if v.UnreadableBytes < int64(len(noise)) {
				t.Errorf("%s: %s", s.name, judged([]flow.View{v}))
			}
			if mode == "" && (v.Would != "block" || v.State != flow.Done) || mode != "" && v.State != flow.Refused {
				t.Errorf("%s: %s", s.name, judged([]flow.View{v}))
			}
		}
	}
}

// TestMediaIsToldHoweverShort: what nobody looked into goes out only where policy lets
// media pass.
func TestMediaIsToldHoweverShort(t *testing.T) {
	noise := planted(3) + strings.Repeat("\x00\xff\x80\x01", 40)
	coded := func(head string) string { return base64.StdEncoding.EncodeToString([]byte(head + noise)) }
	png, sound := coded("\x89PNG\r\n\x1a\n"), coded("\xff\xfb\x90\x64")
	b := dock(t, "version: 1\nmode: enforce\nunreadable: {media: block, encoded: block}\n")
	n := 0
	for name, p := range map[string]parcel{
		"Messages":             {path: messagesPath, body: claude(blocks(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}`))},
		"Messages, a document": {path: messagesPath, body: claude(blocks(`{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"` + coded("%PDF-1.7\n%\xe2\xe3\xcf\xd3") + `"}}`))},
		"Chat":                 {path: chatPath, body: chat(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png + `"}}]}`)},
		"Chat, audio":          {path: chatPath, body: chat(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"` + sound + `","format":"mp3"}}]}`)},
		"Responses":            {path: responsePath, body: responses(`{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,` + png + `"}]}`)},
		"Gemini":               {path: geminiModel + ":generateContent", body: gemini(`{"inlineData":{"mimeType":"image/png","data":"` + png + `"}}`)},
		"Gemini, audio":        {path: geminiModel + ":generateContent", body: gemini(`{"inlineData":{"mimeType":"audio/mp3","data":"` + sound + `"}}`)},
		"an archive in a text": {path: messagesPath, body: claude(q("unpack " + coded("PK\x03\x04\x14\x00\x08\x00")))},
	} {
		n++
		flows, arrived := b.ship(fmt.Sprint("m", n), []parcel{p})
		if v := flows[0]; v.Verdict != flow.Block || v.UnreadableBytes == 0 || arrived != "" {
			t.Errorf("%s: %s", name, judged(flows))
		}
	}
}
