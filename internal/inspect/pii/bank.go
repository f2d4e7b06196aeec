package pii

import "strings"

// card reports whether an issuer of cards gives numbers of this beginning and
// length (ISO/IEC 7812-1, the networks' published ranges), and the check is right.
func card(n []byte) bool {
	if len(n) < 12 || len(n) > 19 || !luhn(n) || same(n[1:]) {
		return false
	}
	two, three, four := number(n[:2]), number(n[:3]), number(n[:4])
	switch {
	case n[0] == '4':
		return len(n) == 13 || len(n) == 16 || len(n) == 19
	case two >= 51 && two <= 55, four >= 2221 && four <= 2720, four >= 2200 && four <= 2204, four == 9792:
		return len(n) == 16
	case two == 34, two == 37:
		return len(n) == 15
	case three >= 300 && three <= 305, two == 36, two == 38, two == 39:
		return len(n) == 14 || len(n) == 16
	case four >= 3528 && four <= 3589, four == 6011, three >= 644 && three <= 649, two == 65, two == 62, two == 60, two == 81, two == 82:
		return len(n) >= 16
	case two == 50, two >= 56 && two <= 58, two == 63, two == 67:
		return true // Maestro
	}
	return false
}

// routing is the number of a bank in the United States (ABA).
func routing(n []byte) bool {
	if !digits(n, 9) || same(n) {
		return false
	}
	district := number(n[:2])
	known := district >= 1 && district <= 12 || district >= 21 && district <= 32 || district >= 61 && district <= 72 || district == 80
	return known && weigh(n, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0
}

// ibans are the countries with an IBAN and its length there (the registry of
// ISO 13616).
const ibans = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18" +
	"GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15" +
	"OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30"

// others are countries without one whose banks have a BIC.
const others = "US CA MX JP CN HK SG AU NZ IN KR TW TH MY ID PH VN ZA NG KE AR CL CO PE UY BM BS KY PA "

// countryLength is how long a country's IBAN is; 0: it has none.
func countryLength(code []byte) int {
	for i := 0; i < len(ibans); i += 4 {
		if ibans[i] == code[0] && ibans[i+1] == code[1] {
			return int(ibans[i+2]-'0')*10 + int(ibans[i+3]-'0')
		}
	}
	return 0
}

// bic is ISO 9362: bank, country, place, and perhaps a branch.
func bic(n []byte) bool {
	if len(n) != 8 && len(n) != 11 {
		return false
	}
	for _, c := range n[:6] {
		if !isLetter(c) {
			return false
		}
	}
	return countryLength(n[4:6]) > 0 || strings.Contains(others, string(n[4:6])+" ")
}

// iban finds an account number around a token of digits, written in one or in
// groups of four.
func iban(text []byte, at, _ int, report func(start, end int)) {
	for back := 0; back < 4; back++ {
		if begin := groupStart(text, at); begin >= 0 {
			if end := ibanEnd(text, begin); end > 0 {
				report(begin, end)
			}
			return
		}
		// The group before, of four and a space.
		if at < 5 || text[at-1] != ' ' && text[at-1] != '-' {
			return
		}
		at -= 5
	}
}

// groupStart gives at when two letters and two digits begin there, else -1.
func groupStart(text []byte, at int) int {
	if at+4 > len(text) || at > 0 && (isWord(text[at-1]) || text[at-1] == '-' || text[at-1] == '/' || text[at-1] == '+') {
		return -1
	}
	if isLetter(upperOf(text[at])) && isLetter(upperOf(text[at+1])) && isDigit(text[at+2]) && isDigit(text[at+3]) {
		return at
	}
	return -1
}

// ibanEnd gives the end of the account number that begins at a place; 0 when it
// is none.
func ibanEnd(text []byte, at int) int {
	n := make([]byte, 0, maxNumber)
	want := countryLength([]byte{upperOf(text[at]), upperOf(text[at+1])})
	end := at
	for i := at; i < len(text) && len(n) < want; i++ {
		c := upperOf(text[i])
		switch {
		case isDigit(c) || isLetter(c):
			n = append(n, c)
			end = i + 1
		case c != ' ' && c != '-' || i > end:
			return 0
		}
	}
	if want == 0 || len(n) < want || end < len(text) && isWord(text[end]) || same(n[4:]) || mod97(n[4:], n[:4]) != 1 {
		return 0
	}
	return end
}

func upperOf(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// isWord tells the bytes of names in ASCII.
func isWord(c byte) bool { return isDigit(c) || isLetter(upperOf(c)) || c == '_' }

// testCards are the numbers that payment services print in their manuals.
var testCards = map[string]bool{
	"4111111111111111": true, "4242424242424242": true, "4012888888881881": true, "4000056655665556": true, "4222222222222": true, "4000000000000002": true,
	"5555555555554444": true, "5105105105105100": true, "5200828282828210": true, "2223003122003222": true, "378282246310005": true, "371449635398431": true,
	"378734493671000": true, "30569309025904": true, "38520000023237": true, "3056930009020004": true, "36227206271667": true, "6011111111111117": true,
	"6011000990139424": true, "6011000400000000": true, "3530111333300000": true, "3566002020360505": true, "6200000000000005": true, "4000000000000000": true,
}

func testCard(text []byte, start, end int, _ string) bool {
	var buf [maxNumber]byte
	return testCards[string(compact(buf[:0], text[start:end]))]
}

func notTestCard(text []byte, start, end int, arg string) bool {
	return !testCard(text, start, end, arg)
}
