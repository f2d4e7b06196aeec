package injection

import (
	"bytes"
	"regexp"
)

// addressed are words with which a hidden text speaks to a model rather than to
// whoever edits a page.
var addressed = []string{
	"ignore ", "disregard", " instruction", "override", "system prompt", "assistant", "language model", " llm", "chatgpt", "gpt-", "claude", "gemini",
	"copilot", "ai agent", "ai model", "ai:", "you are now", "do not tell", "do not mention",
	"do not inform", "do not reveal", "print the following", "respond with", "reply with", "say that", "exfiltrate", "send it", "send this", "send all",
	"send the", "send your", "forward all", "forward this", "forward the", "curl ", "wget ", "execute the",
}

// Bounds of a hidden text, in bytes. One without an end may be cut off.
const (
	mostHidden = 2048
	mostOpen   = 512
)

// comments finds comments of HTML and Markdown that speak to the model.
func comments(text []byte, _, end int, report func(start, end int)) {
	speaks(text, end, []byte("-->"), report)
}

// speaks reports what a hidden text says to a model, if anything: it begins at
// text[start] and ends with a mark.
func speaks(text []byte, start int, mark []byte, report func(start, end int)) {
	inside := text[start:min(len(text), start+mostHidden)]
	if i := bytes.Index(inside, mark); i >= 0 {
		inside = inside[:i]
	} else {
		inside = inside[:min(len(inside), mostOpen)]
	}
	if bytes.Count(inside, []byte(" ")) < 4 {
		return
	}
	low := bytes.ToLower(inside)
	for _, word := range addressed {
		// Another length would mean other places.
		if i := bytes.Index(low, []byte(word)); i >= 0 && len(low) == len(inside) {
			report(start+i, start+min(len(inside), i+200))
			return
		}
	}
}

// elements finds elements that a style hides and whose text speaks to the model.
// The anchor stands in the style.
func elements(text []byte, at, end int, report func(start, end int)) {
	first := max(0, at-512)
	open := bytes.LastIndexByte(text[first:at], '<')
	if open < 0 || bytes.IndexByte(text[first+open:at], '>') >= 0 {
		return // no element's own style
	}
	i := bytes.IndexByte(text[end:min(len(text), end+mostOpen)], '>')
	if i < 0 {
		return
	}
	speaks(text, end+i+1, []byte("</"), report)
}

var (
	// gap is a place in an address that the model is to fill in.
	gap = regexp.MustCompile(`\?[^\s]{0,200}?[=&](?:\{\{?[^{}\s]{2,60}\}\}?|\[[A-Za-z][^\][\s]{2,60}\]|<[A-Za-z][^<>]{2,60}>|\$\{?[A-Za-z_]{3,40}\}?|%7B[^\s)]{2,60}%7D|[A-Z]{3,}_[A-Z_]{3,}|(?:YOUR|THE|INSERT|USER|CHAT|CONVERSATION|BASE64|ENCODED|SECRET|DATA)[A-Z_+-]{0,40}\b)`)
	// load is a parameter with much in it that nobody chose.
	load = regexp.MustCompile(`(?i)[?&](?:q|d|data|payload|content|secrets?|tokens?|keys?|msg|message|text|info|leak|exfil|cookies?|env|history|chat|conversation|prompt|context|summary|log|dump|c|p|s)=(?:[A-Za-z0-9+/_=-]|%(?:2B|2F|3D)){40,}`)
	// collector is a host that shows whoever owns it what it was asked.
	collector = regexp.MustCompile(`(?i)://[^/\s)]*(?:webhook\.site|requestbin|ngrok|burpcollaborator|interact\.sh|oast\.|pipedream|beeceptor|hookbin|canarytokens|requestcatcher|evil|attacker|exfil)[^\s)]*[?&/][^\s)]+`)
)

// links finds the images and links of Markdown and HTML whose address carries
// data out: the client loads an image without asking anybody.
func links(text []byte, at, end int, report func(start, end int)) {
	start := at + bytes.IndexAny(text[at:end], "(\"'<") + 1
	if text[start] == '<' {
		start++
	}
	stop := min(len(text), start+mostAddress)
	if i := bytes.IndexAny(text[start:stop], ends[text[start-1]]); i >= 0 {
		stop = start + i
	}
	address := text[start:stop]
	query := bytes.IndexByte(address, '?') >= 0
	if query && (gap.Match(address) || load.Match(address)) || collector.Match(address) {
		report(start, stop)
	}
}

// mostAddress bounds an address, in bytes.
const mostAddress = 1024

// ends are the bytes that end an address, by the one before it.
var ends = map[byte]string{'(': ")(\n ", '"': "\"\n", '\'': "'\n", '<': ">\n"}
