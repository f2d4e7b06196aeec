package secret

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"strings"
)

// otpSeeds reports base32 seeds near a word of one-time passwords, and those
// in otpauth: URLs. The anchor is "otp", "2fa", "mfa", "authenticator".
func otpSeeds(text []byte, at, end int, report func(start, end int)) {
	stop := min(len(text), end+160)
	for i := end; i < stop; i++ {
		if !isSeedLetter(text[i]) || isAlnum(text[i-1]) || text[i-1] == '_' {
			continue
		}
		j := i
		for j < len(text) && j-i < 130 && isSeedLetter(text[j]) {
			j++
		}
		for j < len(text) && text[j] == '=' {
			j++
		}
		if (j == len(text) || !isAlnum(text[j]) && text[j] != '_') && isSeed(text[i:j]) {
			report(i, j)
			return
		}
		i = j
	}
}

func isSeedLetter(c byte) bool { return isUpper(c) || '2' <= c && c <= '7' }

// isSeed asks for base32 of at least 80 bits with digits among the letters.
func isSeed(v []byte) bool {
	v = bytes.TrimRight(v, "=")
	if len(v) < 16 || len(v) > 128 {
		return false
	}
	s := measure(v)
	return s.digits > 0 && s.distinct >= 8 && !s.isSequence() && s.wordy*2 < len(v)
}

// natsSeeds reports NKEY seeds: S, the kind of key, 56 more letters of
// base32 that end in a CRC-16 (XMODEM, little-endian) of what goes before.
func natsSeeds(text []byte, at, end int, report func(start, end int)) {
	const length = 58
	if at > 0 && isAlnum(text[at-1]) || at+length > len(text) || at+length < len(text) && isAlnum(text[at+length]) {
		return
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(string(text[at : at+length]))
	if err != nil || len(raw) != 36 {
		return
	}
	var crc uint16
	for _, b := range raw[:34] {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	if byte(crc) == raw[34] && byte(crc>>8) == raw[35] {
		report(at, at+length)
	}
}

// bip39 is the English list of BIP-39 (MIT licence), one word a line.
//
//go:embed bip39.txt
var bip39 string

// mnemonic gives each word's number.
var mnemonic = func() map[string]int {
	words := strings.Fields(bip39)
	numbers := make(map[string]int, len(words))
	for i, w := range words {
		numbers[w] = i
	}
	return numbers
}()

// walletPhrases reports 12, 15, 18, 21 or 24 words of BIP-39 whose checksum
// holds, near a word such as "mnemonic" or "recovery phrase".
func walletPhrases(text []byte, at, end int, report func(start, end int)) {
	left, right := max(0, at-1024), min(len(text), end+1536)
	var spans [][2]int
	var numbers []int
	flush := func() {
		if s, e, ok := phrase(numbers, spans); ok {
			report(s, e)
		}
		spans, numbers = spans[:0], numbers[:0]
	}
	last := left
	for i := left; i < right; {
		if !isLetter(text[i]) {
			i++
			continue
		}
		j := i
		for j < right && isLetter(text[j]) {
			j++
		}
		number, known := mnemonic[strings.ToLower(string(text[i:j]))]
		if !known || !isPhraseGap(text[last:i]) {
			flush()
		}
		if known {
			spans, numbers = append(spans, [2]int{i, j}), append(numbers, number)
		}
		i, last = j, j
	}
	flush()
}

// isPhraseGap reports whether two words may follow each other in a phrase:
// blanks, commas, quotes, the numbers of a list.
func isPhraseGap(gap []byte) bool {
	if len(gap) > 12 {
		return false
	}
	for _, c := range gap {
		if isLetter(c) || c >= 0x80 {
			return false
		}
	}
	return true
}

// phrase finds a run of words whose checksum holds, the longest first.
func phrase(numbers []int, spans [][2]int) (start, end int, ok bool) {
	for n := 24; n >= 12; n -= 3 {
		for i := 0; i+n <= len(numbers); i++ {
			if checksumHolds(numbers[i : i+n]) {
				return spans[i][0], spans[i+n-1][1], true
			}
		}
	}
	return 0, 0, false
}

// checksumHolds checks the last n/3 bits of n words against the SHA-256 of
// the others (BIP-39, "Generating the mnemonic").
func checksumHolds(numbers []int) bool {
	var bits []byte
	for _, n := range numbers {
		for b := 10; b >= 0; b-- {
			bits = append(bits, byte(n>>b&1))
		}
	}
	check := len(numbers) / 3
	entropy := make([]byte, (len(bits)-check)/8)
	for i := range entropy {
		for _, b := range bits[i*8 : i*8+8] {
			entropy[i] = entropy[i]<<1 | b
		}
	}
	sum := sha256.Sum256(entropy)
	for i, b := range bits[len(bits)-check:] {
		if sum[i/8]>>(7-i%8)&1 != b {
			return false
		}
	}
	return true
}
