// Package plain knows the characters that people see as others, or not at all:
// those that are drawn as nothing, as a blank, or like a letter or a digit of
// ASCII. It looks at one character at a time, and never judges why it stands there.
package plain

import "strings"

// Of gives the ASCII character that a rune stands for: that which a Unicode tag or
// a variation selector carries, which a letter in another style is, or which a
// Cyrillic or Greek letter looks like; ' ' for blanks. 0 stands for nothing at all,
// such as a space of no width or a mark on the letter before. The second result is
// false for any other rune.
func Of(r rune) (c byte, ok bool) {
	if r < 0 || int(r>>pageBits) >= len(pages) {
		return 0, false
	}
	p := pages[r>>pageBits]
	if p == nil || p[r&pageMask] == none {
		return 0, false
	}
	return p[r&pageMask] &^ nothing, true
}

// Begins reports whether a byte is the first of such a rune in UTF-8.
func Begins(c byte) bool { return begins[c] }

var begins [256]bool // made with pages

// The entries of a page: none, a character, or nothing.
const (
	none    = 0
	nothing = 0x80
)

const (
	pageBits = 7
	pageMask = 1<<pageBits - 1
)

type page [1 << pageBits]byte

// pages has all entries, by the upper bits of a rune; nil: there are none.
var pages = func() (t [0xE0200 >> pageBits]*page) {
	set := func(r rune, c byte) {
		if t[r>>pageBits] == nil {
			t[r>>pageBits] = new(page)
		}
		t[r>>pageBits][r&pageMask] = c
		begins[string(r)[0]] = true
	}
	for _, x := range unseen {
		for r := x[0]; r <= x[1]; r++ {
			set(r, nothing)
		}
	}
	for _, r := range blanks {
		set(r, ' ')
	}
	for _, x := range rows {
		for i := range len(x.as) {
			set(x.first+rune(i), x.as[i])
		}
	}
	for as, runes := range alike {
		for _, r := range runes {
			set(r, as)
		}
	}
	for c := byte(' '); c <= '~'; c++ {
		set(0xE0000+rune(c), c)    // tags
		set(0xE0100+rune(c)-16, c) // bytes in variation selectors
	}
	return t
}()

// unseen are Default_Ignorable_Code_Point (Unicode, chapter 5.21) and the marks that
// are drawn onto Latin letters.
var unseen = [][2]rune{
	{0xAD, 0xAD}, {0x300, 0x36F}, {0x61C, 0x61C}, {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
	{0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x206F}, {0x20D0, 0x20FF}, {0x3164, 0x3164}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
	{0xFFA0, 0xFFA0}, {0x1D173, 0x1D17A}, {0xE0000, 0xE007F}, {0xE0100, 0xE01EF},
}

// blanks are the spaces (Zs) beyond ASCII, and the pattern of Braille without dots.
const blanks = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\u2800"

const (
	capital = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	small   = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

// rows are letters and digits in another style that stand in order: full-width,
// mathematical, in circles, brackets and squares.
var rows = []struct {
	first rune
	as    string
}{
	{0xFF01, "!\"#$%&'()*+,-./" + digits + ":;<=>?@" + capital + "[\\]^_`" + small + "{|}~"},
	{0x1D400, strings.Repeat(capital+small, 13)}, {0x1D7CE, strings.Repeat(digits, 5)},
	{0x249C, small}, {0x24B6, capital + small}, {0x2460, digits[1:]},
	{0x1F110, capital}, {0x1F130, capital}, {0x1F150, capital}, {0x1F170, capital}, {0x1F1E6, capital},
}

// alike are letters that stand for an ASCII letter or look like it and stand
// in no order: Cyrillic and Greek ones that nobody can tell from Latin ones (Unicode
// Technical Standard 39 calls them confusable), small capitals, superscripts, and
// the letters of mathematics that have a place of their own.
var alike = map[byte]string{
	'a': "аαᵃ", 'b': "ᵇ", 'c': "сᶜ", 'd': "ԁᵈ", 'e': "еᵉℯ", 'f': "ᶠ", 'g': "ᵍℊ", 'h': "һʰℎ", 'i': "іιⁱ", 'j': "јʲ", 'k': "ᵏ", 'l': "ӏˡ", 'm': "ᵐ",
	'n': "ⁿ", 'o': "оοᵒℴ", 'p': "рρᵖ", 'q': "ԛ", 'r': "ʳ", 's': "ѕˢſ", 't': "ᵗ", 'u': "ᵘ", 'v': "νᵛ", 'w': "ԝʷ", 'x': "хˣ", 'y': "уʸ", 'z': "ᶻ",
	'A': "АΑᴀᴬ", 'B': "ВΒʙᴮℬ", 'C': "Сᴄℂℭ", 'D': "ᴅᴰ", 'E': "ЕΕᴇᴱℰ", 'F': "ꜰℱ", 'G': "ɢᴳ", 'H': "НΗʜᴴℋℌℍ", 'I': "ІΙɪᴵℐℑ", 'J': "Јᴊᴶ", 'K': "КΚᴋᴷ",
	'L': "ʟᴸℒ", 'M': "МΜᴍᴹℳ", 'N': "Νɴᴺℕ", 'O': "ОΟᴏᴼ", 'P': "РΡᴘᴾℙ", 'Q': "ℚꞯ", 'R': "ʀᴿℛℜℝ", 'S': "Ѕꜱ", 'T': "ТΤᴛᵀ", 'U': "ᴜᵁ", 'V': "ᴠⱽ", 'W': "ᴡᵂ",
	'X': "ХΧ", 'Y': "ʏ", 'Z': "ᴢℤℨ",
}
