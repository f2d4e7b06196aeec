package peek

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
)

// Quotings gives the ways in which programs write a text as a JSON string, without
// its quotes: as most do, as Go does, as Python does. Some may be the same.
func Quotings(text []byte) [][]byte {
	least := quote(text, false)
	return [][]byte{least, quote(text, true), ascii(least)}
}

func quote(text []byte, html bool) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if enc.Encode(string(text)) != nil {
		return text
	}
	return bytes.TrimSuffix(bytes.TrimSpace(b.Bytes())[1:], []byte{'"'})
}

// ascii writes what is no ASCII as escapes.
func ascii(text []byte) []byte {
	const hex = "0123456789abcdef"
	var out []byte
	unit := func(u uint16) {
		out = append(out, '\\', 'u', hex[u>>12], hex[u>>8&15], hex[u>>4&15], hex[u&15])
	}
	for _, r := range string(text) {
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		case r >= 0x10000:
			a, b := utf16.EncodeRune(r)
			unit(uint16(a))
			unit(uint16(b))
		default:
			unit(uint16(r))
		}
	}
	return out
}
