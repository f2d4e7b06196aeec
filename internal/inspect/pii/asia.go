package pii

import "strings"

// Numbers of countries of Asia, Africa and Oceania.

func australianTax(n []byte) bool {
	return digits(n, 9) && !same(n) && weigh(n, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0
}

func australianHealth(n []byte) bool {
	return (digits(n, 10) || digits(n, 11)) && n[0] >= '2' && n[0] <= '6' && modulo(n, 10, 1, 3, 7, 9, 1, 3, 7, 9)
}

func australianBusiness(n []byte) bool {
	return digits(n, 11) && n[0] != '0' && (weigh(n, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

func china(n []byte) bool {
	return len(n) == 18 && digits(n[:17], 17) && n[0] >= '1' && n[0] <= '9' && ymd8(n[6:]) && mod11x2(n)
}

func egypt(n []byte) bool {
	return digits(n, 14) && (n[0] == '2' || n[0] == '3') && ymd(n[1:]) && number(n[7:9]) >= 1 && (number(n[7:9]) <= 35 || number(n[7:9]) == 88)
}

// hongKong: one letter counts as if a space stood before it.
func hongKong(n []byte) bool {
	if len(n) != 8 && len(n) != 9 {
		return false
	}
	sum, letters := 0, len(n)-7
	if letters == 1 {
		sum = 36 * 9
	}
	for i, c := range n[:len(n)-1] {
		v := int(c - '0')
		if i < letters != isLetter(c) {
			return false
		}
		if isLetter(c) {
			v = int(c-'A') + 10
		}
		sum += v * (len(n) - i)
	}
	c := int(n[len(n)-1] - '0')
	if n[len(n)-1] == 'A' {
		c = 10
	} else if c > 9 {
		return false
	}
	return (sum+c)%11 == 0
}

// indonesia: a woman's day is 40 more.
func indonesia(n []byte) bool {
	return digits(n, 16) && n[0] != '0' && date(number(n[10:12]), number(n[8:10]), number(n[6:8])%40) && string(n[12:]) != "0000"
}

func israel(n []byte) bool { return digits(n, 9) && !same(n) && luhn(n) }

// indianTax: the fourth letter is the kind of holder.
func indianTax(n []byte) bool {
	if len(n) != 10 || !digits(n[5:9], 4) || string(n[5:9]) == "0000" || strings.IndexByte("ABCFGHJLPT", n[3]) < 0 {
		return false
	}
	for _, c := range n[:5] {
		if !isLetter(c) {
			return false
		}
	}
	return isLetter(n[9])
}

func japan(n []byte) bool {
	if !digits(n, 12) || same(n) {
		return false
	}
	c := 11 - weigh(n, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11
	if c > 9 {
		c = 0
	}
	return c == at(n, 11)
}

// korea: numbers given since October 2020 need not have the check.
func korea(n []byte) bool {
	if !digits(n, 13) || !ymd(n) {
		return false
	}
	return (11-weigh(n, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11)%10 == at(n, 12)
}

func kazakhstan(n []byte) bool {
	if !digits(n, 12) || !ymd(n) || n[6] < '1' || n[6] > '6' {
		return false
	}
	c := weigh(n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11) % 11
	if c == 10 {
		c = weigh(n, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2) % 11
	}
	return c == at(n, 11)
}

// malaysia: date and place of birth; there is no check.
func malaysia(n []byte) bool {
	return digits(n, 12) && ymd(n) && string(n[6:8]) != "00" && string(n[6:8]) != "17" && string(n[8:]) != "0000"
}

func newZealandTax(n []byte) bool {
	if len(n) == 8 {
		n = append([]byte{'0'}, n...)
	}
	if !digits(n, 9) || number(n) < 10_000_000 || number(n) > 150_000_000 {
		return false
	}
	c := (11 - weigh(n, 3, 2, 7, 6, 5, 4, 3, 2)%11) % 11
	if c == 10 {
		c = (11 - weigh(n, 7, 4, 3, 2, 5, 2, 7, 6)%11) % 11
	}
	return c < 10 && c == at(n, 8)
}

// newZealandHealth is the form with a digit at its end. I and O are no letters
// there.
func newZealandHealth(n []byte) bool {
	if len(n) != 7 || !digits(n[3:], 4) {
		return false
	}
	sum := 0
	for i, c := range n[:3] {
		v := strings.IndexByte("ABCDEFGHJKLMNPQRSTUVWXYZ", c)
		if v < 0 {
			return false
		}
		sum += (v + 1) * (7 - i)
	}
	sum += weigh(n[3:], 4, 3, 2)
	return sum%11 != 0 && (11-sum%11)%10 == at(n, 6)
}

func singapore(n []byte) bool {
	if len(n) != 9 || !digits(n[1:8], 7) {
		return false
	}
	sum := weigh(n[1:], 2, 7, 6, 5, 4, 3, 2)
	switch n[0] {
	case 'S':
		return "JZIHGFEDCBA"[sum%11] == n[8]
	case 'T':
		return "JZIHGFEDCBA"[(sum+4)%11] == n[8]
	case 'F':
		return "XWUTRQPNMLK"[sum%11] == n[8]
	case 'G':
		return "XWUTRQPNMLK"[(sum+4)%11] == n[8]
	case 'M':
		return "XWUTRQPNJLK"[10-(sum+3)%11] == n[8]
	}
	return false
}

func thailand(n []byte) bool {
	return digits(n, 13) && n[0] != '0' && !same(n) && (11-weigh(n, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == at(n, 12)
}

// taiwan: the letter is a place, of two digits.
func taiwan(n []byte) bool {
	if len(n) != 10 || !isLetter(n[0]) || !digits(n[1:], 9) || strings.IndexByte("1289", n[1]) < 0 {
		return false
	}
	v := strings.IndexByte("ABCDEFGHJKLMNPQRSTUVXYWZIO", n[0]) + 10
	return (v/10+v%10*9+weigh(n[1:], 8, 7, 6, 5, 4, 3, 2, 1, 1))%10 == 0
}

func southAfrica(n []byte) bool {
	return digits(n, 13) && ymd(n) && n[10] <= '2' && luhn(n)
}
