package main

import (
	"fmt"
	"strings"
)

// output is what a tool gives back: a file with line numbers, a listing, a
// test run, a search.
func (g gen) output() string {
	var b strings.Builder
	switch g.IntN(9) {
	case 0, 1, 2:
		for i, line := range strings.Split(g.code(g.of(languages)), "\n") {
			fmt.Fprintf(&b, "%6d\t%s\n", i+1, line)
		}
	case 3:
		fmt.Fprintf(&b, "total %d\n", g.between(4, 900))
		for range 3 + g.IntN(10) {
			fmt.Fprintf(&b, "%s 1 user user %6d Nov %2d %02d:%02d %s\n",
				g.of([]string{"-rw-r--r--", "drwxr-xr-x", "-rwxr-xr-x"}), g.between(10, 90000), 1+g.IntN(30), g.IntN(24), g.IntN(60), g.path())
		}
	case 4:
		for range 3 + g.IntN(8) {
			fmt.Fprintf(&b, "%s/%s:%d:%s\n", g.dir(), g.path(), g.between(1, 900), g.fill("	$a.$v$B($c, \"$w\")"))
		}
	case 5:
		for range 2 + g.IntN(4) {
			fmt.Fprintf(&b, "=== RUN   Test%s\n--- PASS: Test%s (0.0%ds)\n", cap1(g.of(nouns)), cap1(g.of(nouns)), g.IntN(9))
		}
		fmt.Fprintf(&b, "PASS\nok  \tgithub.com/example/%s/internal/%s\t0.%03ds\n?   \tgithub.com/example/%s/cmd\t[no test files]\n",
			g.of(nouns), g.of(nouns), g.IntN(999), g.of(nouns))
	case 6:
		fmt.Fprintf(&b, "On branch main\nYour branch is up to date with 'origin/main'.\n\nChanges not staged for commit:\n  (use \"git add <file>...\" to update what will be committed)\n\tmodified:   %s\n\nno changes added to commit\n", g.path())
		b.WriteString(g.code("diff"))
	case 7:
		fmt.Fprintf(&b, "Traceback (most recent call last):\n  File \"%s/%s\", line %d, in <module>\n    %s()\n  File \"%s\", line %d, in %s\nValueError: %s\n",
			g.dir(), g.path(), g.between(1, 300), g.of(verbs), g.path(), g.between(1, 300), g.ident(), g.sentence())
	case 8:
		for range 3 + g.IntN(10) {
			fmt.Fprintf(&b, "%s/%s\n", g.dir(), g.path())
		}
	}
	return b.String()
}
