package pii

import "strings"

// vat reports whether a number is one for value added tax in the European Union or the
// United Kingdom, with its country before it: each has a check of its own.
func vat(n []byte) bool {
	if len(n) < 4 {
		return false
	}
	valid := vats[string(n[:2])]
	return valid != nil && valid(n[2:])
}

var vats = map[string]func(n []byte) bool{
	"AT": austrianVAT,
	"BE": func(n []byte) bool { return digits(n, 10) && n[0] < '2' && 97-number(n[:8])%97 == number(n[8:]) },
	"BG": bulgarianVAT,
	"CY": cypriotVAT,
	"CZ": czechVAT,
	"DE": func(n []byte) bool { return digits(n, 9) && n[0] != '0' && mod11x10(n) },
	"DK": func(n []byte) bool { return digits(n, 8) && n[0] != '0' && weigh(n, 2, 7, 6, 5, 4, 3, 2, 1)%11 == 0 },
	"EE": func(n []byte) bool { return digits(n, 9) && !same(n) && weigh(n, 3, 7, 1, 3, 7, 1, 3, 7, 1)%10 == 0 },
	"EL": greekTax,
	"ES": spanishVAT,
	"FI": func(n []byte) bool { return digits(n, 8) && !same(n) && weigh(n, 7, 9, 10, 5, 8, 4, 2, 1)%11 == 0 },
	"FR": func(n []byte) bool {
		return digits(n, 11) && luhn(n[2:]) && (12+3*(number(n[2:])%97))%97 == number(n[:2])
	},
	"GB": britishVAT,
	"HR": func(n []byte) bool { return digits(n, 11) && mod11x10(n) },
	"HU": func(n []byte) bool { return digits(n, 8) && !same(n) && weigh(n, 9, 7, 3, 1, 9, 7, 3, 1)%10 == 0 },
	"IE": ireland,
	"IT": func(n []byte) bool { return digits(n, 11) && luhn(n) && !same(n) },
	"LT": lithuanianVAT,
	"LU": func(n []byte) bool { return digits(n, 8) && number(n[:6])%89 == number(n[6:]) },
	"LV": func(n []byte) bool {
		return digits(n, 11) && n[0] >= '4' && weigh(n, 9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)%11 == 3
	},
	"MT": func(n []byte) bool { return digits(n, 8) && n[0] != '0' && weigh(n, 3, 4, 6, 7, 8, 9, 10, 1)%37 == 0 },
	"NL": func(n []byte) bool {
		return len(n) == 12 && n[9] == 'B' && digits(n[10:], 2) && (netherlands(n[:9]) || mod97([]byte("NL"), n) == 1)
	},
	"PL": polishTax,
	"PT": portugal,
	"RO": romanianVAT,
	"SE": func(n []byte) bool { return digits(n, 12) && luhn(n[:10]) && number(n[10:]) > 0 },
	"SI": slovenianTax,
	"SK": func(n []byte) bool { return digits(n, 10) && n[0] != '0' && number(n)%11 == 0 },
}

func austrianVAT(n []byte) bool {
	if len(n) != 9 || n[0] != 'U' || !digits(n[1:], 8) {
		return false
	}
	sum := 4
	for i := range 7 {
		d := at(n, i+1) * (1 + i%2)
		sum += d/10 + d%10
	}
	return (10-sum%10)%10 == at(n, 8)
}

func bulgarianVAT(n []byte) bool {
	if !digits(n, 9) || same(n) {
		return false
	}
	sum := weigh(n, 1, 2, 3, 4, 5, 6, 7, 8) % 11
	if sum == 10 {
		sum = weigh(n, 3, 4, 5, 6, 7, 8, 9, 10) % 11 % 10
	}
	return sum == at(n, 8)
}

func cypriotVAT(n []byte) bool {
	if len(n) != 9 || !digits(n[:8], 8) {
		return false
	}
	sum := 0
	for i := range 8 {
		d := at(n, i)
		if i%2 == 0 {
			d = [10]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21}[d]
		}
		sum += d
	}
	return n[8] == 'A'+byte(sum%26)
}

// czechVAT: a rest of naught counts as one, of ten as naught.
func czechVAT(n []byte) bool {
	if !digits(n, 8) || same(n) {
		return false
	}
	check := (11 - weigh(n, 8, 7, 6, 5, 4, 3, 2)%11) % 11
	if check == 0 {
		check = 1
	}
	return check%10 == at(n, 7)
}

// spanishVAT is a person's number, or a company's: a letter, seven digits, and a digit
// or letter for their check.
func spanishVAT(n []byte) bool {
	if spain(n) {
		return true
	}
	if len(n) != 9 || strings.IndexByte("ABCDEFGHJNPQRSUVW", n[0]) < 0 || !digits(n[1:8], 7) {
		return false
	}
	sum := 0
	for i := 1; i < 8; i++ {
		d := at(n, i) * (1 + i%2)
		sum += d/10 + d%10
	}
	check := (10 - sum%10) % 10
	return n[8] == '0'+byte(check) || n[8] == "JABCDEFGHI"[check]
}

func britishVAT(n []byte) bool {
	if !digits(n, 9) || same(n) {
		return false
	}
	sum := weigh(n, 8, 7, 6, 5, 4, 3, 2) + number(n[7:])
	return sum%97 == 0 || (sum+55)%97 == 0
}

func lithuanianVAT(n []byte) bool {
	if !digits(n, 9) || n[7] != '1' {
		return false
	}
	sum := weigh(n, 1, 2, 3, 4, 5, 6, 7, 8) % 11
	if sum == 10 {
		sum = weigh(n, 3, 4, 5, 6, 7, 8, 9, 1) % 11 % 10
	}
	return sum == at(n, 8)
}

// romanianVAT has six digits at least here: the shorter ones are no more than a number.
func romanianVAT(n []byte) bool {
	if len(n) < 6 || len(n) > 10 || !digits(n, len(n)) || n[0] == '0' {
		return false
	}
	weights := []int{7, 5, 3, 2, 1, 7, 5, 3, 2}
	return weigh(n, weights[10-len(n):]...)*10%11%10 == at(n, len(n)-1)
}
