package saved_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/console/saved"
)

func open(t *testing.T, dir string) *saved.Store {
	t.Helper()
	s, err := saved.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func names(s *saved.Store) (list []string) {
	for _, v := range s.List() {
		list = append(list, v.Name+"="+v.Query)
	}
	return list
}

func TestViewsAreKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, v := range []saved.View{{Name: "b", Page: "/live", Query: "1"}, {Name: "a", Page: "/live", Query: "2"}, {Name: "b", Page: "/live", Query: "3"}, {Name: "c", Page: "/live"}} {
		if err := s.Save(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete("c"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("c"); err == nil {
		t.Error("a view is deleted twice")
	}
	want := []string{"a=2", "b=3"}
	if got := names(s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := names(open(t, dir)); !slices.Equal(got, want) {
		t.Errorf("opened again: got %q, want %q", got, want)
	}
}

func TestViewsThatAreRefused(t *testing.T) {
	s := open(t, t.TempDir())
	for name, v := range map[string]saved.View{
		"no name": {Page: "/live"}, "two lines": {Name: "a\nb", Page: "/live"}, "turned around": {Name: "a\u202eb", Page: "/live"}, "an invisible name": {Name: "\u200b", Page: "/live"}, "long": {Name: strings.Repeat("x", 101), Page: "/live"},
		"another host": {Name: "a", Page: "//evil.example"}, "a script": {Name: "a", Page: "javascript:alert(1)"}, "long filter": {Name: "a", Page: "/live", Query: strings.Repeat("x", 4097)},
	} {
		if s.Save(v) == nil {
			t.Errorf("%s: %+.60v was saved", name, v)
		}
	}
	for i := range 200 {
		if err := s.Save(saved.View{Name: fmt.Sprint(i), Page: "/live"}); err != nil {
			t.Fatal(err)
		}
	}
	if s.Save(saved.View{Name: "more", Page: "/live"}) == nil {
		t.Error("the 201st view was saved")
	}
}
