# Stockyard. `make help` lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
GO ?= go
GOLANGCI := $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BUF := $(GO) run github.com/bufbuild/buf/cmd/buf@v1.75.0
CYCLONEDX := $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
ENGINE ?= docker
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X main.version=$(VERSION)
DATA_DIR ?= .stockyard
TEST_FLAGS ?=
BENCH_FLAGS ?=

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/stockyard.
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/stockyard ./cmd/stockyard

.PHONY: run
run: build ## Run three regions on this machine; finds, starts or installs a database.
	@exec ./bin/stockyard dev --data-dir $(DATA_DIR)

.PHONY: replay
replay: build ## Put the sample sales through what `make run` runs, and prove the result.
	@./bin/stockyard replay service/replay/testdata/online-retail/sales.csv

.PHONY: verify
verify: build ## Check every invariant of the stock that `make run` keeps.
	@./bin/stockyard verify --data-dir $(DATA_DIR)

# A package's tests take longer where there is a CockroachDB to test on as well.
TEST_TIMEOUT := $(if $(or $(COCKROACH_BINARY),$(shell command -v cockroach)),25m,9m)

.PHONY: test
test: ## Run all tests on PostgreSQL, and on CockroachDB where there is a binary.
	@$(GO) vet ./...
	@cd k8s/check && $(GO) vet ./... && $(GO) test -count 1 $(TEST_FLAGS) ./... # the cache sees no files outside of a module
	@$(GO) run ./service/devdb/withdb -- $(GO) test -timeout $(TEST_TIMEOUT) $(TEST_FLAGS) ./...

.PHONY: race
race: ## The tests under the race detector; slower.
	@$(GO) run ./service/devdb/withdb -- $(GO) test -race -timeout 25m $(TEST_FLAGS) ./...

.PHONY: bench
bench: ## Measure Stockyard beside plain SQL on the same database (BENCH_FLAGS='--full --out DIR').
	@$(GO) run ./service/bench $(BENCH_FLAGS)

.PHONY: bench-reads
bench-reads: ## Measure cached and strong reads beside gin answering a constant and pgbench selecting the row.
	@$(GO) run ./service/devdb/withdb -- $(GO) test ./service/pod -run '^$$' -bench Reads -benchtime 1x

.PHONY: bench-reports
bench-reports: ## Measure every report on a ledger of 10 million events, on CockroachDB a million (REPORT_EVENTS).
	@$(GO) run ./service/devdb/withdb -- $(GO) test ./service -run '^$$' -bench Reports -benchtime 1x -timeout 2h -v

.PHONY: bench-feed
bench-feed: ## Measure how long a change takes to its readers, to 5,000 of them, beside LISTEN/NOTIFY, and what that costs writers.
	@$(GO) run ./service/devdb/withdb -- $(GO) test ./service/pod -run '^$$' -bench Feed -benchtime 1x -timeout 1h

.PHONY: lint
lint: ## Check style, common mistakes and the direction of imports.
	@$(GOLANGCI) run ./...
	@cd k8s/check && $(GOLANGCI) run ./...
	@cd service/grpcapi && $(BUF) lint

.PHONY: vuln
vuln: ## Look the modules up in the database of known vulnerabilities (needs the network).
	@$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

.PHONY: generate
generate: ## Make the gRPC code of service/grpcapi/proto anew.
	@cd service/grpcapi && $(BUF) format --write proto && rm -rf stockyardv1 && $(BUF) generate

.PHONY: fmt
fmt: ## Format the code.
	@$(GOLANGCI) fmt ./...

.PHONY: fuzz
fuzz: ## Fuzz each parser of input for a while (FUZZTIME=30s each), and the API by its document.
	@STOCKYARD_FUZZ=$(or $(FUZZTIME),30s) $(GO) run ./service/devdb/withdb -- $(GO) test -timeout 0 -count 1 -v -run TestRequestsMadeFromTheDocument ./service/httpapi
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep ^Fuzz || true); do \
	    echo "== $$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),30s) $$package; \
	  done; done

.PHONY: soak
soak: ## Break everything for 10 minutes and prove that nobody was lied to (SOAK=10m SEED=1 SOAK_ON=postgres|cockroach|both).
	@$(GO) run ./service/soak

# What goes into the image, for GOARCH (this machine's by default): the same from the same sources.
IMAGE_DIR := bin/image
.PHONY: image-files
image-files:
	@mkdir -p $(IMAGE_DIR) && cp cmd/stockyard/Dockerfile $(IMAGE_DIR)/
	@CGO_ENABLED=0 GOOS=linux $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -buildid= $(LDFLAGS)' -o $(IMAGE_DIR)/stockyard ./cmd/stockyard
	@GOARCH= GOOS= $(CYCLONEDX) bin -json -noserial -notimestamp -version $(VERSION) -output $(IMAGE_DIR)/sbom.cdx.json $(IMAGE_DIR)/stockyard 2>/dev/null
	@TZ=UTC touch -t "$$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M.%S --format=%cd 2>/dev/null || echo 202001010000.00)" $(IMAGE_DIR)/*

.PHONY: image
image: image-files ## Build the container image (ENGINE=docker, podman or buildah; GOARCH=arm64).
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct 2>/dev/null || echo 0) $(ENGINE) build --build-arg VERSION=$(VERSION) -t stockyard:$(VERSION) -t stockyard:local $(IMAGE_DIR)

.PHONY: up
up: image ## Start CockroachDB, pods behind HAProxy, Prometheus and Grafana in containers.
	@docker compose up --detach --wait

.PHONY: down
down: ## Stop what `make up` started; the data stay.
	@docker compose down

.PHONY: clean
clean: ## Remove what was built. The data of `make run` stay in .stockyard.
	@rm -rf bin
