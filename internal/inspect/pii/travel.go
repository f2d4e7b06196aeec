package pii

// Travel documents (ICAO Doc 9303): numbers by themselves, and the lines that machines
// read, whose check digits leave little to chance.

// mrzLines are the lengths of the lines that hold the checks, by kind of document: of
// passports, of visas and older cards, of cards.
const (
	passportLine = 44
	visaLine     = 36
	cardLine     = 30
)

// mrz finds the lines that machines read, around a token of digits in the line that
// holds the dates. The line before it is reported, too: it has the name or, on a card,
// the number.
func mrz(text []byte, at, end int, report func(start, end int)) {
	for at > 0 && end-at <= passportLine && inMRZ(text[at-1]) {
		at--
	}
	for end < len(text) && end-at <= passportLine && inMRZ(text[end]) {
		end++
	}
	line := text[at:end]
	before := lineBefore(text, at, len(line))
	valid := false
	switch len(line) {
	case passportLine:
		valid = bookMRZ(line) && mrzCheck(line[43], line[:10], line[13:20], line[21:43])
	case visaLine:
		valid = bookMRZ(line) && mrzCheck(line[35], line[:10], line[13:20], line[21:35])
	case cardLine:
		valid = before != nil && cardMRZ(before, line)
	}
	if !valid {
		return
	}
	if before != nil {
		at = end - 2*len(line) - gapBefore(text, at)
	}
	report(at, end)
}

// bookMRZ checks number, birth and end of a passport's or visa's second line.
func bookMRZ(line []byte) bool {
	return mrzCheck(line[9], line[:9]) && mrzCheck(line[19], line[13:19]) && mrzCheck(line[27], line[21:27]) && ymd(line[13:19])
}

// cardMRZ checks the first two lines of a card.
func cardMRZ(first, second []byte) bool {
	return mrzCheck(first[14], first[5:14]) && mrzCheck(second[6], second[:6]) && mrzCheck(second[14], second[8:14]) &&
		mrzCheck(second[29], first[5:30], second[:7], second[8:15], second[18:29])
}

// lineBefore gives the line of the same length before the one at a place; nil: there
// is none.
func lineBefore(text []byte, at, length int) []byte {
	end := at - gapBefore(text, at)
	if end == at || end < length {
		return nil
	}
	for _, c := range text[end-length : end] {
		if !inMRZ(c) {
			return nil
		}
	}
	return text[end-length : end]
}

// gapBefore is the length of the line break before a place.
func gapBefore(text []byte, at int) int {
	switch {
	case at < 2 || text[at-1] != '\n':
		return 0
	case text[at-2] == '\r':
		return 2
	}
	return 1
}

func inMRZ(c byte) bool { return isDigit(c) || isLetter(c) || c == '<' }

// mrzCheck is the check digit of fields (Doc 9303-3, section 4.9). One of an empty
// field may be a filler.
func mrzCheck(check byte, fields ...[]byte) bool {
	sum, n := 0, 0
	for _, f := range fields {
		for _, c := range f {
			v := 0
			switch {
			case isDigit(c):
				v = int(c - '0')
			case isLetter(c):
				v = int(c-'A') + 10
			}
			sum += v * [3]int{7, 3, 1}[n%3]
			n++
		}
	}
	return isDigit(check) && sum%10 == int(check-'0') || check == '<' && sum == 0
}

// passport reports whether a number is one of letters and digits as many countries have
// them: nine, of which some are letters and most are digits.
func passport(n []byte) bool {
	count := 0
	for _, c := range n {
		if isDigit(c) {
			count++
		}
	}
	return len(n) == 9 && count >= 4 && count < 9
}
