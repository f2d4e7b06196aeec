package simulate

import (
	"encoding/json"
	"regexp"
	"strings"
)

// found is the place in a script where what the model saw is put in. Closing
// braces that the expression ends with belong to it.
var found = regexp.MustCompile(`\{\{found (.+?)\}\}(\}*)`)

// fill puts in what the model saw. A command and a text take it as it is; in
// the arguments of a call it stands in a JSON string.
func (t turn) fill(s script) script {
	s.say = t.put(s.say, strings.Clone)
	for i, c := range s.calls {
		s.calls[i].command = t.put(c.command, strings.Clone)
		s.calls[i].args = t.put(c.args, inString)
	}
	return s
}

// inString escapes a text for the inside of a JSON string.
func inString(text string) string {
	q := quote(text)
	return q[1 : len(q)-1]
}

func (t turn) put(text string, escape func(string) string) string {
	if !strings.Contains(text, "{{found ") {
		return text
	}
	return found.ReplaceAllStringFunc(text, func(place string) string {
		return escape(t.last(expression(place)))
	})
}

// expression takes the regular expression out of its braces.
func expression(place string) string {
	return strings.TrimSuffix(strings.TrimPrefix(place, "{{found "), "}}")
}

// last gives the last match of an expression in all that the model saw, its
// first group if it has one. What a script itself asks for is not searched.
func (t turn) last(expression string) string {
	re, err := regexp.Compile(expression)
	if err != nil {
		return "bad-expression"
	}
	last := "nothing-found"
	for _, text := range t.texts() {
		for _, m := range re.FindAllStringSubmatch(found.ReplaceAllString(text, ""), -1) {
			last = m[min(1, len(m)-1)]
		}
	}
	return last
}

// texts gives the strings of the prompt, keys too, in order.
func (t turn) texts() (list []string) {
	for _, b := range t.blocks {
		if !json.Valid(b) {
			list = append(list, string(b))
			continue
		}
		d := json.NewDecoder(strings.NewReader(string(b)))
		for {
			token, err := d.Token()
			if err != nil {
				break
			}
			if text, ok := token.(string); ok {
				list = append(list, text)
			}
		}
	}
	return list
}
