package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"strings"
)

// Page is a web page that stands for itself: one file, that opens without a
// network and asks for nothing.
type Page struct {
	Title  string
	Script []byte // a module, whole: it imports nothing
	Style  []byte
	Data   any // what the script finds as JSON in the element "data"
}

// HTML writes a page. Its policy lets in this script and this style and pictures
// that are in the data; whatever the data says, it stays data.
func HTML(w io.Writer, p Page) error {
	if holdsAny(p.Script, "</script", "<!--", "\r", "\x00") || holdsAny(p.Style, "</style", "\r", "\x00") {
		return errors.New("writing a page: its script or style has what would end it early, or would be read as something else")
	}
	data, err := json.Marshal(p.Data) // with <, > and & as escapes
	if err != nil {
		return fmt.Errorf("writing a page: %w", err)
	}
	policy := "default-src 'none'; script-src " + hashed(p.Script) + "; style-src " + hashed(p.Style) + "; img-src data:; base-uri 'none'; form-action 'none'"
	for _, part := range [][]byte{
		[]byte("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"" + policy +
			"\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>" + html.EscapeString(p.Title) + "</title>\n<style>"),
		p.Style,
		[]byte("</style>\n</head>\n<body>\n<div id=\"root\"></div>\n<script type=\"application/json\" id=\"data\">"),
		data,
		[]byte("</script>\n<script type=\"module\">"),
		p.Script,
		[]byte("</script>\n</body>\n</html>\n"),
	} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("writing a page: %w", err)
		}
	}
	return nil
}

// hashed is how a policy names one inline script or style (CSP Level 3, section
// 2.3.1).
func hashed(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func holdsAny(text []byte, words ...string) bool {
	lower := bytes.ToLower(text)
	for _, w := range words {
		if bytes.Contains(lower, []byte(strings.ToLower(w))) {
			return true
		}
	}
	return false
}
