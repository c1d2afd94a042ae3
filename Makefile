# Posthouse. `make` alone prints the targets.

DATA    ?= data
FUZZ    ?= 60s
VERSION ?= 0.1.0
GO      ?= go
export GOTOOLCHAIN ?= local

.PHONY: help run build test check race faults soak fuzz bench bench-web generate package npm deps clean

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## build, start with the data directory ./data, print the address and the setup link
	./posthouse serve --data $(DATA)

build: ## build ./posthouse
	$(GO) build -trimpath -o posthouse ./cmd/posthouse

deps: ## install what the tests need beside Go (Chromium, Python, strace …) with apt-get
	@sh packaging/test-deps.sh

test: deps build ## run every test, the fault harnesses at CI size included
	$(GO) test -timeout 30m ./...
	$(MAKE) --no-print-directory faults

check: ## go vet, staticcheck, gofmt, generated files
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@out=$$(gofmt -l appliance cmd webui sysmon admin doctor support); test -z "$$out" || { echo "gofmt: $$out"; exit 1; }

race: deps ## run every test under the race detector
	$(GO) test -race -timeout 60m ./...

faults: ## kill -9, power cuts, flipped bits, failing calls, bad inputs: a size for CI
	$(GO) run ./cmd/faults all

soak: ## the same at the size of a release: hours
	$(GO) run ./cmd/faults -soak all

fuzz: ## run every fuzzer for FUZZ (default 60s)
	@set -e; $(GO) list ./... | while read -r p; do \
	  d=$$($(GO) list -f '{{.Dir}}' $$p); \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$d/*_test.go 2>/dev/null | cut -c6-); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) $$p; done; done

bench: build ## measure speed and memory against a raw relay in the same run
	./posthouse bench

bench-web: build ## measure the web chat in Chromium: first load, interactions, 5,000 rooms
	$(GO) run ./cmd/benchweb -binary ./posthouse

generate: ## write generated files anew: pages, types of the protocol, the web client
	$(GO) run ./webui/build/pages
	$(GO) test ./appliance/reference -run UpToDate -update
	$(GO) run ./webui/build

package: ## deb and rpm packages into ./bin
	@mkdir -p bin/stage
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o bin/stage/posthouse ./cmd/posthouse
	LANG=C bin/stage/posthouse config describe >bin/stage/posthouse.toml
	LANG=C bin/stage/posthouse completion bash >bin/stage/posthouse.bash
	for kind in deb rpm; do VERSION=$(VERSION) ARCH=$$($(GO) env GOARCH) STAGE=bin/stage \
	  $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2 package -f packaging/nfpm.yaml -p $$kind -t bin/ || exit 1; done

npm: ## pack the JavaScript client, posthouse-client, into ./bin
	$(GO) run ./webui/build npm $(VERSION) bin

clean: ## remove what building leaves
	rm -rf posthouse bin
