# Run `make help` for what each word does.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8080
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.DEFAULT_GOAL := help
.PHONY: help setup run test long check bench servers clean

help: ## list the words of this Makefile
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: apt install python3, or make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "python3-venv is missing: sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml client/pyproject.toml constraints.txt
	@echo "installing Subjectline into $(VENV) (once)"
	@$(PIP) install -c constraints.txt -e ./client -e '.[sandbox]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(PIP) install -c constraints.txt -e ./client -e '.[sandbox,dev]'
	@touch $@

setup: $(VENV)/.dev ## install everything into .venv

run: $(VENV)/.run ## start the whole product against its sandbox on http://127.0.0.1:8080 (PORT=...)
	@exec $(BIN)/subjectline try --port $(PORT)

servers: ## install the real servers that the tests start (Dovecot, Postfix's sink, PostgreSQL, Chromium)
	@bash tests/servers.sh

test: $(VENV)/.dev servers ## run the tests (under 10 minutes on 2 cores)
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup

long: $(VENV)/.dev servers ## run the long kill, attack and soak rounds
	@$(BIN)/python -m pytest -q -m long --timeout=3600

check: $(VENV)/.dev ## types, style, direction of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/.dev ## measure against public peers, one JSON object a line
	@$(BIN)/python -m bench

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
