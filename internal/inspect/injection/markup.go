package injection

import (
	"bytes"
	"regexp"
)

// addressed are words with which a hidden text speaks to a model rather than to
// whoever edits a page.
var addressed = regexp.MustCompile(`(?i)\b(?:ignore|disregard|instructions?|override|system prompt|assistants?|language model|llms?|chatgpt|gpt-?\d|claude|gemini|copilot|ai (?:agent|model|assistant)s?|you (?:must|should|are|will|have to)|do not (?:tell|mention|inform|reveal)|print the following|respond with|reply with|say that|exfiltrate|(?:send|forward|email|post) (?:it|this|all|the|your|them)\b|curl |wget )`)

// comments finds comments of HTML and Markdown that speak to the model.
func comments(text []byte, at, end int, report func(start, end int)) {
	stop := min(len(text), end+reach)
	if i := bytes.Index(text[end:stop], []byte("-->")); i >= 0 {
		stop = end + i
	}
	speaks(text, end, stop, report)
}

// speaks reports what a stretch of text says to a model, if anything.
func speaks(text []byte, start, end int, report func(start, end int)) {
	m := addressed.FindIndex(text[start:end])
	if m == nil || len(bytes.Fields(text[start:end])) < 4 {
		return
	}
	from := start + m[0]
	to := min(end, from+200)
	report(from, to)
}

// elements finds elements that a style hides and whose text speaks to the model.
// The anchor stands in the style.
func elements(text []byte, at, end int, report func(start, end int)) {
	first := max(0, at-512)
	open := bytes.LastIndexByte(text[first:at], '<')
	if open < 0 || bytes.IndexByte(text[first+open:at], '>') >= 0 {
		return // no element's own style
	}
	stop := min(len(text), end+reach)
	i := bytes.IndexByte(text[end:stop], '>')
	if i < 0 {
		return
	}
	start := end + i + 1
	if i := bytes.Index(text[start:stop], []byte("</")); i >= 0 {
		stop = start + i
	}
	speaks(text, start, stop, report)
}

var (
	// gap is a place in an address that the model is to fill in.
	gap = regexp.MustCompile(`(?i)[?&/=](?:[\w.-]*=)?(?:\{\{?[^{}\s]{2,60}\}\}?|\[[A-Za-z][^\][\s]{2,60}\]|<[A-Za-z][^<>]{2,60}>|\$\{?[A-Za-z_]{3,40}\}?|%7B[^\s)]{2,60}%7D|[A-Z]{3,}_[A-Z_]{3,}|(?:YOUR|THE|INSERT|USER|CHAT|CONVERSATION|BASE64|ENCODED|SECRET|DATA)[A-Z_+-]{0,40}\b)`)
	// load is a parameter with much in it that nobody chose.
	load = regexp.MustCompile(`(?i)[?&](?:q|d|data|payload|content|secrets?|tokens?|keys?|msg|message|text|info|leak|exfil|cookies?|env|history|chat|conversation|prompt|context|summary|log|dump|c|p|s)=[A-Za-z0-9+/_%=-]{40,}`)
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
	stop := min(len(text), start+1024)
	until := ")\n"
	if text[start-1] != '(' {
		until = "\n\"'>"
	}
	if i := bytes.IndexAny(text[start:stop], until); i >= 0 {
		stop = start + i
	}
	address := text[start:stop]
	if gap.Match(address) || load.Match(address) || collector.Match(address) {
		report(start, stop)
	}
}
