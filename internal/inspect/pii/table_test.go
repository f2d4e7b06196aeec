package pii_test

import (
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// The texts and values of these tables are stored rotated, as the examples in
// the rules are.

func TestValuesAreFoundAsTheyStand(t *testing.T) {
	e, _ := engine(t)
	for _, test := range []struct{ name, rule, text, value string }{
		{"email in brackets", "email", "Sebz: N <n.oret@yvaqdivfg-oltt.fr>, o", "n.oret@yvaqdivfg-oltt.fr"},
		{"email at the end of a sentence", "email", "nfx wb@hav-xbrya.qr.", "wb@hav-xbrya.qr"},
		{"iban in groups", "iban", "VONA: TO37 JRFG 6789 0143 2109 87, OVP", "TO37 JRFG 6789 0143 2109 87"},
		{"iban in json", "iban", "{\"vona\":\"AY46NOAN5962619855\"}", "AY46NOAN5962619855"},
		{"iban with a letter at its end", "iban", "ZG39 ZNYG 5665 5556 7890 ZGYP NFG5 56F", "ZG39 ZNYG 5665 5556 7890 ZGYP NFG5 56F"},
		{"card in hyphens", "card", "9084-4396-2146-9931 67/72", "9084-4396-2146-9931"},
		{"card behind a word", "card", "cna=9084439621469931&pip=6", "9084439621469931"},
		{"phone with parentheses", "phone-form", "qvny (050) 943-3932 k138 abj", "(050) 943-3932 k138"},
		{"phone, international", "phone-form", "+94 (85) 456-375", "+94 (85) 456-375"},
		{"phone behind its word", "phone", "Gry.: 585 456375", "585 456375"},
		{"ssn behind a name in code", "us-ssn-plain", "phfgbzreFfa = 081878510", "081878510"},
		{"ssn in a column name", "us-ssn-plain", "phfgbzre_ffa: 081878510", "081878510"},
		{"ssn, its word behind it", "us-ssn-plain", "081878510 (FFA)", "081878510"},
		{"number behind Chinese", "cn-resident-id", "身份证号66565064946786557K。", "66565064946786557K"},
		{"ipv4 with a port", "ipv4", "uggc://31.786.30.648:3535/k", "31.786.30.648"},
		{"ipv6 in brackets", "ipv6", "uggcf://[7n55:6905:9556:374::22]:998/", "7n55:6905:9556:374::22"},
		{"mac", "mac", "8P:77:SO:46:5N:2R", "8P:77:SO:46:5N:2R"},
	} {
		text, want := inspect.Rotate(test.text), inspect.Rotate(test.value)
		ok := false
		for _, m := range e.Scan([]byte(text), inspect.Options{}).Matches {
			ok = ok || string(m.Value) == want && m.Rule.ID == test.rule
		}
		if !ok {
			t.Errorf("%s: %s does not find the value", test.name, test.rule)
		}
	}
}

func TestWhatOnlyLooksLikeANumberIsLeftAlone(t *testing.T) {
	e, _ := engine(t)
	for _, test := range []struct{ name, text string }{
		{"a word in a word", "nffa 081878510"},
		{"a word in a word, and one that begins alike", "nffa bire ffu 081878510"},
		{"a longer word", "ffanc 081878510"},
		{"a word too far away", "ffa naq fb ba naq fb ba naq fb ba naq fb ba naq fb ba naq fb ba naq fb ba naq fb ba 081878510"},
		{"a date behind a telephone", "cubar 70.66.7571, 7571-66-70"},
		{"a clock", "cubar ng 65:85:55"},
		{"host and path", "fpc k qrcybl@ohvyq.npzr.vb:/fei"},
		{"an address of documents", "wb@rknzcyr.bet wb@znvy.rknzcyr.pbz"},
		{"a decorator", "frys@cebcregl.k"},
		{"an image", "vpba@7k.cat"},
		{"a fingerprint", "FUN 8p:77:so:46:5n:2r:66:77:88:99:00:11:22:33:44:55"},
		{"a scope in C++", "fgq::qrp::nop"},
		{"a row of numbers", "9084 4396 2146 9931 6789 3210 9876 4444"},
		{"iban of another length", "TO37 JRFG 6789 0143 2109 8"},
		{"card of no issuer", "4444 4444 4444 4440"},
		{"an amount behind a telephone", "cubar ovyy 6789012.34"},
		{"version", "puebzr/675.5.1544.654 naq 7.0.9.97"},
	} {
		for _, m := range e.Scan([]byte(inspect.Rotate(test.text)), inspect.Options{}).Matches {
			t.Errorf("%s: %s found %s", test.name, m.Rule.ID, inspect.Rotate(string(m.Value)))
		}
	}
}
