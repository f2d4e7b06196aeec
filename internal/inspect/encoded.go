package inspect

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
)

// Bounds of encoded runs.
const (
	minBase64 = 20      // characters
	minHex    = 32      // characters
	maxRun    = 1 << 20 // decoded bytes of one run
	minUnread = 1024    // decoded bytes from which binary content is told of which nothing says what it is
	peek      = 64      // characters that are decoded to see what a run is
)

// sextets gives the value of a character of base64 or base64url, 255 for what is
// none.
var sextets = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range byte(26) {
		t['A'+i], t['a'+i] = i, 26+i
	}
	for i := range byte(10) {
		t['0'+i] = 52 + i
	}
	t['+'], t['/'], t['-'], t['_'] = 62, 63, 62, 63
	return t
}()

// runs decodes the runs of base64 and hex in a segment.
func (s *scanner) runs(next *level, seg *segment) bool {
	for i := int(seg.start); ; {
		from, to := findRun(next.raw[:seg.end], i)
		if from < 0 {
			return true
		}
		if !s.run(next, from, to) {
			return false
		}
		i = to
	}
}

// findRun finds the next run of at least minBase64 characters of base64, with the
// lines that go on with it. It looks at the last byte of where a run might be
// first, and so skips most of a prose text.
func findRun(text []byte, i int) (from, to int) {
	for i+minBase64 <= len(text) {
		last := i + minBase64 - 1
		for last >= i && sextets[text[last]] < 64 {
			last--
		}
		if last >= i {
			i = last + 1
			continue
		}
		to = i + minBase64
		for to < len(text) && sextets[text[to]] < 64 {
			to++
		}
		return i, padded(text, wrapped(text, i, to))
	}
	return -1, -1
}

// padded takes in the padding behind a run.
func padded(text []byte, to int) int {
	for n := 0; n < 2 && to < len(text) && text[to] == '='; n++ {
		to++
	}
	return to
}

// minLine is the shortest line that a wrapped run has (PEM has 64, MIME 76). A shorter
// one goes on only if text comes of it: lists have lines of one length, too.
const minLine = 48

// wrapped gives the end of a run with the lines that go on with it.
func wrapped(text []byte, from, to int) int {
	width := to - from
	if width%4 != 0 {
		return to
	}
	end := moreLines(text, from, to)
	if width >= minLine || end > to && !allHex(text[from:to]) && shows(text[from:to]) {
		return end
	}
	return to
}

// moreLines gives the end of a run that goes on in further lines of the same
// length and a last shorter one.
func moreLines(text []byte, from, to int) int {
	width := to - from
	for end := to; ; {
		for end < len(text) && (text[end] == '\r' || text[end] == '\n') && end-to < 2 {
			end++
		}
		if end == to {
			return to
		}
		start := end
		for end < len(text) && sextets[text[end]] < 64 && end-start <= width {
			end++
		}
		if end == start || end-start > width {
			return to
		}
		to = end
		if end-start < width {
			return to
		}
	}
}

// run decodes one run and adds what it holds to the next level.
func (s *scanner) run(next *level, from, to int) bool {
	text := next.raw[from:to]
	if allHex(text) {
		return s.hex(next, from, to)
	}
	if !s.base32(next, from, to) {
		return false
	}
	var buffer [peek]byte
	head := decode64(buffer[:0], text[:min(len(text), peek)])
	if what := media(head); what != "" && !textual(head) {
		s.region(next, from, to, "base64: "+what)
		return true
	}
	for shift := range 4 {
		if shift > 0 && !shows(text[shift:]) {
			continue
		}
		if !s.content(next, from+shift, to, shift) {
			return false
		}
	}
	return true
}

// shows reports whether a run is text at its beginning or its end when it is
// decoded from here: it may have been put behind other characters.
func shows(text []byte) bool {
	const n = 16
	text = bytes.TrimRight(text, "=")
	if len(text) < n {
		return false
	}
	end := (len(text) - n) / 4 * 4
	return quadsAreText(text[:n]) || quadsAreText(text[end:end+n])
}

