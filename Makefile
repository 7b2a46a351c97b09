# Notify Once: everything a fresh machine needs is installed by these targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := .venv-peers

# After an upgrade of the machine's Python its packages are out of reach: then everything is installed anew.
ALIVE  := import importlib.util, sys; sys.exit(None in map(importlib.util.find_spec, ("pip", "sqlmodel")))
$(if $(shell $(BIN)/python -c '$(ALIVE)' 2>/dev/null && echo yes),,$(shell rm -f $(VENV)/.run $(VENV)/.postgres $(VENV)/.dev))

.PHONY: help run test coverage check audit format lock bench bench-peers screenshots clean
help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Notify Once needs Python 3.11 or newer; PYTHON=python3.12 make … names another one") if sys.version_info < (3, 11) else None'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.postgres: requirements-postgres.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-postgres.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run ## set everything up and run the product (the demo while no fanpage is connected)
	@! $(BIN)/python -c 'import sys; from core.settings import settings; sys.exit(not settings().is_postgresql)' 2>/dev/null \
	  || $(MAKE) --no-print-directory $(VENV)/.postgres
	@exec $(BIN)/python -m core run

test: $(VENV)/.dev ## set everything up and run the tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4

coverage: $(VENV)/.dev ## run the tests and say which lines and branches none of them takes (about twice as long)
	$(BIN)/python -m coverage erase
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --cov --cov-report=term --cov-report=html

check: $(VENV)/.dev ## format, lint, types, known holes in what is pinned
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory audit

audit: $(VENV)/.dev ## known holes in what is pinned (needs the network; without it this is skipped)
	@$(BIN)/python .ci/audit.py

format: $(VENV)/.dev ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## pin requirements*.in again, with hashes
	$(BIN)/python -m pip install --quiet uv
	for name in requirements requirements-postgres requirements-dev; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url $$name.in -o $$name.txt || exit; \
	done

bench: $(VENV)/.dev ## the benchmarks, against a stub on this machine
	$(BIN)/python -m core bench send
	$(BIN)/python -m core bench pace --seconds 15
	$(BIN)/python -m core bench launch --people 10000 --people 100000
	$(BIN)/python -m core bench panel --people 100000

bench-peers: ## install the public clients that `bench send` is compared with (one of them needs npm)
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r core/bench/peers/requirements.txt
	@cp core/bench/peers/package.json $(PEERS)/
	@! command -v npm >/dev/null || npm install --silent --no-fund --no-audit --prefix $(PEERS)

screenshots: $(VENV)/.dev ## take the pictures of README and guide from the real demo
	$(BIN)/python -m tests.journeys.take_screenshots

clean: ## remove the virtual environment and caches (never data/)
	rm -rf $(VENV) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov
