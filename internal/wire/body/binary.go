package body

import (
	"bytes"
	"unicode/utf8"
)

// magics are how files begin that are not text, whatever a part's header says.
var magics = []struct{ begins, why string }{
	{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"},
	{"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"}, {"\x00\x00\x01\x00", "image/x-icon"},
	{"PK\x03\x04", "application/zip"}, {"PK\x05\x06", "application/zip"},
	{"\x1f\x8b", "application/gzip"}, {"(\xb5/\xfd", "application/zstd"}, {"BZh", "application/x-bzip2"},
	{"\xfd7zXZ\x00", "application/x-xz"}, {"7z\xbc\xaf'\x1c", "application/x-7z-compressed"}, {"Rar!\x1a\a", "application/vnd.rar"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
	{"\x7fELF", "application/x-elf"}, {"\x00asm", "application/wasm"}, {"SQLite format 3\x00", "application/vnd.sqlite3"},
	{"PAR1", "application/vnd.apache.parquet"}, {"OggS", "audio/ogg"}, {"fLaC", "audio/flac"}, {"ID3", "audio/mpeg"},
	{"\xff\xfb", "audio/mpeg"}, {"\xff\xf3", "audio/mpeg"}, {"\x1aE\xdf\xa3", "video/webm"},
}

// magic names a file by its first bytes; "" when it is none that we know. A text
// may begin with the same letters, but such files have other bytes soon.
func magic(b []byte) string {
	if bytes.HasPrefix(b, []byte("%PDF-")) {
		return "application/pdf"
	}
	if !strange(b[:min(len(b), 512)]) {
		return ""
	}
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.begins)) {
			return m.why
		}
	}
	switch {
	case len(b) >= 12 && string(b[:4]) == "RIFF":
		return "audio, video or image in RIFF"
	case len(b) >= 12 && string(b[4:8]) == "ftyp":
		return "video/mp4"
	}
	return ""
}

// binary reports whether b is no text in any coding that is read: more than one
// byte in twenty is a control character or no UTF-8. UTF-16 is text.
func binary(b []byte) bool {
	return !utf16Text(b) && strangers(b) > len(b)/20
}

// strange reports whether the head of a file holds what no text does. The cut
// may have left one character of a text without its end.
func strange(head []byte) bool { return strangers(head) > utf8.UTFMax }

func strangers(b []byte) (n int) {
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < ' ' && !plain(c) || c == 0x7f {
				n++
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			n++
		}
		i += size
	}
	return n
}

// plain are the control characters that texts have.
func plain(c byte) bool {
	return c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\b' || c == 0x1b
}

// utf16Text reports whether b is text in UTF-16: by its mark, or since every
// other byte of its first ones is zero.
func utf16Text(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	if string(b[:2]) == "\xff\xfe" || string(b[:2]) == "\xfe\xff" {
		return true
	}
	head := b[:min(len(b), 64)&^1]
	zeros := [2]int{}
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	return zeros[0] > half*9/10 && zeros[1] == 0 || zeros[1] > half*9/10 && zeros[0] == 0
}