func quadsAreText(text []byte) bool {
	for i := 0; i+4 <= len(text); i += 4 {
		v := uint32(sextets[text[i]])<<18 | uint32(sextets[text[i+1]])<<12 | uint32(sextets[text[i+2]])<<6 | uint32(sextets[text[i+3]])
		if !asciiText(byte(v>>16)) || !asciiText(byte(v>>8)) || !asciiText(byte(v)) {
			return false
		}
	}
	return true
}

// content decodes a run and adds it. What is neither text nor a compression that
// we know is searched all the same, as it is; when it is large, it is told.
func (s *scanner) content(next *level, from, to, shift int) bool {
	raw := next.raw[from:to]
	long := len(raw)/4*3 > maxRun
	if long {
		raw = raw[:maxRun/3*4]
	}
	if !s.take(len(raw) / 4 * 3) {
		return false
	}
	start := len(next.text)
	next.text = decode64(next.text, raw)
	varied := variety(raw)
	if long && shift == 0 && varied && textual(next.text[start:]) {
		s.cut(cutRun)
	}
	return s.settle(next, start, from, to, inBase64, varied, shows(raw))
}

const cutRun = "run: encoded content of more than 1 MiB"

// settle makes a segment of the text that was decoded from start on. It says
// whether the decoded bytes may go on.
func (s *scanner) settle(next *level, start, from, to int, c coding, varied, text bool) bool {
	decoded := next.text[start:]
	if name := compression(decoded); name != "" {
		content := s.inflate(name, decoded)
		if content != nil {
			next.text = append(next.text[:start], content...)
			next.close(start, len(next.marks), from, to, compressed(c, name), !textual(content))
		}
		if s.decoded < 0 || content != nil {
			return s.decoded >= 0
		}
	}
	binary := !textual(decoded)
	if binary && varied && (len(decoded) >= minUnread || s.declared(next, from)) {
		s.region(next, from, to, codings[c].via[0]+": unknown binary")
	}
	next.close(start, len(next.marks), from, to, c, binary && !text)
	return true
}

// mediaMember holds the content of a picture or another file in the APIs' parts.
var mediaMember = []byte(`"data":`)

// MayHoldMedia reports whether Options.Media makes a difference for a part.
func MayHoldMedia(part []byte) bool { return bytes.Contains(part, mediaMember) }

// declared reports whether what stands before a run says that it is content: the
// beginning of an address that holds it, or a member of a part that is media.
func (s *scanner) declared(next *level, from int) bool {
	before := next.raw[max(0, from-16):from]
	if bytes.HasSuffix(before, []byte(";base64,")) {
		return true
	}
	key, ok := bytes.CutSuffix(before, []byte(`"`))
	return s.o.Media && s.depth == 0 && ok && bytes.HasSuffix(bytes.TrimRight(key, " \t\r\n"), mediaMember)
}

// variety reports whether a run has capital letters, small ones and digits, as
// base64 of binary content has: a row of digits or of one letter is no content.
func variety(text []byte) bool {
	var upper, small, digit bool
	for _, c := range text[:min(len(text), 4096)] {
		upper = upper || c >= 'A' && c <= 'Z'
		small = small || c >= 'a' && c <= 'z'
		digit = digit || c >= '0' && c <= '9'
	}
	return upper && small && digit
}

func decode64(out, text []byte) []byte {
	i := 0
	for i+4 <= len(text) {
		a, b, c, d := sextets[text[i]], sextets[text[i+1]], sextets[text[i+2]], sextets[text[i+3]]
		if (a|b|c|d)&0x80 != 0 {
			break
		}
		v := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		out = append(out, byte(v>>16), byte(v>>8), byte(v))
		i += 4
	}
	return decodeRest(out, text[i:])
}

