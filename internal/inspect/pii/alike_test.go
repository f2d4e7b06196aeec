package pii_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect"
)

// What stands in code, logs and tables by the thousand must not be taken for
// numbers of people.
func TestLookAlikesAreLeftAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	n := func(most int64) int64 { return r.Int64N(most) }
	at := func() int64 { return 1_600_000_000 + n(150_000_000) }
	e, _ := engine(t)
	for name, text := range map[string]func() string{
		"seconds":      func() string { return fmt.Sprintf(`"created_at": %d, "id": %d`, at(), n(1e9)) },
		"milliseconds": func() string { return fmt.Sprintf(`{"time":%d,"seq":%d}`, at()*1000+n(1000), n(1e6)) },
		"microseconds": func() string { return fmt.Sprintf("start=%d end=%d", at()*1e6+n(1e6), at()*1e6+n(1e6)) },
		"nanoseconds":  func() string { return fmt.Sprintf("ts %d level=info", at()*1e9+n(1e9)) },
		"dates": func() string {
			return fmt.Sprintf("20%02d-%02d-%02d %02d:%02d:%02d, %02d.%02d.20%02d", n(30), 1+n(12), 1+n(28), n(24), n(60), n(60), 1+n(28), 1+n(12), n(30))
		},
		"uuid": func() string {
			return fmt.Sprintf("id %08x-%04x-4%03x-a%03x-%012x", n(1<<32), n(1<<16), n(1<<12), n(1<<12), n(1<<48))
		},
		"hash": func() string { return fmt.Sprintf("commit %08x%016x and %09x", n(1<<32), n(1<<60), n(1<<36)) },
		"versions": func() string {
			return fmt.Sprintf("version %d.%d.%d.%d, v%d.%d.%d-rc.1, chrome/%d.0.%d.%d", n(30), n(30), n(300), n(250), n(9), n(20), n(20), n(130), n(250), n(250))
		},
		"orders": func() string {
			return fmt.Sprintf("order number %010d, invoice INV-%06d, ticket #%08d", n(1e10), n(1e6), n(1e8))
		},
		"shipment": func() string {
			return fmt.Sprintf("order %03d-%07d-%07d, tracking 1Z%016d", n(1e3), n(1e7), n(1e7), n(1e16))
		},
		"goods": func() string {
			return fmt.Sprintf("SKU C%07d EAN %013d ISBN 978-%d-%03d-%05d-%d", n(1e7), n(1e13), n(10), n(1e3), n(1e5), n(10))
		},
		"code": func() string { return fmt.Sprintf("const x = 0x%08x; y = %d; z := arr[%d]", n(1<<32), n(1e12), n(1e9)) },
		"networks": func() string {
			return fmt.Sprintf("127.0.0.1:%d, 10.%d.%d.%d, 192.168.%d.%d", n(65535), n(255), n(255), n(255), n(255), n(255))
		},
		"floats": func() string { return fmt.Sprintf("loss=%.16f acc=%.12f n=%d", r.Float64(), r.Float64()*100, n(1e8)) },
		"counts": func() string {
			return fmt.Sprintf("pid %d memory %d of %d, user id %d, account id %012d", n(1e5), n(1e10), n(1e11), n(1e9), n(1e12))
		},
		"ids": func() string {
			return fmt.Sprintf("message_id=%d channel %d arn:aws:iam::%012d:role/x", n(1e17)+1e18, n(1e17)+1e18, n(1e12))
		},
		"dump": func() string {
			return fmt.Sprintf("%08x  %02x %02x %02x %02x %02x %02x %02x %02x", n(1<<32), n(256), n(256), n(256), n(256), n(256), n(256), n(256), n(256))
		},
		"table": func() string {
			return strings.Trim(fmt.Sprint([]int64{n(1e4), n(1e4), n(1e4), n(1e4), n(1e4), n(1e4), n(1e4), n(1e4), n(1e4)}), "[]")
		},
		"packages": func() string {
			return fmt.Sprintf("npm i react@%d.%d.%d @types/node@%d user@host file@2x.png go get x.io/y@v1.%d.0", n(20), n(9), n(9), n(20), n(9))
		},
		"times": func() string {
			return fmt.Sprintf("%02d:%02d:%02d.%03d std::vector<a::b> %d:%d", n(24), n(60), n(60), n(1000), n(99), n(99))
		},
		"money": func() string {
			return fmt.Sprintf("$%d.%02d, EUR %d.%03d,%02d, %d %03d %03d", n(1e6), n(100), n(1e3), n(1e3), n(100), n(1e3), n(1e3), n(1e3))
		},
		"diff": func() string {
			return fmt.Sprintf("index %07x..%07x 100644\n@@ -%d,%d +%d,%d @@\n+%d\n-%d", n(1<<28), n(1<<28), n(999), n(99), n(999), n(99), n(1e10), n(1e10))
		},
	} {
		const texts = 300
		flagged := map[string]int{}
		all := 0
		for range texts {
			found := e.Scan([]byte(text()), inspect.Options{}).Matches
			for _, m := range found {
				flagged[m.Rule.ID]++
			}
			if len(found) > 0 {
				all++
			}
		}
		if all*100 > 2*texts {
			t.Errorf("%s: %d of %d texts: %v", name, all, texts, flagged)
		}
	}
}

// A body of nothing but numbers, valid ones too, takes time that grows with it
// and no faster, and is read to its end.
func TestNumbersByTheMillion(t *testing.T) {
	e, _ := engine(t)
	for _, one := range []string{"7", "1 ", "12 34 ", "123456789 ", "12-34-56/", "4:5:", "a@", "1.1.1.1.", "+49 (", "AB12 ", "((((((1", "00000000-"} {
		text := []byte(strings.Repeat(one, (1<<20)/len(one)))
		r := e.Scan(text, inspect.Options{})
		if r.Cut != "" || r.Scanned != len(text) {
			t.Errorf("%q: %d of %d bytes were read: %s", one, r.Scanned, len(text), r.Cut)
		}
	}
}
