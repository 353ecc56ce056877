# `make` lists the verbs. Everything runs in .venv, which is made from requirements/*.txt.
#   PYTHON=/path/to/python   another interpreter (3.11 or later)
#   ARGS="-k tls -x"         more words for pytest; for the benches ARGS=--quick
#   LEADGLASS_PEERS=never    install no real servers; =required: fail without them

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test deep lint types fuzz interop bench golden-accept locks base dev peers

PY := .venv/bin/python
ARGS ?=
# A file of tests runs in one process, three files side by side: tests wait more than they reckon. The files with
# servers go first, those of small tests fill the gaps at the end.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
FUZZ_RUNS ?= 1000000

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

demo: ## Scan a lab of DICOM servers on this machine, explain each verdict, and lock one
	@scripts/environment.sh demo
	@.venv/bin/leadglass demo

test: dev peers lint types ## Lint, types and every test but the deep ones; installs real peers where it may
	@$(PY) -m pytest $(PARALLEL) $(ARGS)

deep: dev peers ## Every test, with large counts (hours)
	@LEADGLASS_DEEP=1 $(PY) -m pytest -o faulthandler_timeout=0 $(ARGS)

lint: dev ## Style, with every rule on
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

# What runs on Windows and macOS is asked only for what they have: all but the guard, and what reads its trail.
LINUX := /(guard|store/spool|wiring/guard_|wiring/firewall_stored|cli/guard)

types: dev ## Types, strict, and as Windows and macOS have them
	@$(PY) -m mypy & ours=$$!; for system in win32 darwin; do \
		$(PY) -m mypy --platform $$system --cache-dir .mypy_cache/$$system --exclude '$(LINUX)' src || exit 1; \
	done && wait $$ours

fuzz: dev ## Fuzz the parsers: FUZZ_RUNS executions of each target in fuzz/
	@scripts/environment.sh fuzz
	@$(PY) -c 'import atheris' || { echo "make fuzz: there is no atheris for this Python or system"; exit 1; }
	@for target in fuzz/fuzz_*.py; do echo "$$target"; $(PY) "$$target" -runs=$(FUZZ_RUNS) || exit 1; done

interop: dev peers ## Only the tests against real servers
	@$(PY) -m pytest tests/interop $(ARGS)

bench: dev ## Speed, as ratios in one run
	@for bench in bench/*.py; do \
		name=$$(basename "$$bench" .py); echo "$$name"; $(PY) -m "bench.$$name" $(ARGS) || exit 1; done

golden-accept: dev peers ## Take what the reports and real servers say now as expected; then read the difference
	@LEADGLASS_GOLDEN=accept $(PY) -m pytest tests/unit/report tests/interop $(ARGS)
	@git --no-pager diff --stat -- tests

locks: ## Write requirements/*.txt anew with uv; ARGS=--upgrade takes the newest versions
	@scripts/locks.sh $(ARGS)

base:
	@scripts/environment.sh base

dev:
	@scripts/environment.sh dev

peers:
	@scripts/peers.sh
