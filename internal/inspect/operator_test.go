package inspect_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/flow"
	"github.com/workingagents/gatehouse/internal/inspect"
)

func parse(t *testing.T, text string) *inspect.Set {
	t.Helper()
	set, err := inspect.Parse("r.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// hashed is the entry of a value in a rules file.
func hashed(id, value string) string {
	v := inspect.Register(library().Key, []byte(value))
	return fmt.Sprintf("  - {id: %s, severity: high, length: %d, tag: '%s', hash: '%s'}\n", id, v.Length, hex.EncodeToString(v.Tag[:]), hex.EncodeToString(v.Hash[:]))
}

// Whatever file they stand in, canaries and registered values have families of
// their own, by which policy knows them.
func TestFamiliesOfValues(t *testing.T) {
	set := parse(t, "canaries:\n  - {id: bait, value: bait-7f3e}\nregistered:\n"+hashed("db", "Tr0ub4dor&3!x")+"dictionaries:\n  - {id: names, severity: low, confidence: 80, words: [bluebird]}\nfamily: acme\n")
	hidden := parse(t, "registered:\n"+hashed("hidden", "Tr0ub4dor&4!x")+"family: canary\n")
	e := engine(t, set, hidden)
	for text, want := range map[string]string{"a bait-7f3e b": "canary.bait", "Tr0ub4dor&3!x": "registered.db", "a bluebird": "acme.names", "x=Tr0ub4dor&4!x": "canary.hidden"} {
		m := one(t, e, text, inspect.Options{})
		if m.Rule.Name() != want || m.Rule.File() != "r.yaml" || !strings.HasPrefix(want, m.Rule.Family()+".") {
			t.Errorf("%s: got %s of %s", text, m.Rule.Name(), m.Rule.File())
		}
	}
	var names []string
	for _, r := range e.Rules() {
		names = append(names, r.Name())
	}
	if got := strings.Join(names[len(names)-2:], " "); got != "registered.db canary.hidden" {
		t.Errorf("the engine's rules end with %s", got)
	}
}

// A value that is all of a token of another rule has its own name.
func TestACanaryNamesItsFinding(t *testing.T) {
	set := &inspect.Set{Family: inspect.CanaryFamily}
	v := inspect.Register(library().Key, []byte(token(1)))
	v.Rule = inspect.Rule{ID: "bait", Severity: flow.Critical, Confidence: 100}
	set.Registered = append(set.Registered, v)
	if m := one(t, engine(t, rules(), set), "key="+token(1)+" ", inspect.Options{}); m.Rule.Name() != "canary.bait" {
		t.Errorf("got %s", m.Rule.Name())
	}
}

func TestWhatAFileMayNotSay(t *testing.T) {
	for text, want := range map[string]string{
		"family: Acme\n":       "r.yaml:1:9: the family must be lower case",
		"family: a.b\n":        "r.yaml:1:9: the family must be lower case",
		"family: provider\n":   "r.yaml:1:9: the family provider is the gateway's own",
		"family: unreadable\n": "r.yaml:1:9: the family unreadable is the gateway's own",
	} {
		if _, err := inspect.Parse("r.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"family: x\nregistered:\n" + hashed("a", "Tr0ub4dor&3!x") + hashed("b", "Tr0ub4dor&3!x"):                `r.yaml:4:5: rule "registered.b": the value is registered as registered.a already, at r.yaml:3:5`,
		"family: x\nkey: 0011223344556677\nregistered:\n" + hashed("a", "Tr0ub4dor&3!x"):                        "r.yaml:2:6: these hashes were made with the key of another data folder",
		"family: x\ncanaries: [{id: a, value: bait-1}]\nrules: [{id: a, severity: low}]\n":                      `r.yaml:3:9: rule "x.a": confidence must be`,
		"family: canary\ncanaries: [{id: a, value: bait-1}]\nregistered:\n" + hashed("a", "Tr0ub4dor&3!x"):      `r.yaml:4:5: rule "canary.a": the name is taken by the rule at r.yaml:2:12`,
		"family: test\ndictionaries: [{id: password, severity: low, confidence: 1, words: [bluebird]}]\n":       `rule "test.password": the name is taken`,
		"family: x\nrules:\n  - {id: a, severity: low, confidence: 5, anchors: [abc],\n     pattern: 'a(bc'}\n": `r.yaml:4:15: rule "x.a": the pattern does not compile`,
	} {
		_, err := inspect.Compile(library(), parse(t, good), parse(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	key := "family: x\nkey: " + inspect.KeyID(library().Key) + "\nregistered:\n" + hashed("a", "Tr0ub4dor&3!x")
	if _, err := inspect.Compile(library(), parse(t, key)); err != nil {
		t.Errorf("the right key: %v", err)
	}
}

// A registered value is found where structure cuts it, as any other is.
func TestRegisteredValuesInPieces(t *testing.T) {
	e := engine(t, parse(t, "family: x\nregistered:\n"+hashed("db", "Tr0ub4dor-3-horse")))
	r := e.Scan([]byte(`{"a":[{"text":"it is Tr0ub4dor"},{"text":"-3-horse, says he"}]}`), inspect.Options{JSON: true})
	if len(r.Inner) != 1 || r.Inner[0].Rule.Name() != "registered.db" || string(r.Inner[0].Value) != "Tr0ub4dor-3-horse" {
		t.Errorf("got %+v", r.Inner)
	}
}
