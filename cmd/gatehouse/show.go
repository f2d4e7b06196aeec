package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/wire/codec"
	"github.com/workingagents/gatehouse/internal/wire/coding"
)

// showMax bounds what a compressed body is decoded to for reading.
const showMax = 256 << 20

func runShow(ctx context.Context, args []string, std streams) error {
	fs := newFlags("show", "FLOW | --session S [--data DIR] [--principal P] [--raw request|forwarded|response|delivered] [--why REASON]", std)
	data := dataFlag(fs)
	raw := fs.String("raw", "", "the exact bytes of `request|forwarded|response|delivered`")
	why := fs.String("why", "gatehouse show", "the `reason` that is recorded for reading content")
	session := fs.String("session", "", "the session `S` as people read it, values masked")
	principal := fs.String("principal", "", "whose session, when several principals `P` have one of that name")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *session != "" {
		return showSession(ctx, fs, *data, *session, *principal, *why, std)
	}
	id, err := parseWithArg(fs, args)
	if err != nil {
		return err
	}
	if *session != "" {
		return errOneOf
	}
	if *raw != "" && !slices.Contains([]string{"request", "forwarded", "response", "delivered"}, *raw) {
		return exitError{2, fmt.Sprintf("--raw is request, forwarded, response or delivered, not %q", *raw)}
	}
	b, err := openRecord(ctx, *data)
	if err != nil {
		return err
	}
	defer b.Close()
	s := shower{ctx: ctx, b: b, std: std, path: "/flows/" + url.PathEscape(id), why: *why}
	if *raw != "" {
		return s.raw(*raw)
	}
	return s.conversation()
}

type shower struct {
	ctx  context.Context
	b    *backend
	std  streams
	path string
	why  string

	in  *flow.Intent
	out *flow.Outcome
}

func (s *shower) contentPath(what string, chunks bool) string {
	q := url.Values{"why": {s.why}}
	if chunks {
		q.Set("chunks", "1")
	}
	return s.path + "/content/" + url.PathEscape(what) + "?" + q.Encode()
}

