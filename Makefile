# `make` lists the targets.
SHELL := bash
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 15
# Rounds end by count: the go tool sometimes takes the end of a -fuzztime in
# seconds for a failure ("context deadline exceeded", golang/go#75804; mended in Go 1.27).
FUZZROUND ?= 20000x
FUZZTARGET ?= Fuzz
FUZZPKG ?= ./...
LINT  := go tool -modfile=.tools/golangci-lint.mod golangci-lint
TOOLS := go tool -modfile=.tools/tools.mod

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 16

.PHONY: build
build: ## Build dist/vneid-gateway and dist/vneid-bench
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o dist/ ./cmd/vneid-gateway ./cmd/vneid-bench

.PHONY: demo
demo: build ## Run the gateway with a sample identity provider and two sample systems
	dist/vneid-gateway demo

# What takes longest begins first.
.PHONY: test
test: ## Run all tests, shuffled
	go test -shuffle=on ./cmd/vneid-gateway ./...

# The binary that most tests of cmd/vneid-gateway start is not the one under the
# detector: of them only those run here that run the commands in the test itself.
.PHONY: race
race: ## Run the tests, but those of the real binary, under the race detector, shuffled
	go test -race -short -shuffle=on $$(go list ./... | grep -v '/cmd/vneid-gateway$$')
	go test -race -short -shuffle=on -run '^(TestCommands|TestRevoke|TestHealth)' ./cmd/vneid-gateway

.PHONY: fuzz
fuzz: ## Fuzz every parser for at least FUZZTIME seconds each (default 15)
	@set -e; cache=$$(go env GOCACHE)/fuzz; scratch=$$(mktemp -d); trap 'rm -r "$$scratch"' EXIT; \
	for dir in $$(go list -f '{{.Dir}}' $(FUZZPKG)); do \
	  grep -qs '^func $(FUZZTARGET)' "$$dir"/*_test.go || continue; \
	  go test -c -fuzz . -o "$$scratch/fuzz" "$$dir"; \
	  for target in $$("$$scratch/fuzz" -test.list '^$(FUZZTARGET)' | grep '^Fuzz'); do \
	    echo "== $${dir#$$PWD/} $$target"; \
	    end=$$((SECONDS + $(FUZZTIME))); \
	    while :; do \
	      (cd "$$dir" && "$$scratch/fuzz" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime $(FUZZROUND) \
	        -test.fuzzminimizetime 100x -test.fuzzcachedir "$$cache/$$(cd "$$dir" && go list)"); \
	      ((SECONDS < end)) || break; \
	    done; \
	  done; \
	done

.PHONY: lint
lint: ## Run vet, staticcheck, golangci-lint and gofumpt
	go vet ./...
	$(TOOLS) staticcheck ./...
	$(LINT) run
	@unformatted=$$($(TOOLS) gofumpt -l .; gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofumpt, gofmt: $$unformatted"; exit 1; fi

.PHONY: vulncheck
vulncheck: ## Check dependencies against the Go vulnerability database (needs its site)
	$(TOOLS) govulncheck ./...

.PHONY: bench
bench: ## Run the benchmarks, allocations reported
	go test -run '^$$' -bench . -benchmem ./...

PEERS ?= --rounds 9

.PHONY: peers
peers: build ## Measure HAProxy, nginx, Apache httpd and the gateway side by side (installs Debian packages)
	bench/peers/install $$(dist/vneid-bench peers --missing)
	dist/vneid-bench peers $(PEERS) --json dist/peers.json --markdown dist/peers.md --svg dist/peers.svg

.PHONY: k6
k6: ## Build dist/k6, which the tests of bench/k6 start (takes minutes the first time)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -modfile=.tools/k6.mod -o dist/k6 go.k6.io/k6

.PHONY: kustomize
kustomize: ## Build dist/kustomize, which the tests of deploy/kubernetes start
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -modfile=.tools/kustomize.mod -o dist/kustomize sigs.k8s.io/kustomize/kustomize/v5

.PHONY: provider
provider: ## Install the foreign OpenID provider that tests use (needs Node)
	cd bench/foreign/provider && npm ci --no-audit --no-fund

.PHONY: integration
integration: provider kustomize ## Test the real binary with a foreign OpenID provider and real tools
	CI=true go test -count=1 ./cmd/... ./bench/foreign/... ./deploy/...

.PHONY: docs
docs: ## Write the generated documents anew
	go generate ./...
	go run ./cmd/vneid-gateway schema --markdown > deploy/CONFIGURATION.md

.PHONY: ci
ci: ## What a submission must pass
	.ci/run

.PHONY: release
release: ## Build release archives with checksums into dist/
	@set -e; rm -rf dist; mkdir -p dist; for arch in amd64 arm64; do \
	  name=vneid-gateway-$(VERSION)-linux-$$arch; mkdir dist/$$name; \
	  CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -ldflags '$(LDFLAGS)' -o dist/$$name/ ./cmd/vneid-gateway ./cmd/vneid-bench; \
	  cp -r README.md deploy/*.md deploy/gateway.yaml deploy/systemd deploy/prometheus deploy/grafana dist/$$name/; \
	  tar -C dist -czf dist/$$name.tar.gz --owner=0 --group=0 $$name; rm -r dist/$$name; \
	done; cd dist && sha256sum *.tar.gz > SHA256SUMS
