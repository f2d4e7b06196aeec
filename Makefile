# The two that you need: `make run` and `make test`. The others are their parts,
# or longer forms of them. CONTRIBUTING.md tells what each is for.

GO          ?= go
CC          ?= cc
FUZZTIME    ?= 5s
BENCHFLAGS  ?=
SCOREFLAGS  ?=
KILLS       ?= 100
SOAK        ?= 10m
DETECT_DATA ?=
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
VERSION      = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS      = -s -w -X main.version=$(VERSION)
TARGETS      = linux/amd64 linux/arm64 darwin/arm64 darwin/amd64 windows/amd64

.DEFAULT_GOAL := help
.PHONY: help run build test lint cross race e2e web types webtest browser pictures chromium agents compiler bench score train fuzz soak kill dict clean

help:
	@echo 'make run     build, start the gateway with its data in ./data'
	@echo 'make test    all tests: lint, cross, webtest, race, browser, e2e'
	@echo 'make build   bin/gatehouse'
	@echo 'make lint    gofmt, vet, staticcheck'
	@echo 'make web     build the console'\''s page, which is committed (web/dist)'
	@echo 'make cross   compile for every system that we ship for'
	@echo 'make browser the page in Chromium, from the real binary'
	@echo 'make pictures  of the page, for README.md and docs (docs/img)'
	@echo 'make bench   measure against the barest reverse proxy (docs/performance.md)'
	@echo 'make score   measure the detectors on labelled texts in DETECT_DATA (docs/score.md)'
	@echo 'make train   train the model of the family injection on the texts in DATA (docs/score.md)'
	@echo 'make fuzz    every fuzz target for FUZZTIME ($(FUZZTIME))'
	@echo 'make kill    kill -9 under load, KILLS rounds ($(KILLS))'
	@echo 'make soak    load for SOAK ($(SOAK)), memory watched, then verify'
	@echo 'make dict    train the compression dictionary anew'

run: build
	@bin/gatehouse up --data ./data

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/gatehouse ./cmd/gatehouse

test: lint cross agents webtest race browser e2e

lint:
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
	  test -z "$$unformatted" || { echo "gofmt these files:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	cd test/e2e && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./...

# Everything that we ship for must compile, and its tests, too: vet compiles
# both.
cross:
	@set -e; for target in $(TARGETS); do \
	  echo "building for $$target"; \
	  CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -trimpath -o /dev/null ./cmd/gatehouse; \
	done
	CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 $(GO) vet ./...
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 $(GO) vet ./...

race: compiler
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

# The race detector is linked with the system's C compiler; a fresh Debian has
# none.
compiler:
	@command -v $(CC) >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev; } || \
	  { echo 'The race detector needs a C compiler: sudo apt-get install -y gcc libc6-dev' >&2; exit 1; }

# The real agents through the real binary.
e2e: build agents
	cd test/e2e && GATEHOUSE=$(CURDIR)/bin/gatehouse $(GO) test -count=1 -timeout 20m ./...

agents: test/e2e/node_modules/.installed

test/e2e/node_modules/.installed: test/e2e/package-lock.json
	cd test/e2e && npm ci --no-audit --no-fund --prefer-offline
	@touch $@

# The page is committed as it is built, so that nobody needs Node to run it.
web: web/node_modules/.installed
	cd web && npm run --silent build && npm run --silent offline

# The page's types are those of the admin API.
types:
	$(GO) test -count=1 -run TestPageHasTheseTypes ./internal/console -update

# The committed files must be those that the sources make.
webtest: web/node_modules/.installed
	cd web && npm run --silent check && npm run --silent test && npm run --silent build -- --outDir ../bin/web --emptyOutDir && \
	  npm run --silent offline -- --outDir ../bin/web/offline
	$(GO) test -tags noui ./web
	@diff -r bin/web web/dist || { echo 'web/dist is not what web/src makes: make web, and commit it' >&2; exit 1; }

# The pages of the real binary, in Debian's Chromium, also of what the real agents do.
browser: build chromium agents web/node_modules/.installed
	cd web && GATEHOUSE=$(CURDIR)/bin/gatehouse npm run --silent browser

# Those of the documents, as the page is now.
pictures: build chromium web/node_modules/.installed
	cd web && GATEHOUSE=$(CURDIR)/bin/gatehouse PICTURES=$(CURDIR)/docs/img npm run --silent browser -- pictures

chromium:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } || \
	  { echo 'The tests of the page need Chromium: sudo apt-get install -y chromium' >&2; exit 1; }

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline
	@touch $@

bench: build
	$(GO) build -o bin/bench ./bench
	bin/bench -gatehouse bin/gatehouse $(BENCHFLAGS)

# The labelled texts are not part of the repository: docs/score.md names them.
score:
	@$(GO) run ./score -data '$(or $(DATA),$(DETECT_DATA))' $(SCOREFLAGS)

# The same texts make the same model, byte for byte.
train:
	@$(GO) run ./score -data '$(or $(DATA),$(DETECT_DATA))' -train internal/inspect/injection/model.bin

# go test fuzzes one target of one package at a time. It may fail at the end of its
# time with "context deadline exceeded" and no failing input; a real one is saved and
# fails again.
fuzz:
	@set -e; for file in $$(grep -rlE '^func Fuzz' --include='*_test.go' internal); do \
	  for name in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/p' "$$file"); do \
	    echo "fuzzing $$name in $$(dirname $$file)"; \
	    try() { $(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x "./$$(dirname $$file)"; }; \
	    try || try; \
	  done; \
	done

# 6 rounds of it are part of make test.
kill: build
	cd test/e2e && GATEHOUSE=$(CURDIR)/bin/gatehouse GATEHOUSE_KILL_ROUNDS=$(KILLS) $(GO) test -count=1 -timeout 2h ./kill

soak: build
	$(GO) build -o bin/bench ./bench
	bin/bench -gatehouse bin/gatehouse -soak $(SOAK) $(BENCHFLAGS)

# A dictionary that was released never changes: a better one gets the next id.
dict:
	cd internal/ledger/dict && $(GO) run ./train

clean:
	rm -rf bin
