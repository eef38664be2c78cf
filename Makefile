# For a user: `make bootstrap` and `make test`; for whoever changes the code also `make check`, `make mutation` and `make drills`. What they need they install.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: bootstrap check test mutation drills format lock clean

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Burrow needs Python 3.11 or newer; found $$($(PYTHON) --version). Set PYTHON=python3.12 or the like."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq python3-venv >/dev/null; }
	@echo "installing the suite into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Hosts and network, within minutes; `runbooks/bootstrap.py` without flags goes on to the storage, which takes Ceph some minutes more.
bootstrap: .venv/installed
	@$(BIN)/python -m lab up
	@$(BIN)/python runbooks/bootstrap.py --stage host --stage network
	@$(BIN)/python runbooks/audit.py --tags host,engine,files,network

check: .venv/installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q -n $$(($$(nproc) + 1)) --dist worksteal tests/unit  # one worker more than processors: some tests wait

test: check
	@$(BIN)/python tests/lab/drills.py smoke

# DRAW=N draws N mutants, SEED=S the same ones again, ONLY=PATTERN those of some files or functions.
mutation: .venv/installed
	@$(BIN)/python tests/mutation/gate.py $(if $(DRAW),--draw $(DRAW)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)')

# PART=K/N runs one part of N, which take about the same time; SINCE=REF those that a change since a commit touches; RECORD=1 keeps what
# each file of drills took and what it ran of the suite.
drills: .venv/installed
	@$(BIN)/python tests/lab/drills.py all $(PART) $(if $(SINCE),--since $(SINCE)) $(if $(RECORD),--record)

format: .venv/installed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The lock file holds no registry's address: each user's own client decides where packages come from.
lock: .venv/installed
	@$(BIN)/pip install -q uv && $(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-emit-index-url -o requirements.lock

clean:
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m lab down
	@rm -rf .venv build *.egg-info
