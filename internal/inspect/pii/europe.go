package pii

import "strings"

// Numbers of European countries. Where each is written down stands in its rules
// file, as "source".

func austria(n []byte) bool {
	if !digits(n, 10) || n[0] == '0' {
		return false
	}
	sum := weigh(n, 3, 7, 9) + weigh(n[4:], 5, 8, 4, 2, 1, 6)
	month := number(n[6:8]) // 13 to 15 when no birthday is known or a day is full
	return sum%11 == at(n, 3) && (dmy(n[4:]) || month > 12 && month < 16)
}

func belgium(n []byte) bool {
	if !digits(n, 11) || number(n[2:4])%20 > 12 || number(n[4:6]) > 31 {
		return false
	}
	first, check := number(n[:9]), number(n[9:])
	return 97-first%97 == check || 97-(2_000_000_000+first)%97 == check
}

func bulgaria(n []byte) bool {
	return digits(n, 10) && number(n[2:4])%20 >= 1 && number(n[2:4])%20 <= 12 && number(n[4:6]) >= 1 && number(n[4:6]) <= 31 &&
		modulo(n, 11, 2, 4, 8, 5, 10, 9, 7, 3, 6)
}

// switzerland has the check of EAN-13.
func switzerland(n []byte) bool {
	return digits(n, 13) && string(n[:3]) == "756" && (weigh(n, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3)+at(n, 12))%10 == 0
}

// czechia is Slovakia's number, too. A woman's month is 50 more; 20 more when
// the numbers of a day ran out.
func czechia(n []byte) bool {
	if !digits(n, 10) || !date(number(n[:2]), number(n[2:4])%50%20, number(n[4:6])) {
		return false
	}
	return number(n)%11 == 0 || number(n[:9])%11 == 10 && n[9] == '0'
}

// germanTax: of the first ten digits one stands there twice or three times, the
// others once at most.
func germanTax(n []byte) bool {
	if !digits(n, 11) || n[0] == '0' || !mod11x10(n) {
		return false
	}
	var count [10]int
	twice := 0
	for _, c := range n[:10] {
		count[c-'0']++
	}
	for _, k := range count {
		if k > 3 {
			return false
		}
		if k > 1 {
			twice++
		}
	}
	return twice == 1
}

func germanPension(n []byte) bool {
	if len(n) != 12 || !digits(n[:8], 8) || !isLetter(n[8]) || !digits(n[9:], 3) {
		return false
	}
	day, month := number(n[2:4]), number(n[4:6])
	if day%50 < 1 || day%50 > 31 || month < 1 || month > 12 {
		return false
	}
	letter := int(n[8]-'A') + 1
	all := append(append(n[:8:8], byte('0'+letter/10), byte('0'+letter%10)), n[9:]...)
	return crossSum(all[:12], 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)%10 == at(all, 12)
}

func germanHealth(n []byte) bool {
	if len(n) != 10 || !isLetter(n[0]) || !digits(n[1:], 9) {
		return false
	}
	letter := int(n[0]-'A') + 1
	all := append([]byte{byte('0' + letter/10), byte('0' + letter%10)}, n[1:]...)
	return crossSum(all[:10], 1, 2, 1, 2, 1, 2, 1, 2, 1, 2)%10 == at(all, 10)
}

// crossSum adds the digits of each product.
func crossSum(n []byte, weights ...int) (sum int) {
	for i, w := range weights {
		p := at(n, i) * w
		sum += p/10 + p%10
	}
	return sum
}

