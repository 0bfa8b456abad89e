# Everything that is done with Proffer. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= $(shell nproc 2>/dev/null || echo 2)
CASES ?= tests/conformance/cases.jsonl

.PHONY: help run test check fix bench conformance migration pins clean

help: ## List all targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## Start everything: database, demonstration data, API and worker (PROFFER_PORT chooses the port)
	@$(BIN)/proffer up

test: $(VENV)/dev.stamp ## Run every test, on a real database, in parallel (WORKERS=n, or ARGS="tests/unit -k …")
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

check: $(VENV)/dev.stamp ## Formatting, lint, strict types and import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/dev.stamp ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Measure speed and memory; medians, and ratios against a floor in the same run
	@$(BIN)/python -m benchmarks

conformance: $(VENV)/run.stamp ## Price a file of published cases: make conformance CASES=FILE
	@$(BIN)/python -m src.entrypoints.conformance $(CASES)

migration: $(VENV)/dev.stamp ## Begin a migration: make migration NAME="add tags"
	@$(BIN)/alembic revision -m "$(NAME)"

pins: ## Pin the dependencies anew, with hashes (needs uv)
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml --group dev -o requirements/dev.txt
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q pyproject.toml --group build -c requirements/dev.txt -o requirements/run.txt

clean: ## Remove the virtual environment and caches; data under var/ stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Proffer needs Python 3.11 or later; set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module; install it (on Debian: apt-get install python3-venv)."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Installing Proffer into $(VENV) …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/run.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Installing the tools for tests and checks …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@touch $@
