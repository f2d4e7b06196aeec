package pii

import "strings"

// Numbers of American countries.

func argentina(n []byte) bool {
	if !digits(n, 11) {
		return false
	}
	switch string(n[:2]) {
	case "20", "23", "24", "25", "26", "27", "30", "33", "34":
		return (weigh(n, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)+at(n, 10))%11 == 0
	}
	return false
}

func brazil(n []byte) bool {
	return digits(n, 11) && !same(n) && tenth(n, 10, 9, 8, 7, 6, 5, 4, 3, 2) && tenth(n, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)
}

func brazilianCompany(n []byte) bool {
	return digits(n, 14) && !same(n) && tenth(n, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2) && tenth(n, 6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
}

// tenth reports whether the digit behind the weighed ones is their sum times ten,
// modulo 11, ten counting as 0.
func tenth(n []byte, weights ...int) bool {
	return weigh(n, weights...)*10%11%10 == at(n, len(weights))
}

// chile: the check is K for ten.
func chile(n []byte) bool {
	if len(n) < 8 || len(n) > 9 || !digits(n[:len(n)-1], len(n)-1) || n[0] == '0' || same(n[:len(n)-1]) {
		return false
	}
	sum, last := 0, len(n)-1
	for i := range last {
		sum += at(n, last-1-i) * (2 + i%6)
	}
	return "0K987654321"[sum%11] == n[last]
}

func colombia(n []byte) bool {
	if !digits(n, 10) || same(n) {
		return false
	}
	return "01987654321"[weigh(n, 41, 37, 29, 23, 19, 17, 13, 7, 3)%11] == n[9]
}

func ecuador(n []byte) bool {
	province := 0
	if digits(n, 10) {
		province = number(n[:2])
	}
	return (province >= 1 && province <= 24 || province == 30) && n[2] < '6' && luhn(n)
}

const curpAlphabet = "0123456789ABCDEFGHIJKLMN.OPQRSTUVWXYZ" // . for Ñ

// mexico: name, birthday, sex, state, consonants, a letter or digit for the
// century, the check.
func mexico(n []byte) bool {
	if len(n) != 18 || !digits(n[4:10], 6) || !ymd(n[4:]) || !isDigit(n[17]) {
		return false
	}
	if strings.IndexByte("HMX", n[10]) < 0 {
		return false
	}
	sum := 0
	for i, c := range n[:17] {
		v := strings.IndexByte(curpAlphabet, c)
		if v < 0 || (i < 4 || i > 10 && i < 16) && !isLetter(c) {
			return false
		}
		sum += v * (18 - i)
	}
	return (10-sum%10)%10 == at(n, 17)
}

const rfcAlphabet = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ"

func mexicanTax(n []byte) bool {
	if len(n) != 13 || !digits(n[4:10], 6) || !ymd(n[4:]) {
		return false
	}
	sum := 0
	for i, c := range n[:12] {
		sum += strings.IndexByte(rfcAlphabet, c) * (13 - i)
	}
	return "0A987654321"[sum%11] == n[12]
}

func mexicanBank(n []byte) bool {
	if !digits(n, 18) || same(n) {
		return false
	}
	sum := 0
	for i := range 17 {
		sum += at(n, i) * [...]int{3, 7, 1}[i%3] % 10
	}
	return (10-sum%10)%10 == at(n, 17)
}

// socialSecurity: numbers of documents and advertisements are no one's.
func socialSecurity(n []byte) bool {
	if !digits(n, 9) || same(n) || n[0] == '9' {
		return false
	}
	switch string(n) {
	case "078051120", "219099999", "123456789", "987654321":
		return false
	}
	area := string(n[:3])
	return area != "000" && area != "666" && string(n[3:5]) != "00" && string(n[5:]) != "0000"
}

func americanTax(n []byte) bool {
	if !digits(n, 9) || n[0] != '9' {
		return false
	}
	group := number(n[3:5])
	return group >= 50 && group <= 99 && group != 66 && group != 67 && group != 68 && group != 69 && group != 89 && group != 93
}

// npi is a number of ISO 7812 with the issuer left out.
func npi(n []byte) bool {
	return digits(n, 10) && (n[0] == '1' || n[0] == '2') && luhn(append([]byte("80840"), n...))
}

// medicare: digits and letters at their places, but no S, L, O, I, B, Z.
func medicare(n []byte) bool {
	const form = "CANNANNAANN" // of which 3 and 6 may be letters
	if len(n) != 11 || n[0] == '0' {
		return false
	}
	for i, c := range n {
		letter := isLetter(c)
		if letter && strings.IndexByte("SLOIBZ", c) >= 0 {
			return false
		}
		either := i == 2 || i == 5
		if !either && letter != (form[i] == 'A') {
			return false
		}
	}
	return true
}

func dea(n []byte) bool {
	if len(n) != 9 || !isLetter(n[0]) || !digits(n[2:], 7) {
		return false
	}
	d := n[2:]
	return (weigh(d, 1, 0, 1, 0, 1)+2*weigh(d, 0, 1, 0, 1, 0, 1))%10 == at(d, 6)
}

func uruguay(n []byte) bool {
	return digits(n, 8) && !same(n) && (weigh(n, 2, 9, 8, 7, 6, 3, 4)+at(n, 7))%10 == 0
}
