# Targets list themselves: the text after ## is what `make help` prints.
PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

.DEFAULT_GOAL := help
.PHONY: help demo trained test check bench sample clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.report-installed ## install into .venv, report on the sample runs; train two models for a minute, report on them
	@$(BIN)/ngtreport demo -o artifacts/w3_25m
	@$(MAKE) --no-print-directory trained

# vanilla and NGT on the sources of Python's standard library; nothing is downloaded but the packages
trained: $(VENV)/.train-installed
	@$(BIN)/ngttrain run --preset demo/vanilla --overwrite
	@$(BIN)/ngttrain run --preset demo/ngt_mass_in_value --overwrite
	@$(BIN)/ngtreport build logs/demo -o artifacts/demo
	@sed -n '/^## Headline/,/^## /{/^## /!p;}' artifacts/demo/Summary.md

# one thread a process: torch's threads would fight over the cores that the processes share; compiled modules are kept, for
# the tests start many a Python; a file's tests stay in one process as far as may be, for they share what they built
test: $(VENV)/.dev-installed ## run the tests
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: $(VENV)/.dev-installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev-installed ## run the benchmarks
	$(BIN)/python -m benchmarks

sample: $(VENV)/.report-installed ## write the sample runs and their committed report anew
	$(BIN)/python -m tests.data.make_w3_25m tests/data/w3_25m
	$(BIN)/ngtreport demo -o artifacts/sample

clean: ## remove .venv, caches and builds; reports stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("ngtreport needs Python 3.11 or newer, not " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11")'
	@echo "making $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.report-installed: pyproject.toml | $(BIN)/python
	@echo "installing the reporter into $(VENV)" >&2
	@$(PIP) -e .
	@touch $@

$(VENV)/.train-installed: pyproject.toml | $(BIN)/python
	@echo "installing the trainer into $(VENV)" >&2
	@$(PIP) -e '.[train]'
	@touch $@ $(VENV)/.report-installed

$(VENV)/.dev-installed: pyproject.toml | $(BIN)/python
	@echo "installing the reporter, the trainer and their test tools into $(VENV)" >&2
	@$(PIP) -e '.[dev,train,hf,data]'
	@touch $@ $(VENV)/.report-installed $(VENV)/.train-installed
