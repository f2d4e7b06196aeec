#!/bin/sh
# capture.sh OUT: record one short session of each real agent against
# `gatehouse simulate`, for test/fixtures/agents. Run it as a user whose name,
# home and folder may stand in a fixture: the agents write them into their
# prompts. Needs bin/gatehouse and the agents of package.json. What is kept of
# it goes through ./madeup first.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gatehouse=$here/../../bin/gatehouse
agents=${AGENTS:-$here/node_modules/.bin}
out=$1
prompt='[think] run: ls -R
run: cat src/main.go README.md
run: cat no-such-file'
mkdir -p "$out" "$HOME/.gemini" "$HOME/project/src"
cd "$HOME/project"
printf '# Project\n\nA small one.\n' > README.md
printf 'package main\n\nfunc main() { println("hello") }\n' > src/main.go
printf '{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false}}\n' > "$HOME/.gemini/settings.json"

# session NAME PORT FLAGS COMMAND…: run a command while a provider records
session() {
	name=$1 port=$2 flags=$3
	shift 3
	"$gatehouse" simulate --listen "127.0.0.1:$port" --record "$out/$name" --pace 0 $flags &
	provider=$!
	sleep 1
	"$@" </dev/null || echo "capture: $name failed" >&2
	kill "$provider"
	wait "$provider" || true
}

session claude 4111 "" env ANTHROPIC_BASE_URL=http://127.0.0.1:4111/anthropic ANTHROPIC_API_KEY=dummy \
	CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 "$agents/claude" -p "$prompt" --allowedTools Bash
session codex-websocket 4112 "" env OPENAI_API_KEY=dummy CODEX_API_KEY=dummy "$agents/codex" exec --skip-git-repo-check \
	-c 'openai_base_url="http://127.0.0.1:4112/openai/v1"' "$prompt"
session codex-sse 4113 --no-websocket env OPENAI_API_KEY=dummy CODEX_API_KEY=dummy "$agents/codex" exec --skip-git-repo-check \
	-c 'openai_base_url="http://127.0.0.1:4113/openai/v1"' "$prompt"
session gemini 4114 "" env GEMINI_API_KEY=dummy GEMINI_CLI_TRUST_WORKSPACE=true GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:4114/gemini \
	"$agents/gemini" --yolo -m gemini-2.5-pro -p "$prompt"
