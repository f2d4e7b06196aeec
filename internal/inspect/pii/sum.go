package pii

// The checksums that many numbers share. Each is given the number without
// separators, letters in upper case, and tells whether it is valid; none takes a
// number of other characters than it knows.

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }

// digits reports whether n is n digits long and of nothing else.
func digits(n []byte, length int) bool {
	for _, c := range n {
		if !isDigit(c) {
			return false
		}
	}
	return len(n) == length
}

func at(n []byte, i int) int { return int(n[i] - '0') }

// number is the value of at most 18 digits.
func number(n []byte) (v int) {
	for _, c := range n {
		v = v*10 + int(c-'0')
	}
	return v
}

// weigh is the sum of the first digits, each times its weight.
func weigh(n []byte, weights ...int) (sum int) {
	for i, w := range weights {
		sum += at(n, i) * w
	}
	return sum
}

// luhn is ISO/IEC 7812-1, annex B, for any number of digits.
func luhn(n []byte) bool {
	sum := 0
	for i := range n {
		d := at(n, len(n)-1-i)
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return len(n) > 1 && sum%10 == 0
}

// verhoeff is J. Verhoeff's dihedral check (1969).
func verhoeff(n []byte) bool {
	c := 0
	for i := range n {
		d := at(n, len(n)-1-i)
		if d < 0 || d > 9 {
			return false
		}
		for range i % 8 {
			d = int(verhoeffStep[d] - '0')
		}
		c = dihedral(c, d)
	}
	return len(n) > 1 && c == 0
}

const verhoeffStep = "1576283094" // the permutation that is applied once for each place

// dihedral multiplies in the group of a pentagon's symmetries.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b)%5
	case b < 5:
		return 5 + (a-b)%5
	}
	return (a - b + 5) % 5
}

// mod11x10 is ISO 7064 MOD 11,10.
func mod11x10(n []byte) bool {
	if !digits(n, len(n)) || len(n) < 2 {
		return false
	}
	p := 10
	for i := range len(n) - 1 {
		if p = (p + at(n, i)) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (p+at(n, len(n)-1))%10 == 1
}

// mod11x2 is ISO 7064 MOD 11-2: the last character may be X for ten.
func mod11x2(n []byte) bool {
	if len(n) < 2 || !digits(n[:len(n)-1], len(n)-1) {
		return false
	}
	p := 0
	for _, c := range n[:len(n)-1] {
		p = (p + int(c-'0')) * 2 % 11
	}
	last := n[len(n)-1]
	d := int(last - '0')
	if last == 'X' {
		d = 10
	} else if !isDigit(last) {
		return false
	}
	return (p+d)%11 == 1
}

// mod97 is ISO 7064 MOD 97-10 of letters and digits; a letter counts as two
// digits.
func mod97(parts ...[]byte) int {
	m := 0
	for _, n := range parts {
		for _, c := range n {
			if isDigit(c) {
				m = (m*10 + int(c-'0')) % 97
			} else {
				m = (m*100 + int(c-'A') + 10) % 97
			}
		}
	}
	return m
}

// date reports whether day, month and year, of which the last may be of two
// digits, are a date.
func date(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	most := []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
	if month == 2 && (year%4 != 0 || year%100 == 0 && year > 99 && year%400 != 0) {
		most = 28
	}
	return day <= most
}

// ymd reads a date of six digits, the year first; dmy, the day first.
func ymd(n []byte) bool { return date(number(n[:2]), number(n[2:4]), number(n[4:6])) }
func dmy(n []byte) bool { return date(number(n[4:6]), number(n[2:4]), number(n[:2])) }

// ymd8 reads a date of eight digits of a living person or of one who may have
// been.
func ymd8(n []byte) bool {
	y := number(n[:4])
	return y >= 1880 && y <= 2100 && date(y, number(n[4:6]), number(n[6:8]))
}

// same reports whether all characters are the same.
func same(n []byte) bool {
	for _, c := range n {
		if c != n[0] {
			return false
		}
	}
	return true
}

// notCounted reports whether the digits are no row that somebody counted up or down.
func notCounted(n []byte) bool {
	var last, up, down, count int
	for _, c := range n {
		if !isDigit(c) {
			continue
		}
		d := int(c - '0')
		switch {
		case count > 0 && d == (last+1)%10:
			up++
		case count > 0 && d == (last+9)%10:
			down++
		}
		last, count = d, count+1
	}
	return count == 1 || count > 1 && up < count-1 && down < count-1
}
