# Every target sets up what it needs: a virtual environment with the packages, made once.
#   make demo PYTHON=python3.13      another Python
#   make test VENV=/tmp/venv         another place for it
#   make test TESTS=tests/policy     only some
PYTHON ?= python3
VENV ?= .venv
TESTS ?=
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo serve test ready check bench bench-relay bench-turns bench-agents clean

demo: $(READY)  ## A caller asks, interrupts and books a table: the whole product, no account
	@$(BIN)/earshot demo

test: $(READY)  ## All tests
	@$(BIN)/python -m pytest $(TESTS)

ready: $(READY)  ## Only set up

check: $(READY)  ## Lint, format, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY)  ## The figures: truncation, interruption, loss, speed
	@$(BIN)/python -m bench

bench-relay: $(READY)  ## Calls outlive sessions, workers and Redis: all targets, a quarter of an hour
	@$(BIN)/python -m bench.relay

bench-turns: $(READY)  ## Who has the floor: interruptions, false alarms, echo, noise, the first words
	@$(BIN)/python -m bench.turns

bench-agents: $(READY)  ## Tools, transfers, policy, secrets: nothing forbidden, nothing twice, nobody in silence
	@$(BIN)/python -m bench.policy
	@$(BIN)/python -m bench.booking
	@$(BIN)/python -m bench.digits
	@$(BIN)/python -m bench.ladder

help:  ## What there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

clean:  ## Take away what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Earshot needs Python 3.11 or newer; $(PYTHON) is older. Name one: make PYTHON=python3.13"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench]'
	@touch $(READY)