func (s *shower) raw(what string) error {
	resp, err := s.b.do(s.ctx, "GET", s.contentPath(what, false), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(s.std.out, resp.Body); err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	return nil
}

func (s *shower) conversation() error {
	var detail struct {
		Intent  *flow.Intent
		Outcome *flow.Outcome
	}
	if err := s.b.get(s.ctx, s.path, &detail); err != nil {
		return err
	}
	s.in, s.out = detail.Intent, detail.Outcome
	s.head()
	if s.in.Capture == flow.CaptureMetadata {
		fmt.Fprintln(s.std.out, "\n(content was not kept: capture level metadata)")
		return nil
	}
	if err := s.request(); err != nil {
		return err
	}
	return s.answer()
}

// head prints the flow's own facts.
func (s *shower) head() {
	v := flow.NewView(s.in, s.out)
	w := s.std.out
	fmt.Fprintf(w, "flow      %s   %s\n", v.ID, v.Started.Local().Format("2006-01-02 15:04:05.000"))
	fmt.Fprintf(w, "call      %s %s (%s)\n", plain(v.Method), plain(v.Path), v.API)
	fmt.Fprintf(w, "who       %s   session %s   turn %s\n", plain(v.Principal), plain(v.Session), turnText(v))
	s.decided()
	end := v.End().String()
	fmt.Fprintf(w, "answer    %s   status %s   %s", plain(end), statusText(v.Status), plain(v.Model))
	if v.Stop != "" {
		fmt.Fprintf(w, "   stop %s", plain(v.Stop))
	}
	if v.Error != "" && !strings.HasSuffix(end, v.Error) {
		fmt.Fprintf(w, "   error %s", plain(v.Error))
	}
	if s.out != nil && s.out.Why != "" {
		fmt.Fprintf(w, "\n          %s", plain(s.out.Why))
	}
	fmt.Fprintf(w, "\nusage     in %d, cache read %d, cache write %d, out %d (reasoning %d)%s   cost %s\n",
		v.Usage.Input, v.Usage.CacheRead, v.Usage.CacheWrite, v.Usage.Output, v.Usage.Reasoning, estimated(v), costText(v.Cost))
	fmt.Fprintf(w, "bytes     request %d, response %d   first byte %s ms, whole %s ms\n",
		v.RequestBytes, v.ResponseBytes, millisText(v.FirstByteMS), millisText(v.DurationMS))
	if v.Entrance != flow.Redirect {
		fmt.Fprintf(w, "came by   %s%s\n", v.Entrance, sentText(v))
	}
	for _, leg := range []struct {
		name string
		*flow.Leg
	}{{"client", v.ClientTLS}, {"provider", v.ProviderTLS}} {
		if leg.Leg != nil {
			fmt.Fprintf(w, "TLS       %s: %s %s %s   chain %s\n", leg.name, leg.Version, leg.Cipher, plain(leg.ALPN), leg.Chain)
		}
	}
	if v.Unreadable != "" {
		fmt.Fprintf(w, "unread    %s\n", plain(v.Unreadable))
	}
	fmt.Fprintf(w, "inspected %d bytes of the request, %d forwarded, %d unreadable\n", v.ScannedBytes, v.ForwardedBytes, v.UnreadableBytes)
	s.found(v.Findings)
	for _, a := range s.in.Acts {
		fmt.Fprintf(w, "provider  would %s by itself: %s\n", plain(a.Kind), plain(a.Name))
	}
	s.changed()
}

// decided prints the decision that the flow's verdict comes from, then the other
// one, if there are two.
func (s *shower) decided() {
	w, asked := s.std.out, s.in.Decision
	switch {
	case s.out == nil || s.out.Decision == nil:
		fmt.Fprintf(w, "decision  %s: %s\n", asked.Verdict, plain(asked.Why))
	case s.out.Decision.Verdict < asked.Verdict:
		fmt.Fprintf(w, "decision  %s: %s\n", s.out.Decision.Verdict, plain(s.out.Decision.Why))
		fmt.Fprintf(w, "          of the request, %s: %s\n", asked.Verdict, plain(asked.Why))
	default:
		fmt.Fprintf(w, "decision  %s: %s\n", asked.Verdict, plain(asked.Why))
		fmt.Fprintf(w, "          of the answer, %s: %s\n", s.out.Decision.Verdict, plain(s.out.Decision.Why))
	}
}

// sentText is what the client of a tunnel sent.
func sentText(v flow.View) string {
	if v.Entrance != flow.Tunnel {
		return ""
	}
	return fmt.Sprintf(": %d bytes sent, %d received, unread", v.SentBytes, v.ResponseBytes)
}

// found prints what was found, without any of it.
func (s *shower) found(findings []flow.Finding) {
	for _, f := range findings {
		where := string(f.Channel)
		if f.Place != "" {
			where += ", " + f.Place
		}
		fmt.Fprintf(s.std.out, "found     %s   %s, %d %%   in %s", plain(f.Rule), f.Severity, f.Confidence, plain(where))
		if f.End > 0 { // else it is about the call as a whole
			fmt.Fprintf(s.std.out, " at %d to %d", f.Start, f.End)
		}
		if len(f.Via) > 0 {
			fmt.Fprintf(s.std.out, " through %s", plain(strings.Join(f.Via, ", ")))
		}
		if len(f.Facts) > 0 {
			fmt.Fprintf(s.std.out, " %s", plain(strings.Join(f.Facts, " ")))
		}
		if f.Note != "" {
			fmt.Fprintf(s.std.out, " (%s)", plain(f.Note))
		}
		if f.From != nil {
			fmt.Fprint(s.std.out, originText(f.From))
		}
		fmt.Fprintf(s.std.out, "   %s   %s\n", f.Action, plain(f.ID))
	}
}

// originText says where the other place of a finding is: in a flow, or all of it.
func originText(from *flow.Origin) string {
	if from.End == 0 {
		return "   before it " + plain(string(from.Flow))
	}
	return fmt.Sprintf("   from %s in %s at %d to %d", plain(cmp.Or(from.Tool, from.Rule)), plain(string(from.Flow)), from.Start, from.End)
}

// changed prints what was done to the answer.
func (s *shower) changed() {
	if s.out == nil {
		return
	}
	if s.out.Restored > 0 {
		fmt.Fprintf(s.std.out, "restored  %d values in the place of pseudonyms in the answer\n", s.out.Restored)
	}
	if s.out.Withheld > 0 {
		fmt.Fprintf(s.std.out, "withheld  %d bytes of the answer\n", s.out.Withheld)
	}
}

// asked is which of the request's bodies is shown: with values replaced, what
// the provider got. The values are there for who asks for the raw request.
func (s *shower) asked() string {
	if s.in.Decision.Verdict == flow.Redact {
		return "forwarded"
	}
	return "request"
}

func estimated(v flow.View) string {
	if v.Usage.Estimated {
		return ", estimated"
	}
	return ""
}

func (s *shower) request() error {
	if s.in.RequestBytes == 0 {
		return nil
	}
	resp, err := s.b.do(s.ctx, "GET", s.contentPath(s.asked(), false), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	if encoding := flow.HeaderValue(s.in.Header, "Content-Encoding"); encoding != "" && s.asked() == "request" && s.in.Method != flow.MethodMessage {
		if plainBody, err := coding.Decode(encoding, body, coding.Limit{Bytes: showMax}); err == nil {
			body = plainBody
		}
	}
	parts, err := codec.Parts(s.in.API, body)
	if err != nil || len(parts) == 0 {
		s.rule("request")
		fmt.Fprintln(s.std.out, visible(string(body)))
		return nil
	}
	for _, p := range parts {
		s.part("→", p)
	}
	return nil
}

// answer puts the recorded chunks together as the agent's own codec would.
func (s *shower) answer() error {
	if s.out == nil || s.out.ResponseBytes == 0 {
		return nil
	}
	read := codec.NewAnswer(s.in.API, codec.Options{Keep: true, Stream: s.streamKind()})
	var whole strings.Builder
	decoder, err := coding.New(flow.HeaderValue(s.out.Header, "Content-Encoding"), coding.Limit{Bytes: showMax})
	if err != nil {
		fmt.Fprintln(s.std.out, "\n(the answer can't be decoded:", err.Error()+")")
		return nil
	}
	defer decoder.Close()
	take := func(text []byte) {
		read.Push(text)
		whole.Write(text)
	}
	err = s.b.lines(s.ctx, "GET", s.contentPath("response", true), func(line []byte) error {
		var chunk struct{ Data []byte }
		if err := json.Unmarshal(line, &chunk); err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		text, err := decoder.Push(chunk.Data)
		take(text)
		return err
	})
	if text, endErr := decoder.End(); err == nil && endErr == nil {
		take(text)
	}
	said := read.End()
	if s.in.API == flow.Opaque || len(said.Parts) == 0 {
		s.rule("answer")
		fmt.Fprintln(s.std.out, visible(whole.String()))
		return err
	}
	for _, p := range said.Parts {
		s.part("←", p)
	}
	return err
}

func (s *shower) streamKind() codec.Stream {
	if s.in.Method == flow.MethodMessage {
		return codec.Messages
	}
	return codec.Sniff
}

func (s *shower) rule(title string) { fmt.Fprintf(s.std.out, "\n── %s\n", title) }

// part prints one part under a line that says whose it is and what.
func (s *shower) part(arrow string, p flow.Part) {
	title := arrow + " " + plain(p.Role)
	if p.Kind != flow.Text {
		title += " " + string(p.Kind)
	}
	if p.Name != "" {
		title += " " + plain(p.Name)
	}
	if p.ID != "" {
		title += " (" + plain(p.ID) + ")"
	}
	if p.Failed {
		title += " failed"
	}
	if p.Signed {
		title += " signed"
	}
	s.rule(strings.TrimSpace(title))
	if p.Text != "" {
		fmt.Fprintln(s.std.out, strings.TrimRight(visible(p.Text), "\n"))
	}
}
