package rulebook

import (
	"crypto/rand"
	"fmt"
	"hash/crc32"
	"strings"
)

// Bait is a new canary: a value that opens nothing, and what to plant.
type Bait struct {
	Value string // the text that is found from now on
	Plant string // lines to put somewhere, which hold the value
	Where string // a sentence: where
}

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	base62  = digits + letters + "abcdefghijklmnopqrstuvwxyz"
)

// forms are what a canary can look like.
var forms = []struct {
	name string
	make func() Bait
}{
	{"github", githubBait},
	{"aws", awsBait},
	{"database", databaseBait},
}

// Forms names the forms of canaries; the first is the usual one.
func Forms() (names []string) {
	for _, f := range forms {
		names = append(names, f.name)
	}
	return names
}

// NewBait makes a random canary of a form; "" is the usual one.
func NewBait(form string) (Bait, error) {
	for _, f := range forms {
		if f.name == form || form == "" {
			return f.make(), nil
		}
	}
	return Bait{}, refuse(400, "form", "%q is no form of canary: %s", form, strings.Join(Forms(), ", "))
}

// githubBait is a personal access token with the checksum that real ones end
// with.
func githubBait() Bait {
	body := pick(base62, 30)
	sum := crc32.ChecksumIEEE([]byte(body))
	tail := make([]byte, 6)
	for i := len(tail) - 1; i >= 0; i-- {
		tail[i] = base62[sum%62]
		sum /= 62
	}
	value := "ghp_" + body + string(tail)
	return Bait{value, "GITHUB_TOKEN=" + value, "in a file that no work needs, such as ~/.config/gh-old/.env"}
}

func awsBait() Bait {
	value := "AKIA" + pick(letters+"234567", 16)
	plant := fmt.Sprintf("[backup-admin]\naws_access_key_id = %s\naws_secret_access_key = %s", value, pick(base62+"+/", 40))
	return Bait{value, plant, "in a profile that nobody uses, at the end of ~/.aws/credentials"}
}

func databaseBait() Bait {
	value := pick(base62, 24)
	return Bait{value, "BILLING_DB=postgres://billing:" + value + "@db-7.internal:5432/billing", "in a settings file that no work needs, such as deploy/billing.env"}
}

// pick gives n random characters of an alphabet of at most 256.
func pick(alphabet string, n int) string {
	most := 256 / len(alphabet) * len(alphabet) // beyond it some would be likelier
	out := make([]byte, 0, n)
	for one := make([]byte, 1); len(out) < n; {
		rand.Read(one) // never fails: crypto/rand ends the program instead
		if int(one[0]) < most {
			out = append(out, alphabet[int(one[0])%len(alphabet)])
		}
	}
	return string(out)
}
