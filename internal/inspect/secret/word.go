package secret

import _ "embed"

// pairs holds for each letter how often each other letter follows it in
// identifiers and English words: 0 (hardly ever) to 7, on a logarithmic
// scale. Counted over the words of Go's standard library.
const pairs = "" +
	"03540130301535030546210010" + "53325110520600410341500030" +
	"50315115305310610325300010" + "42247200600311400441310010" +
	"40452220000335030654021300" + "41234610600411520432400010" +
	"31306023500314520551300000" + "60127000500120510424300010" +
	"32433230000447420345020102" + "62226201303112530052510000" +
	"30127141500323220153201010" + "50036000600500510033200040" +
	"63116000501230450042300010" + "40455260402102410056220000" +
	"12430220101446340544433000" + "50216012401400540635300010" +
	"00220003200100020333800000" + "50227120502232510344210020" +
	"30406014501211330046401030" + "50216104600200420543200030" +
	"34323320400446140555000000" + "60208300500010311010000000" +
	"60025114500214520540001000" + "43435401400120160126000310" +
	"22313000400245360264001001" + "51018000500101310010001014"

// The mean of pairs from which letters read like a word: it
// takes 96 % of English words of 8 letters for words and 4 % of random ones;
// of 10 letters, 99 % and 3 %.
const (
	wordlike      = 3.3
	wordlikeShort = 4.3 // below 6 letters
)

// wordList holds the words of programs, one a line: those that stand in at
// least 12 files of Go's standard library, and what people write where a
// password should be.
//
//go:embed words.txt
var wordList string

var words = setOf(wordList)

// isKnown reports whether letters are a word of the list, in any case.
func isKnown(letters []byte) bool {
	var small [16]byte
	if len(letters) > len(small) {
		return false
	}
	for i, c := range letters {
		small[i] = lower(c)
	}
	return words[string(small[:len(letters)])]
}

// isWord reports whether letters (ASCII) are a word, or could be one.
func isWord(letters []byte) bool {
	switch {
	case len(letters) < 3:
		return false
	case isKnown(letters):
		return true
	case len(letters) == 3:
		return false
	}
	sum, vowels := 0, 0
	for i, c := range letters {
		c |= 0x20
		if c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y' {
			vowels++
		}
		if i > 0 {
			sum += int(pairs[int(letters[i-1]|0x20-'a')*26+int(c-'a')] - '0')
		}
	}
	limit := wordlike
	if len(letters) < 6 {
		limit = wordlikeShort
	}
	return vowels > 0 && float64(sum) >= limit*float64(len(letters)-1)
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isUpper(c byte) bool  { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
func isSpace(c byte) bool  { return c == ' ' || c == '\t' }
func isBreak(c byte) bool  { return c == '\n' || c == '\r' }

// isName reports whether c may stand in a name: an identifier, an
// environment variable, a flag, a dotted path of members.
func isName(c byte) bool { return isAlnum(c) || c == '_' || c == '-' || c == '.' }

// pieces splits text where a reader sees words: at signs, at digits, and
// where camel case turns. It calls each with a run of letters or of digits
// and stops when each returns false.
func pieces(text []byte, each func(piece []byte) bool) {
	for i := 0; i < len(text); {
		start := i
		switch {
		case isDigit(text[i]):
			for i < len(text) && isDigit(text[i]) {
				i++
			}
		case isLetter(text[i]):
			i = wordEnd(text, i)
		default:
			i++
			continue
		}
		if !each(text[start:i]) {
			return
		}
	}
}

// wordEnd gives the end of the word at i: "HTTPServer" is HTTP and Server.
func wordEnd(text []byte, i int) int {
	start := i
	for i < len(text) && isUpper(text[i]) {
		i++
	}
	if upper := i - start; upper > 1 {
		if i < len(text) && isLower(text[i]) {
			return i - 1
		}
		return i
	}
	for i < len(text) && isLower(text[i]) {
		i++
	}
	return i
}

// lower gives c as a small letter when it is a letter.
func lower(c byte) byte {
	if isUpper(c) {
		return c | 0x20
	}
	return c
}

// contains reports whether text holds word, which is in small letters,
// without regard to case.
func contains(text []byte, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if startsWith(text[i:], word) {
			return true
		}
	}
	return false
}

// startsWith is contains at the start of text.
func startsWith(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

// equalFold is startsWith for the whole text.
func equalFold(text []byte, word string) bool {
	return len(text) == len(word) && startsWith(text, word)
}
