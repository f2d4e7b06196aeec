package body

import (
	"bytes"
	"unicode/utf8"
)

// magics are how files begin that are not text, whatever a part's header says.
var magics = []struct{ begins, why string }{
	{"%PDF-", "application/pdf"},
	{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"},
	{"BM", ""}, // too short to tell: see binary
	{"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"}, {"\x00\x00\x01\x00", "image/x-icon"},
	{"PK\x03\x04", "application/zip"}, {"PK\x05\x06", "application/zip"},
	{"\x1f\x8b", "application/gzip"}, {"(\xb5/\xfd", "application/zstd"}, {"BZh", "application/x-bzip2"},
	{"\xfd7zXZ\x00", "application/x-xz"}, {"7z\xbc\xaf'\x1c", "application/x-7z-compressed"}, {"Rar!\x1a\a", "application/vnd.rar"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"},
	{"\x7fELF", "application/x-elf"}, {"\x00asm", "application/wasm"}, {"SQLite format 3\x00", "application/vnd.sqlite3"},
	{"PAR1", "application/vnd.apache.parquet"}, {"OggS", "audio/ogg"}, {"fLaC", "audio/flac"}, {"ID3", "audio/mpeg"},
	{"\xff\xfb", "audio/mpeg"}, {"\xff\xf3", "audio/mpeg"}, {"\x1aE\xdf\xa3", "video/webm"},
}

// magic names a file by its first bytes; "" when it is none that we know.
func magic(b []byte) string {
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
	if len(b) == 0 || utf16Text(b) {
		return false
	}
	strange := 0
	for i := 0; i < len(b); {
		c := b[i]
		if c < utf8.RuneSelf {
			if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b && c != '\b' || c == 0x7f {
				strange++
			}
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			strange++
		}
		i += n
	}
	return strange > len(b)/20
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