func denmark(n []byte) bool {
	return digits(n, 10) && dmy(n) && weigh(n, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0
}

// baltic is the number of Estonia and of Lithuania.
func baltic(n []byte) bool {
	if !digits(n, 11) || n[0] < '1' || n[0] > '8' || !ymd(n[1:]) {
		return false
	}
	sum := weigh(n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1) % 11
	if sum == 10 {
		sum = weigh(n, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3) % 11 % 10
	}
	return sum == at(n, 10)
}

// spain is the number of citizens (DNI) and of foreigners (NIE), which begins
// with X, Y or Z for 0, 1, 2.
func spain(n []byte) bool {
	if len(n) != 9 {
		return false
	}
	first := strings.IndexByte("XYZ", n[0])
	v := 0
	switch {
	case first >= 0 && digits(n[1:8], 7):
		v = first*10_000_000 + number(n[1:8])
	case digits(n[:8], 8) && !same(n[:8]):
		v = number(n[:8])
	default:
		return false
	}
	return "TRWAGMYFPDXBNJZSQVHLCKE"[v%23] == n[8]
}

func spanishSecurity(n []byte) bool {
	if !digits(n, 12) || same(n) {
		return false
	}
	v := number(n[:10])
	if n[2] == '0' {
		v = number(n[:2])*10_000_000 + number(n[3:10])
	}
	return v%97 == number(n[10:])
}

// finland: the sign between date and number, which tells the century, may be a
// letter.
func finland(n []byte) bool {
	if len(n) == 11 {
		if strings.IndexByte("ABCDEFUVWXY", n[6]) < 0 {
			return false
		}
		n = append(n[:6:6], n[7:]...)
	}
	return len(n) == 10 && digits(n[:9], 9) && dmy(n) && "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(n[:9])%31] == n[9]
}

// france: 2A and 2B in the place of the department are Corsica.
func france(n []byte) bool {
	if len(n) != 15 {
		return false
	}
	var all [15]byte
	copy(all[:], n)
	less := 0
	if n[5] == 'A' || n[5] == 'B' {
		less = 1_000_000 * (1 + int(n[5]-'A'))
		all[5] = '0'
	}
	if !digits(all[:], 15) || all[0] < '1' || all[0] > '4' {
		return false
	}
	month := number(all[3:5])
	return (month >= 1 && month <= 12 || month >= 20 && month <= 42) && 97-(number(all[:13])-less)%97 == number(all[13:])
}

func frenchTax(n []byte) bool {
	return digits(n, 13) && n[0] <= '3' && number(n[:10])%511 == number(n[10:])
}

func nationalInsurance(n []byte) bool {
	if len(n) != 9 || !isLetter(n[0]) || !isLetter(n[1]) || !digits(n[2:8], 6) || n[8] < 'A' || n[8] > 'D' {
		return false
	}
	if strings.IndexByte("DFIQUV", n[0]) >= 0 || strings.IndexByte("DFIOQUV", n[1]) >= 0 || same(n[2:8]) {
		return false
	}
	switch string(n[:2]) {
	case "BG", "GB", "KN", "NK", "NT", "TN", "ZZ":
		return false
	}
	return true
}

func nhs(n []byte) bool {
	return digits(n, 10) && !same(n) && complement(n, 10, 9, 8, 7, 6, 5, 4, 3, 2)
}

func britishTax(n []byte) bool {
	return digits(n, 10) && "21987654321"[weigh(n[1:], 6, 7, 8, 9, 10, 5, 4, 3, 2)%11] == n[0]
}

// britishLicence: surname, birthday with the year's tens before the month, initials.
// A woman's month is 50 more.
func britishLicence(n []byte) bool {
	if len(n) != 16 || !digits(n[5:11], 6) || !isLetter(n[0]) || !isLetter(n[11]) || !isDigit(n[13]) || !isLetter(n[14]) || !isLetter(n[15]) {
		return false
	}
	month, day := number(n[6:8]), number(n[8:10])
	return date(4, month%50, day) && month < 63
}

func greekTax(n []byte) bool {
	return digits(n, 9) && !same(n) && modulo(n, 11, 256, 128, 64, 32, 16, 8, 4, 2)
}

func hungarianHealth(n []byte) bool {
	return digits(n, 9) && !same(n) && modulo(n, 10, 3, 7, 3, 7, 3, 7, 3, 7)
}

func hungarianTax(n []byte) bool {
	return digits(n, 10) && n[0] == '8' && weigh(n, 1, 2, 3, 4, 5, 6, 7, 8, 9)%11 == at(n, 9)
}

func ireland(n []byte) bool {
	if len(n) < 8 || len(n) > 9 || !digits(n[:7], 7) || !isLetter(n[7]) {
		return false
	}
	sum := weigh(n, 8, 7, 6, 5, 4, 3, 2)
	if len(n) == 9 {
		if n[8] != 'W' && (n[8] < 'A' || n[8] > 'I') {
			return false
		}
		if n[8] != 'W' {
			sum += 9 * (int(n[8]-'A') + 1)
		}
	}
	return "WABCDEFGHIJKLMNOPQRSTUV"[sum%23] == n[7]
}

// iceland: the day of a company is 40 more.
func iceland(n []byte) bool {
	return digits(n, 10) && date(number(n[4:6]), number(n[2:4]), number(n[:2])%40) && (n[9] == '0' || n[9] == '9' || n[9] == '8') && complement(n, 3, 2, 7, 6, 5, 4, 3, 2)
}

// italy: characters at odd places count by a table of their own.
func italy(n []byte) bool {
	if len(n) != 16 || !digits(n[6:8], 2) || !digits(n[9:11], 2) || !digits(n[12:15], 3) || !isLetter(n[11]) {
		return false
	}
	if strings.IndexByte("ABCDEHLMPRST", n[8]) < 0 || number(n[9:11])%40 < 1 || number(n[9:11])%40 > 31 {
		return false
	}
	const odd = "BAFHJNPRTVCESULDGIMOQKWZYX" // the letter of the value that A (0), B (1), C … count
	sum := 0
	for i, c := range n[:15] {
		v := int(c - '0')
		if isLetter(c) {
			v = int(c - 'A')
		}
		if i%2 == 0 {
			v = int(odd[v] - 'A')
		}
		sum += v
	}
	return byte('A'+sum%26) == n[15]
}

// yugoslavia is the JMBG, still in use in its successors.
func yugoslavia(n []byte) bool {
	if !digits(n, 13) || !date(2000+number(n[5:7]), number(n[2:4]), number(n[:2])) || n[4] != '9' && n[4] != '0' {
		return false
	}
	return modulo11(n, 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
}

// modulo11 reports whether the digit behind the weighed ones is 11 less their sum
// modulo 11, eleven counting as 0.
func modulo11(n []byte, weights ...int) bool {
	c := (11 - weigh(n, weights...)%11) % 11
	return c < 10 && c == at(n, len(weights))
}

// luxembourg has two check digits, each over the first eleven.
func luxembourg(n []byte) bool {
	return digits(n, 13) && ymd8(n) && luhn(n[:12]) && verhoeff(append(n[:11:11], n[12]))
}

// latvia: numbers since 2017 begin with 32 to 39 and have no check.
func latvia(n []byte) bool {
	if !digits(n, 11) {
		return false
	}
	if n[0] == '3' && n[1] >= '2' {
		return !same(n[2:])
	}
	return dmy(n) && (1101-weigh(n, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))%11 == at(n, 10)
}

func netherlands(n []byte) bool {
	return digits(n, 9) && !same(n) && weigh(n, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0
}

// norway: the day of one who is no citizen is 40 more.
func norway(n []byte) bool {
	if !digits(n, 11) || !date(number(n[4:6]), number(n[2:4]), number(n[:2])%40) {
		return false
	}
	return complement(n, 3, 7, 6, 1, 8, 9, 4, 5, 2) && complement(n, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
}

// poland: the century is in the month.
func poland(n []byte) bool {
	return digits(n, 11) && date(4, number(n[2:4])%20, number(n[4:6])) && (weigh(n, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)+at(n, 10))%10 == 0
}

func polishTax(n []byte) bool {
	return digits(n, 10) && !same(n) && n[0] != '0' && weigh(n, 6, 5, 7, 2, 3, 4, 5, 6, 7)%11 == at(n, 9)
}

func portugal(n []byte) bool {
	if !digits(n, 9) || same(n) || n[0] == '0' || n[0] == '4' {
		return false
	}
	return (11-weigh(n, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11%10 == at(n, 8)
}

func portugueseSecurity(n []byte) bool {
	return digits(n, 11) && (n[0] == '1' || n[0] == '2') && 9-weigh(n, 29, 23, 19, 17, 13, 11, 7, 5, 3, 2)%10 == at(n, 10)
}

func romania(n []byte) bool {
	if !digits(n, 13) || n[0] == '0' || !date(number(n[1:3]), number(n[3:5]), number(n[5:7])) || number(n[7:9]) > 52 {
		return false
	}
	c := weigh(n, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
	return c == at(n, 12) || c == 10 && n[12] == '1'
}

func russianPension(n []byte) bool {
	return digits(n, 11) && !same(n) && weigh(n, 9, 8, 7, 6, 5, 4, 3, 2, 1)%101%100 == number(n[9:])
}

func russianTax(n []byte) bool {
	return digits(n, 12) && !same(n) && modulo(n, 11, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8) && modulo(n, 11, 3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
}

// sweden: the day of one who is no citizen is 60 more. The century may stand before
// it.
func sweden(n []byte) bool {
	if len(n) == 12 {
		if !digits(n, 12) || n[0] != '1' && n[0] != '2' {
			return false
		}
		n = n[2:]
	}
	return digits(n, 10) && date(number(n[:2]), number(n[2:4]), number(n[4:6])%60) && luhn(n)
}

func slovenianTax(n []byte) bool {
	if !digits(n, 8) || n[0] == '0' || same(n) {
		return false
	}
	c := 11 - weigh(n, 8, 7, 6, 5, 4, 3, 2)%11
	return c < 11 && c%10 == at(n, 7)
}

func turkey(n []byte) bool {
	if !digits(n, 11) || n[0] == '0' {
		return false
	}
	odd, even := weigh(n, 1, 0, 1, 0, 1, 0, 1, 0, 1), weigh(n, 0, 1, 0, 1, 0, 1, 0, 1)
	return ((odd*7-even)%10+10)%10 == at(n, 9) && (odd+even+at(n, 9))%10 == at(n, 10)
}

func ukraine(n []byte) bool {
	return digits(n, 10) && !same(n) && (weigh(n, -1, 5, 7, 9, 4, 6, 10, 5, 7)%11+11)%11%10 == at(n, 9)
}