// decodeRest decodes what holds line ends, or no whole group.
func decodeRest(out, text []byte) []byte {
	var v uint32
	n := 0
	for _, c := range text {
		d := sextets[c]
		if d > 63 {
			continue
		}
		v = v<<6 | uint32(d)
		if n++; n == 4 {
			out = append(out, byte(v>>16), byte(v>>8), byte(v))
			n = 0
		}
	}
	switch n {
	case 2:
		out = append(out, byte(v>>4))
	case 3:
		out = append(out, byte(v>>10), byte(v>>2))
	}
	return out
}

// base32 decodes a run of base32 (RFC 4648 section 6) that is ASCII.
func (s *scanner) base32(next *level, from, to int) bool {
	raw := bytes.TrimRight(next.raw[from:to], "=")
	for _, c := range raw {
		if (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return true
		}
	}
	if !s.take(len(raw) * 5 / 8) {
		return false
	}
	start := len(next.text)
	next.text = decode32(next.text, raw)
	for _, c := range next.text[start:] {
		if c >= utf8.RuneSelf {
			next.text = next.text[:start]
			return true
		}
	}
	next.close(start, len(next.marks), from, to, inBase32, false)
	return true
}

func decode32(out, text []byte) []byte {
	v, n := uint32(0), 0
	for _, c := range text {
		d := uint32(c - 'A')
		if c < 'A' {
			d = uint32(c-'2') + 26
		}
		v, n = v<<5|d, n+5
		if n >= 8 {
			n -= 8
			out = append(out, byte(v>>n))
		}
	}
	return out
}

func allHex(text []byte) bool {
	for _, c := range text {
		if hexDigits[c] > 15 && c != '\n' && c != '\r' {
			return false
		}
	}
	return true
}

// hex decodes a run of hex digits. Only text and compressed text are kept: most
// runs are hashes.
func (s *scanner) hex(next *level, from, to int) bool {
	raw := next.raw[from:to]
	if len(raw) < minHex {
		return true
	}
	if len(raw)/2 > maxRun {
		raw = raw[:2*maxRun]
		if letters(raw) {
			s.cut(cutRun)
		}
	}
	if !s.take(len(raw) / 2) {
		return false
	}
	start := len(next.text)
	next.text = decodeHex(next.text, raw)
	decoded := next.text[start:]
	if what := media(decoded); what != "" && !textual(decoded) {
		next.text = next.text[:start]
		s.region(next, from, to, "hex: "+what)
		return true
	}
	large := len(decoded) >= minUnread && letters(raw)
	if !large && !textual(decoded) && compression(decoded) == "" {
		next.text = next.text[:start]
		return true
	}
	return s.settle(next, start, from, to, inHex, letters(raw), false)
}

// letters reports whether hex digits are more than a number or a row of letters.
func letters(raw []byte) bool {
	raw = raw[:min(len(raw), 4096)]
	return bytes.ContainsAny(raw, "abcdefABCDEF") && bytes.ContainsAny(raw, "0123456789")
}

func decodeHex(out, text []byte) []byte {
	high := byte(255)
	for _, c := range text {
		d := hexDigits[c]
		switch {
		case d > 15:
		case high > 15:
			high = d
		default:
			out = append(out, high<<4|d)
			high = 255
		}
	}
	return out
}

// region notes a stretch that is not read.
func (s *scanner) region(next *level, from, to int, why string) {
	if len(s.unread) >= maxRegions {
		s.cut("unread: more than 1,000 stretches")
		return
	}
	start, end := s.toBytes(next.up, from, to)
	s.unread = append(s.unread, Region{start, end, why})
}

