package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"strings"

	"github.com/workingagents/gatehouse/internal/conversation"
	"github.com/workingagents/gatehouse/internal/flow"
)

var errOneOf = exitError{2, "show takes a flow, or --session; --raw goes with a flow"}

// showSession prints a session. It takes no flow, and no exact bytes.
func showSession(ctx context.Context, fs *flag.FlagSet, data, session, principal, why string, std streams) error {
	if fs.NArg() > 0 || fs.Lookup("raw").Value.String() != "" {
		return errOneOf
	}
	b, err := openRecord(ctx, data)
	if err != nil {
		return err
	}
	defer b.Close()
	s := talk{ctx: ctx, b: b, std: std, principal: principal, why: why}
	return s.session(session)
}

// talk prints a session as people read it.
type talk struct {
	ctx       context.Context
	b         *backend
	std       streams
	principal string
	why       string
}

// session prints one window after the other.
func (s *talk) session(id string) error {
	for from := flow.ID(""); ; {
		q := url.Values{"why": {s.why}, "principal": {s.principal}, "from": {string(from)}}
		c := &conversation.Conversation{}
		if err := s.b.get(s.ctx, "/sessions/"+url.PathEscape(id)+"/conversation?"+q.Encode(), c); err != nil {
			return err
		}
		if from == "" {
			fmt.Fprintf(s.std.out, "session   %s   %s   %s   %d turns   %s\n", plain(c.Session), plain(c.Principal), plain(c.Agent), c.Turns, plain(strings.Join(c.Models, ", ")))
		}
		for _, b := range c.Branches {
			s.branch(b)
		}
		if from = c.Next; from == "" {
			return nil
		}
	}
}

func (s *talk) branch(b *conversation.Branch) {
	if b.Subagent != "" {
		fmt.Fprintf(s.std.out, "\n══ sub-agent %s", plain(b.Subagent))
		if b.StartedBy != "" {
			fmt.Fprintf(s.std.out, ", started by %s", plain(b.StartedBy))
		}
		fmt.Fprintln(s.std.out)
	}
	for _, r := range b.Rounds {
		fmt.Fprintf(s.std.out, "\n── %s%s\n", roundText(r.N), plain(r.Prompt))
		for _, t := range r.Turns {
			s.turn(t)
		}
	}
}

func roundText(n *int) string {
	if n == nil {
		return "…  "
	}
	return fmt.Sprintf("%d  ", *n)
}

func (s *talk) turn(t *conversation.Turn) {
	w := s.std.out
	fmt.Fprintf(w, "\n%s   %s   %s   %d kept, %d added, %d removed   in %d, cache read %d, out %d   cost %s\n", sideText(t), plain(string(t.Flow)),
		plain(t.End().String()), t.Change.Kept, t.Change.Added, t.Change.Removed, t.Usage.Input, t.Usage.CacheRead, t.Usage.Output, costText(t.Cost))
	for _, line := range []string{whyText(t), compactText(t), t.Cache.Text, t.Unread, t.AnswerUnread} {
		if line != "" {
			fmt.Fprintln(w, "  "+plain(line))
		}
	}
	for _, f := range t.Findings {
		fmt.Fprintf(w, "  found %s   %s   %s   %s\n", plain(f.Rule), f.Severity, f.Action, plain(f.ID))
	}
	aside := 0
	for _, p := range t.Added {
		if p.Echo || p.Kind == flow.ToolDef || p.Role == "system" || p.Role == "developer" {
			aside++
			continue
		}
		s.part("→", p)
	}
	if aside > 0 {
		fmt.Fprintf(w, "  → %d more: instructions, tools, and what the model had said\n", aside)
	}
	for _, p := range t.Answer {
		s.part("←", p)
	}
}

func sideText(t *conversation.Turn) string {
	switch {
	case t.Side:
		return "beside: " + plain(t.Method+" "+t.Path)
	case t.RetryOf != "":
		return "retry"
	case t.Turn != nil:
		return fmt.Sprintf("turn %d", *t.Turn)
	}
	return "turn"
}

// whyText says why a call was stopped, changed, would have been, or broke off.
func whyText(t *conversation.Turn) string {
	if t.Verdict != flow.Pass || t.Would != "" || t.State == flow.Aborted || t.State == flow.Refused {
		return t.Why
	}
	return ""
}

func compactText(t *conversation.Turn) string {
	if t.Compacts == "" {
		return ""
	}
	if t.Summary {
		return "The conversation up to " + string(t.Compacts) + " was made short."
	}
	return "A new conversation begins: nothing of the one up to " + string(t.Compacts) + " is sent any more."
}

// part prints a text in full, and of all else one line.
func (s *talk) part(arrow string, p *conversation.Part) {
	head := "  " + arrow + " " + plain(p.Role)
	if p.Kind == flow.Text {
		fmt.Fprintf(s.std.out, "%s: %s\n", head, strings.TrimSpace(visible(p.Text)))
		return
	}
	about := p.Title
	if about == "" {
		about = strings.TrimSpace(p.Name + " " + beginning(p.Text))
	}
	failed := ""
	if p.Failed {
		failed = " failed"
	}
	fmt.Fprintf(s.std.out, "%s %s%s: %s   (%d bytes)\n", head, p.Kind, failed, plain(about), p.Bytes)
}

// beginning gives the first line of a text, and not all of a long one.
func beginning(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(line); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return line
}
