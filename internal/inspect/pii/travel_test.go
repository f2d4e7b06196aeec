package pii_test

import (
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// The examples of ICAO Doc 9303 and of a German passport, whose lines are found as a
// whole, and as nothing when a check digit is another one.
func TestLinesOfTravelDocuments(t *testing.T) {
	e, _ := engine(t)
	for _, lines := range []string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
		"P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\r\nC01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4",
		"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6",
		"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
	} {
		found := func(text string) (list []string) {
			for _, m := range e.Scan([]byte("it says\n"+text+"\n"), inspect.Options{}).Matches {
				if m.Rule.ID == "passport-lines" {
					list = append(list, string(m.Value))
				}
			}
			return list
		}
		if got := found(lines); len(got) != 1 || got[0] != lines {
			t.Errorf("%s: %q", lines, got)
		}
		if wrong := strings.Replace(lines, "7408122", "7408123", 1); wrong != lines && len(found(wrong)) > 0 {
			t.Errorf("%s is found", wrong)
		}
		if wrong := lines[:len(lines)-1] + "9"; len(found(wrong)) > 0 {
			t.Errorf("%s is found", wrong)
		}
	}
}
