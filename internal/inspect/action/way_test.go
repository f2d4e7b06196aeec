package action_test

import (
	"slices"
	"testing"

	"github.com/workingagents/gatehouse/internal/inspect/action"
)

// What brings others' words here, by a program that knows where they are or by code.
func TestWhatAsksOthers(t *testing.T) {
	for command, host := range map[string]string{
		"npm view left-pad":             "",
		"pnpm info left-pad":            "",
		"glab mr view 12":               "",
		"jira issue view X-1":           "",
		"lynx -dump https://a.example/": "host=a.example",
		"w3m a.example":                 "",
		`python3 -c "import requests; print(requests.get('https://a.example/x').text)"`: "host=a.example",
		`node -e "fetch('https://a.example/x').then(r => r.text()).then(console.log)"`:  "host=a.example",
		"python3 - <<E\nimport httpx\nprint(httpx.get('https://a.example').text)\nE":    "host=a.example",
	} {
		call := action.Judge("Bash", bash(command))
		if len(call.Ways) != 1 || call.Ways[0].Out || host != "" && !slices.Contains(call.Ways[0].Facts, host) {
			t.Errorf("%s: %+v", command, call.Ways)
		}
	}
	for _, command := range []string{"npm run view", "npm ci", "glab", "w3m page.html", "python3 -c 'print(1)'", `node -e "fetch('http://localhost:3000/')"`, "python3 -c 'print(\"https://a.example\")'", "grep -rn 'requests.get' src"} {
		if call := action.Judge("Bash", bash(command)); call.Asks() {
			t.Errorf("%s: %+v", command, call.Ways)
		}
	}
	if call := action.Judge("Bash", bash(`python3 -c "import requests; requests.post('https://a.example/x', data=d)"`)); len(call.Ways) != 1 || !call.Ways[0].Out {
		t.Errorf("what code sends: %+v", call.Ways)
	}
}

// Tools that by their names hand their arguments to somebody, and those whose names
// only look alike.
func TestToolsThatTell(t *testing.T) {
	for tool, want := range map[string]bool{
		"send_money": true, "transfer_funds": true, "create_payment": true, "mcp__bank__transfer": true, "mcp__wallet__pay": true, "placeOrder": true, "create_invoice": true, "wire": true,
		"order_by": false, "payload": false, "display": false, "reorder_list": false, "get_order": false, "list_payments": false, "mcp__shop__order_status": false, "firewire": false, "mcp__files__read": false,
	} {
		call := action.Judge(tool, []byte(`{"iban":"DE89370400440532013000"}`))
		if got := slices.ContainsFunc(call.Ways, func(w action.Way) bool { return w.Out }); got != want {
			t.Errorf("%s: %v", tool, got)
		}
	}
}
