package vault_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/ledger"
	"github.com/workingagents/gatehouse/internal/vault"
	"github.com/workingagents/gatehouse/internal/wire/split"
)

// open opens a ledger and a vault over it.
func open(t *testing.T, dir string) (l *ledger.Ledger, v *vault.Vault, stop func()) {
	t.Helper()
	l, err := ledger.Open(ledger.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Run(ctx)
	}()
	return l, vault.New(l), func() {
		cancel()
		<-done
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

var flows int

// record puts values into the ledger, as the gate does before it forwards.
func record(t *testing.T, l *ledger.Ledger, principal, session string, secrets ...ledger.Secret) {
	t.Helper()
	body := []byte("{}")
	sum := sha256.Sum256(body)
	flows++
	r, err := l.Begin(&flow.Intent{
		Flow: flow.ID(fmt.Sprint("f", flows)), Started: time.Now(), Principal: flow.Principal{Name: principal}, Session: flow.Session{ID: session},
		RequestBytes: 2, RequestSHA256: hex.EncodeToString(sum[:]),
	}, ledger.Content{Doc: split.Split(body, nil), Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(&flow.Outcome{Flow: flow.ID(fmt.Sprint("f", flows)), State: flow.Done}, nil); err != nil {
		t.Fatal(err)
	}
}

func session(t *testing.T, v *vault.Vault, principal, id string) *vault.Session {
	t.Helper()
	s, err := v.Session(principal, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func redact(t *testing.T, s *vault.Session, v vault.Value) string {
	t.Helper()
	token, err := s.Redact(v)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func known(t *testing.T, v *vault.Vault, principal string) *vault.Known {
	t.Helper()
	k, err := v.Known(principal)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// long makes a value that nobody guesses.
func long(n int) []byte {
	sum := sha256.Sum256(fmt.Append(nil, n))
	return []byte(hex.EncodeToString(sum[:]))
}

func TestPseudonyms(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	form := regexp.MustCompile(`^QZ[A-Z2-9]{20}$`)
	seen := map[string]string{}
	for _, principal := range []string{"alice", "bob"} {
		for _, value := range []vault.Value{
			{Text: long(1)}, {Text: long(2)}, {Text: long(1), Origin: vault.Tool}, {Text: long(1), Number: true},
			{Text: long(1), Origin: vault.Tool, Number: true},
		} {
			what := fmt.Sprint(principal, value)
			token, err := v.Pseudonym(principal, value)
			if err != nil || !form.MatchString(token) {
				t.Errorf("%s: %q, %v", what, token, err)
			}
			if other, ok := seen[token]; ok {
				t.Errorf("%s and %s have one pseudonym", what, other)
			}
			seen[token] = what
			value.Rule = "another"
			for _, id := range []string{"one", "two"} {
				if again := redact(t, session(t, v, principal, id), value); again != token {
					t.Errorf("%s: %q, and in session %s %q", what, token, id, again)
				}
			}
		}
	}
}

func TestASessionKnowsItsOwnPseudonymsOnly(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	s := session(t, v, "alice", "one")
	if s.Longest() != 0 || s.MayStart([]byte("Q")) {
		t.Error("a new session has pseudonyms")
	}
	value := vault.Value{Text: long(1), Number: true}
	token := redact(t, s, value)
	if got, number, ok := s.Lookup([]byte(token)); !ok || !number || !bytes.Equal(got, value.Text) {
		t.Errorf("got %q %v %v", got, number, ok)
	}
	if got, ok := s.Token(value.Text); !ok || got != token {
		t.Errorf("pseudonym %q %v, want %q", got, ok, token)
	}
	if got, ok := session(t, v, "alice", "one").Token(value.Text); !ok || got != token {
		t.Errorf("asked again the session has %q", got)
	}
	if !s.MayStart([]byte{'"'}) {
		t.Error("a number's quotation mark is not held")
	}
	if plain := session(t, v, "alice", "plain"); redact(t, plain, vault.Value{Text: long(1)}) == token || plain.MayStart([]byte{'"'}) {
		t.Error("a string's quotation mark is held")
	}
	if s.Longest() != len(token) {
		t.Errorf("longest %d", s.Longest())
	}
	for n := range len(token) + 1 {
		if got, want := s.MayStart([]byte(token[:n])), n > 0 && n < len(token); got != want {
			t.Errorf("%q may start a pseudonym: %v", token[:n], got)
		}
	}
	for _, other := range []string{"Z", "QZ1", token[:10] + "0", "x" + token[:4], token + "A"} {
		if _, _, ok := s.Lookup([]byte(other)); ok || s.MayStart([]byte(other)) {
			t.Errorf("%q is known", other)
		}
	}
	other, err := v.Pseudonym("alice", vault.Value{Text: long(2)})
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]*vault.Session{
		"another session": session(t, v, "alice", "two"), "another principal": session(t, v, "bob", "one"),
	} {
		if _, _, ok := s.Lookup([]byte(token)); ok || s.MayStart([]byte(token[:4])) {
			t.Errorf("%s knows the pseudonym", what)
		}
	}
	if _, _, ok := s.Lookup([]byte(other)); ok {
		t.Error("a pseudonym that was not put into the session is restored")
	}
}

func TestMayStartAmongMany(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	s := session(t, v, "alice", "one")
	for n := range 500 {
		token := redact(t, s, vault.Value{Text: long(n)})
		if !s.MayStart([]byte(token[:len(token)-1])) || !s.MayStart([]byte(token[:3])) {
			t.Fatalf("prefixes of pseudonym %d are not found", n)
		}
	}
	if s.MayStart([]byte("QZ9999999")) {
		t.Error("what is no prefix is one")
	}
}

func TestKnown(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	first := known(t, v, "alice")
	if len(first.Values) != 0 {
		t.Errorf("known at first: %v", first.Values)
	}
	if err := v.Learn("alice", vault.Value{Text: []byte("flagged"), Rule: "r1"}); err != nil {
		t.Fatal(err)
	}
	replaced := vault.Value{Text: []byte("replaced"), Rule: "r2"}
	redact(t, session(t, v, "alice", "one"), replaced)
	if got := known(t, v, "alice"); len(got.Values) != 1 { // its request may yet be blocked
		t.Errorf("known before it was forwarded: %+v", got)
	}
	v.Learn("alice", replaced)
	second := known(t, v, "alice")
	if second.Generation == first.Generation || len(first.Values) != 0 || len(second.Values) != 2 ||
		string(second.Values[0].Text) != "flagged" || second.Values[0].Rule != "r1" || string(second.Values[1].Text) != "replaced" {
		t.Errorf("known: %+v, before: %+v", second, first)
	}
	v.Learn("alice", vault.Value{Text: []byte("flagged"), Rule: "other"})
	v.Learn("alice", vault.Value{})
	if again := known(t, v, "alice"); again != second {
		t.Errorf("what was known is new: %+v", again)
	}
	if got := known(t, v, "bob"); len(got.Values) != 0 || got.Generation == second.Generation {
		t.Errorf("bob knows %v", got.Values)
	}
	for n := range 5000 {
		v.Learn("alice", vault.Value{Text: long(n)})
	}
	if got := known(t, v, "alice").Values; len(got) != 4096 || !bytes.Equal(got[4095].Text, long(4999)) {
		t.Errorf("%d values are known", len(got))
	}
}

func TestAfterARestart(t *testing.T) {
	dir := t.TempDir()
	l, v, stop := open(t, dir)
	s := session(t, v, "alice", "one")
	text := []byte("hunter2-hunter2")
	token := redact(t, s, vault.Value{Text: text, Rule: "r", Origin: vault.Tool})
	number := redact(t, s, vault.Value{Text: long(2), Rule: "r", Number: true})
	record(t, l, "alice", "one", ledger.Secret{Value: text, Rule: "r", Origin: vault.Tool, Pseudonym: token},
		ledger.Secret{Value: long(2), Rule: "r", Number: true, Pseudonym: number},
		ledger.Secret{Value: []byte("only flagged"), Rule: "f"})
	record(t, l, "alice", "two", ledger.Secret{Value: text, Rule: "r"})
	unrecorded := redact(t, s, vault.Value{Text: long(3)})
	stop()
	_, v, stop = open(t, dir)
	defer stop()
	if got := known(t, v, "alice").Values; len(got) != 3 || got[0].Rule != "r" {
		t.Errorf("known: %+v", got)
	}
	s = session(t, v, "alice", "one")
	if got, isNumber, ok := s.Lookup([]byte(token)); !ok || isNumber || !bytes.Equal(got, text) {
		t.Errorf("got %q %v %v", got, isNumber, ok)
	}
	if got, isNumber, ok := s.Lookup([]byte(number)); !ok || !isNumber || !bytes.Equal(got, long(2)) {
		t.Errorf("got %q %v %v", got, isNumber, ok)
	}
	if _, _, ok := s.Lookup([]byte(unrecorded)); ok {
		t.Error("what was never recorded, so never forwarded, is restored")
	}
	if _, ok := s.Token([]byte("only flagged")); ok || s.Longest() == 0 {
		t.Error("what was forwarded as it is has a pseudonym")
	}
	if _, _, ok := session(t, v, "alice", "two").Lookup([]byte(token)); ok {
		t.Error("a session in which the value was not replaced restores it")
	}
	if again := redact(t, s, vault.Value{Text: text, Origin: vault.Tool}); again != token {
		t.Errorf("pseudonym %q, before the restart %q", again, token)
	}
}

func TestCap(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	s := session(t, v, "alice", "one")
	for n := range 1000 {
		redact(t, s, vault.Value{Text: fmt.Appendf(nil, "%010d", n), Origin: vault.Tool})
	}
	redact(t, s, vault.Value{Text: []byte("0000000007"), Origin: vault.Tool}) // again is no new one
	_, err := s.Redact(vault.Value{Text: []byte("0000001000"), Origin: vault.Tool})
	if !errors.Is(err, vault.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	for n := 1000; n < 1<<14; n++ {
		redact(t, s, vault.Value{Text: long(n)})
	}
	if _, err := s.Redact(vault.Value{Text: long(0)}); !errors.Is(err, vault.ErrTooMany) {
		t.Errorf("more values than a session holds: %v", err)
	}
	redact(t, session(t, v, "alice", "two"), vault.Value{Text: []byte("0000001000"), Origin: vault.Tool})
}

// TestWhatIsInUseStays: a session that somebody has is found again, however
// many others were used since.
func TestWhatIsInUseStays(t *testing.T) {
	l, v, stop := open(t, t.TempDir())
	defer stop()
	held := session(t, v, "alice", "held")
	token := redact(t, held, vault.Value{Text: long(1)})
	recorded := redact(t, session(t, v, "alice", "let go"), vault.Value{Text: long(2)})
	record(t, l, "alice", "let go", ledger.Secret{Value: long(2), Pseudonym: recorded})
	for n := range 5000 {
		session(t, v, "alice", fmt.Sprint("s", n))
	}
	if again := session(t, v, "alice", "held"); again != held {
		t.Error("there are two of one session")
	}
	if _, _, ok := held.Lookup([]byte(token)); !ok {
		t.Error("the session lost its pseudonym")
	}
	if _, _, ok := session(t, v, "alice", "let go").Lookup([]byte(recorded)); !ok {
		t.Error("a session that was let go did not come back")
	}
}

// broken is a store that fails as long as it is told to.
type broken struct {
	*ledger.Ledger
	err error
}

func (b *broken) VaultOf(principal string) ([]ledger.VaultEntry, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Ledger.VaultOf(principal)
}

func (b *broken) VaultIn(principal, session string) ([]ledger.VaultEntry, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Ledger.VaultIn(principal, session)
}

// TestWhatCantBeReadIsNotEmpty: an error is one each time, until it is over.
func TestWhatCantBeReadIsNotEmpty(t *testing.T) {
	l, _, stop := open(t, t.TempDir())
	defer stop()
	store := &broken{l, errors.New("disk")}
	v := vault.New(store)
	for range 2 {
		if _, err := v.Known("alice"); !errors.Is(err, store.err) {
			t.Errorf("known: %v", err)
		}
	}
	err := store.err
	store.err = nil
	known(t, v, "alice")
	store.err = err
	for range 2 {
		if _, err := v.Session("alice", "one"); !errors.Is(err, store.err) {
			t.Errorf("session: %v", err)
		}
	}
	store.err = nil
	session(t, v, "alice", "one")
}

func TestManyAtOnce(t *testing.T) {
	_, v, stop := open(t, t.TempDir())
	defer stop()
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for n := range 200 {
				s, err := v.Session("alice", fmt.Sprint("s", n%3))
				if err != nil {
					t.Error(err)
					return
				}
				token, err := s.Redact(vault.Value{Text: long(n * (1 + w%2))})
				if err != nil {
					t.Error(err)
					return
				}
				if !s.MayStart([]byte(token[:12])) {
					t.Errorf("%q is not found", token[:12])
				}
				if got, _, ok := s.Lookup([]byte(token)); !ok || !bytes.Equal(got, long(n*(1+w%2))) {
					t.Errorf("%q stands for %q", token, got)
				}
				if _, err := v.Known("alice"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