// magic are the first bytes of content that is not text. None of them begins a
// short run by chance: that takes four bytes, and more where they are zero.
var magic = []struct{ prefix, what string }{
	{"\x89PNG\r\n", "png image"}, {"GIF8", "gif image"}, {"RIFF", "webp image, wav audio or avi video"},
	{"%PDF-", "pdf"}, {"PK\x03\x04", "zip archive or office file"}, {"\x7fELF", "program"}, {"MZ\x90\x00", "program"},
	{"\xcf\xfa\xed\xfe", "program"}, {"\xca\xfe\xba\xbe", "program"}, {"\x00asm", "program"}, {"OggS", "ogg audio"}, {"ID3\x02", "mp3 audio"}, {"ID3\x03", "mp3 audio"}, {"ID3\x04", "mp3 audio"},
	{"fLaC", "flac audio"}, {"II*\x00", "tiff image"}, {"MM\x00*", "tiff image"}, {"\xfd7zXZ\x00", "xz"}, {"7z\xbc\xaf", "7z archive"},
	{"Rar!\x1a", "rar archive"}, {"SQLite format 3", "sqlite database"}, {"wOFF", "font"}, {"wOF2", "font"}, {"\x1aE\xdf\xa3", "webm or mkv video"},
	{"\xd0\xcf\x11\xe0", "old office file"},
}

func media(head []byte) string {
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.prefix)) {
			return m.what
		}
	}
	switch {
	case len(head) < 12:
	case string(head[4:8]) == "ftyp":
		return "mp4 video, heic or avif image"
	case string(head[:3]) == "\xff\xd8\xff" && head[3] >= 0xc0:
		return "jpeg image"
	case string(head[:3]) == "BZh" && string(head[4:10]) == "1AY&SY":
		return "bzip2"
	case string(head[:4]) == "\x00\x00\x01\x00" && head[4] != 0 && head[5] == 0 && head[9] == 0 && head[10] <= 1 && head[11] == 0:
		return "icon image" // its number of pictures, and the first one's planes
	}
	return ""
}

// compression names the compression that bytes begin with (RFC 1952, 1950, 8878).
func compression(b []byte) string {
	switch {
	case len(b) < 10:
	case b[0] == 0x1f && b[1] == 0x8b && b[2] == 8:
		return "gzip"
	case b[0]&0x0f == 8 && b[0]>>4 <= 7 && (uint(b[0])<<8|uint(b[1]))%31 == 0 && b[1]&0x20 == 0:
		return "zlib"
	case bytes.HasPrefix(b, []byte("\x28\xb5\x2f\xfd")):
		return "zstd"
	}
	return ""
}

// inflateCost is what an attempt takes from the bytes that may be decoded: to make
// a decompressor costs more than the bytes of a short run.
const inflateCost = 4 << 10

// inflate undoes a compression, as far as bounds and content go; nil when
// nothing came of it. The bytes are good until the next call.
func (s *scanner) inflate(name string, b []byte) []byte {
	if !s.take(inflateCost) {
		return nil
	}
	src, end, err := decompressor(name, bytes.NewReader(b))
	if err != nil {
		return nil
	}
	defer end()
	most := min(maxRun, max(s.decoded, 0))
	s.inflated.Reset()
	// An error is the end of what can be read of it.
	_, _ = s.inflated.ReadFrom(io.LimitReader(src, int64(most)+1))
	content := s.inflated.Bytes()
	if len(content) > most {
		content = content[:most]
		s.cut("run: compressed content of more than is read")
	}
	s.decoded -= len(content)
	if len(content) == 0 {
		return nil
	}
	return content
}

func decompressor(name string, b io.Reader) (src io.Reader, end func(), err error) {
	end = func() {}
	switch name {
	case "gzip":
		src, err = gzip.NewReader(b)
	case "zlib":
		src, err = zlib.NewReader(b)
	default:
		// Concurrency 1: it decodes in this goroutine.
		var d *zstd.Decoder
		if d, err = zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(8<<20), zstd.WithDecoderLowmem(true)); err == nil {
			src, end = d, d.Close
		}
	}
	return src, end, err
}
