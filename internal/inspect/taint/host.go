package taint

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sameHost is a host's name as all of its spellings have it: lower case, no final dot,
// letters instead of Punycode, an address of four numbers instead of one.
func sameHost(name []byte) []byte {
	name = bytes.ToLower(bytes.TrimSuffix(name, []byte(".")))
	if bytes.Contains(name, []byte("xn--")) {
		labels := strings.Split(string(name), ".")
		for i, l := range labels {
			if coded, ok := strings.CutPrefix(l, "xn--"); ok {
				if plain, ok := punycode(coded); ok {
					labels[i] = plain
				}
			}
		}
		return []byte(strings.Join(labels, "."))
	}
	if len(name) > 0 && name[0] >= '0' && name[0] <= '9' && bytes.IndexByte(name, '.') < 0 {
		if n, err := strconv.ParseUint(string(name), 0, 32); err == nil {
			return []byte(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}).String())
		}
	}
	return name
}

// punycode decodes a label without its prefix (RFC 3492, section 6.2).
func punycode(coded string) (plain string, ok bool) {
	const base, tmin, tmax, skew, damp, bias0, first = 36, 1, 26, 38, 700, 72, 0x80
	basic, rest := "", coded
	if i := strings.LastIndexByte(coded, '-'); i >= 0 {
		basic, rest = coded[:i], coded[i+1:]
	}
	out := []rune(basic)
	n, i, bias := first, 0, bias0
	for len(rest) > 0 {
		before, w := i, 1
		for k := base; ; k += base {
			if rest == "" {
				return "", false
			}
			digit := strings.IndexByte("abcdefghijklmnopqrstuvwxyz0123456789", rest[0])
			rest = rest[1:]
			t := min(max(k-bias, tmin), tmax)
			if i += digit * w; digit < 0 || i > 1<<24 {
				return "", false
			}
			if digit < t {
				break
			}
			if w *= base - t; w > 1<<24 {
				return "", false
			}
		}
		size := len(out) + 1
		delta := (i - before) / 2
		if before == 0 {
			delta = i / damp
		}
		delta += delta / size
		bias = 0
		for ; delta > (base-tmin)*tmax/2; bias += base {
			delta /= base - tmin
		}
		bias += (base - tmin + 1) * delta / (delta + skew)
		n, i = n+i/size, i%size
		if n > unicode.MaxRune {
			return "", false
		}
		out = append(out[:i], append([]rune{rune(n)}, out[i:]...)...)
		i++
	}
	return string(out), true
}

// wide finds the names of hosts in letters beyond ASCII that lie around a place, where
// the first such letter stands, and gives the place behind.
func wide(text []byte, at int, f func(Word)) (behind int) {
	start := at
	for start > 0 && at-start < maxHost && inHost(rune(text[start-1])) && text[start-1] < utf8.RuneSelf {
		start--
	}
	end := at
	for end < len(text) && end-start < maxHost {
		c, n := utf8.DecodeRune(text[end:])
		if !inHost(c) {
			break
		}
		end += n
	}
	name := bytes.Trim(text[start:end], ".-")
	if dot := bytes.LastIndexByte(name, '.'); dot > 0 && utf8.RuneCount(name[dot+1:]) >= 2 && !bytes.ContainsFunc(name[dot+1:], unicode.IsDigit) && !files[string(name[dot+1:])] {
		start += bytes.Index(text[start:end], name)
		f(Word{Host, start, start + len(name), name})
	}
	return max(end, at+1)
}

// maxHost is how long the name of a host may be in letters, in bytes.
const maxHost = 512

func inHost(c rune) bool {
	return c == '.' || c == '-' || c >= '0' && c <= '9' || c < utf8.RuneSelf && isLetter(byte(c)) || c >= utf8.RuneSelf && c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsMark(c))
}
