# `make help` lists what there is. Quiet when it succeeds, plain when it fails.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help up status test test-containers test-observe soak siege fuzz lint style types bench bench-check bench-curves bench-backlog bench-containers figures screenshots docs format lock lock-peers audit sbom clean python local dev

# Bytecode caches make every start of every process seconds faster.
unexport PYTHONDONTWRITEBYTECODE

# The first Python from 3.11 to 3.14 on PATH; name another with `make PYTHON=...`.
PYTHON ?= $(shell for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& echo "$$candidate" && break; done)
BIN := .venv/bin
LOCKED := api worker simulator local dev
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links --python-version 3.11

# $(call quietly,command): its output is shown only when it fails.
quietly = out=$$($(1) 2>&1) || { printf '%s\n' "$$out"; echo 'failed: $(1)'; exit 1; }

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

up: local ## run everything here, without Docker; Ctrl-C stops it
	@exec $(BIN)/askonce up

status: local ## what runs: name, state, pid, address, log
	@exec $(BIN)/askonce status

# Types are checked beside the tests, in the time that those only wait. The first run of pytest writes what it makes of
# the tests: else each of its processes would.
test: dev ## lint, types, import contracts and all tests
	@$(MAKE) -s style
	@nice $(MAKE) -s types & types=$$!; \
	$(BIN)/pytest -q --collect-only tests >/dev/null 2>&1; \
	$(BIN)/pytest -q -n 5 --dist loadfile --no-loadscope-reorder tests; tests=$$?; \
	wait $$types && exit $$tests

test-containers: dev ## build the images and test the whole stack in containers; needs a Docker engine
	@$(BIN)/pytest -q --timeout 900 --ignore tests/containers/observe tests/containers

test-observe: dev ## the same for Prometheus, with its alerts, and Grafana; needs their images, from Docker Hub
	@$(BIN)/pytest -q --timeout 900 tests/containers/observe

soak: dev ## ten minutes of traffic with random faults, and a full account
	@exec $(BIN)/python -m tests.soak

siege: dev ## an hour of hostile clients, and what others were denied meanwhile
	@exec $(BIN)/python -m tests.siege

fuzz: dev ## an hour of random calls: do the API and its OpenAPI document agree, and is every answer its own
	@exec $(BIN)/python -m tests.fuzz

lint: dev style types ## lint, types and import contracts only

style: dev
	@$(call quietly,$(BIN)/ruff check)
	@$(call quietly,$(BIN)/ruff format --check)
	@$(call quietly,$(BIN)/lint-imports)

types: dev
	@$(call quietly,$(BIN)/mypy)

bench: dev ## AskOnce beside its peers, some 8 minutes; ROWS="hit wait" measures only rows so named
	@exec $(BIN)/python -m bench $(ROWS)

bench-check: dev ## did the last `make bench` reach the first gates
	@exec $(BIN)/python -m bench.check

bench-curves: dev ## by size, connections and processes; crowds; memory; PARTS="sizes storms" for some, PARTS=growth for large tables; ten minutes, a quarter of an hour for growth
	@exec $(BIN)/python -m bench.curves $(PARTS)

figures: dev ## the request log on ten million rows: size, speed; some 20 minutes
	@exec $(BIN)/python -m bench.request_log

bench-backlog: dev ## a million of everything that can pile up: how long until none is left; some 40 minutes
	@exec $(BIN)/python -m bench.backlog

bench-containers: dev ## throughput by worker containers and API processes; needs a Docker engine
	@exec $(BIN)/python -m bench.scaling

screenshots: dev ## take the pictures of the README, of the page as it is now; a minute
	@exec $(BIN)/python -m tests.browser.screenshots

docs: dev ## write the tables of task types into the documents and .env.example
	@exec $(BIN)/python -m docs.generate

format: dev ## format the code and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format --quiet

lock: dev ## compile requirements/*.txt from pyproject.toml and audit.in
	@for extra in $(LOCKED); do \
		case $$extra in api|worker) more='--extra traces';; *) more=;; esac; \
		$(COMPILE) --extra "$$extra" $$more pyproject.toml -o "requirements/$$extra.txt" >/dev/null || exit 1; \
	done
	@$(COMPILE) requirements/audit.in -o requirements/audit.txt >/dev/null

audit: dev ## known vulnerabilities of all that is locked; needs the internet
	@exec $(BIN)/python -m requirements.audit

sbom: dev ## what each lock installs, as CycloneDX JSON in build/sbom
	@exec $(BIN)/python -m requirements.sbom

lock-peers: dev ## compile bench/peers/*.txt, what the peers of `make bench` need
	@$(COMPILE) -c requirements/dev.txt bench/peers/peers.in -o bench/peers/peers.txt >/dev/null
	@$(COMPILE) bench/peers/litellm.in -o bench/peers/litellm.txt >/dev/null

clean: ## remove .venv and all caches; the data in .askonce stays
	@rm -rf .venv .bench-venv .audit-venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .askonce/packages
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

local dev: python
	@$(PYTHON) -m local.install $@

python:
	@test -n "$(PYTHON)" || { echo 'AskOnce needs Python 3.11 to 3.14; none is on PATH. Name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
