package action

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// lost is the working folder that is only known when it runs.
const lost = "?"

// moves follows cd and what is like it.
func (s *shell) moves(c *command) {
	to := "~"
	for _, o := range c.args {
		if !strings.HasPrefix(o, "-") || o == "-" {
			to = o
			break
		}
	}
	switch c.name {
	case "cd", "pushd":
		s.dir = s.to(to)
	case "popd":
		s.dir = lost
	}
}

// to is a folder as seen from the working folder.
func (s *shell) to(folder string) string {
	for _, home := range []string{"$HOME", "${HOME}"} {
		if rest, ok := strings.CutPrefix(folder, home); ok {
			folder = "~" + rest
		}
	}
	switch {
	case folder == "-" || strings.ContainsAny(folder, "$`") || strings.Contains(folder, "/**/"):
		return lost
	case !isRelative(folder):
		return folder
	case s.dir == lost:
		return lost
	}
	return under(s.dir, folder)
}

// from is a path as seen from the working folder, where that is known.
func (s *shell) from(name string) string {
	if s.dir == "" || s.dir == lost || !isRelative(name) {
		return name
	}
	return under(s.dir, name)
}

// isRelative reports whether where a path leads depends on the working folder.
func isRelative(name string) bool {
	return name != "" && !strings.ContainsAny(name[:1], "/~$%\\-\"'@") && !strings.Contains(name, ":") && !strings.Contains(name, "=")
}

// under joins a folder and a relative path. Above a home are all homes.
func under(folder, name string) string {
	rest, home := strings.CutPrefix(folder, "~")
	if !home {
		return path.Join(folder, name)
	}
	const me = "/home/~"
	joined := path.Join(me+rest, name)
	if rest, ok := strings.CutPrefix(joined, me); ok {
		return "~" + rest
	}
	return joined
}

// above is a path that leads so far up that there is hardly anything but the root.
var above = regexp.MustCompile(`^(\.\./){3,}\.\.(/\*?)?$|^(\.\./){4,}\*?$`)

// meant is what a path means, by itself or from the working folder, and the path for
// which that holds.
func (s *shell) meant(name string) ([]place, string) {
	all, far := s.placesOf(name), s.from(name)
	if far == name || !strings.ContainsAny(far[:1], "/~") || len(all) > 0 && all[0] != weakSecret {
		return all, name
	}
	if there := s.placesOf(far); len(there) > 0 {
		return there, far
	}
	return all, name
}

// outputs are the files that a pipeline names at its end, as far as that is known.
func outputs(all []*command) (list []string) {
	for _, c := range all {
		switch c.name {
		case "find":
			list = nil
			if !sieved(c) {
				list = []string{findRoot(c)}
			}
		case "ls":
			if list = c.operands(); len(list) == 0 {
				list = []string{"*"}
			}
		case "echo", "printf":
			list = slices.DeleteFunc(strings.Fields(printed(c)), func(a string) bool { return strings.HasPrefix(a, "-") })
		case "sort", "uniq", "tr", "cat", "tee", "sed":
		default:
			list = nil
		}
	}
	return list[:min(len(list), maxRow)]
}

// sieved reports whether find takes only some of what lies below a folder.
func sieved(c *command) bool {
	for i, a := range c.args {
		switch {
		case strings.HasPrefix(a, "-exec"), strings.HasPrefix(a, "-ok"):
			return false
		case strings.HasPrefix(a, "-") && !broad[a], i > 0 && c.args[i-1] == "-type" && a != "f" && a != "d":
			return true
		}
	}
	return false
}

// broad are what find is told that leaves nothing out, or little.
var broad = set("-type -depth -d -maxdepth -mindepth -xdev -mount -print -print0 -delete -ls -P -L -H -follow -noleaf")
