package gate

import (
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// owners remembers in which session a provider made something that can be asked
// for later by its id: a response, a batch, a file of results. What comes back
// then belongs to that session, and its values are restored as they would have
// been at once.
type owners struct {
	mu    sync.Mutex
	of    map[ownerKey]string
	order []ownerKey // oldest first
}

type ownerKey struct{ principal, id string }

// maxOwners bounds the ids that are remembered.
const maxOwners = 8192

func (o *owners) note(principal, session, id string) {
	key := ownerKey{principal, cleanID(id)}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of[key] != "" {
		return
	}
	if o.of == nil {
		o.of = map[ownerKey]string{}
	}
	o.of[key] = session
	if o.order = append(o.order, key); len(o.order) > maxOwners {
		delete(o.of, o.order[0])
		o.order = o.order[1:]
	}
}

// session gives the session in which something was made that the path names,
// or the response that a request continues.
func (o *owners) session(principal, path, previous string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.of) == 0 {
		return ""
	}
	if s := o.of[ownerKey{principal, cleanID(previous)}]; s != "" {
		return s
	}
	path, _, _ = strings.Cut(path, "?")
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	for part := range strings.SplitSeq(path, "/") {
		if s := o.of[ownerKey{principal, cleanID(part)}]; s != "" {
			return s
		}
	}
	return ""
}

// made finds the ids in an answer that is not read as a conversation.
var made = regexp.MustCompile(`"(?:id|output_file_id|error_file_id|name)"\s*:\s*"(?:batches/|files/)?([A-Za-z0-9_-]{8,128})"`)

// madeBytes is how much of such an answer is looked at.
const madeBytes = 16 << 10

// note remembers what an answer made.
func (p *Passage) note() {
	for _, m := range made.FindAllSubmatch(p.opaque, 64) {
		p.gate.tracker.owners.note(p.in.Principal.Name, p.in.Session.ID, string(m[1]))
	}
}
