# Everything is installed into .venv, from the versions of the lock files. Where packages come from is pip's own
# configuration on this machine; nothing here names a place. Works with GNU make 3.81 and newer.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url

.PHONY: help demo test lint lock clean

help:
	@echo "make demo   the whole bot on this machine alone, with a page in the browser"
	@echo "make test   every test"
	@echo "make lint   ruff and mypy"
	@echo "make lock   writes the lock files anew (after a change of dependencies in pyproject.toml)"
	@echo "make clean  removes .venv and what tools left behind"

demo: .venv/.ready
	@$(BIN)/python -m bot demo

test: .venv/.ready-for-tests
	@$(BIN)/python -m pytest -ra --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

lint: .venv/.ready-for-tests
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy

lock: .venv/.ready-for-tests
	@$(PIP) install uv
	@$(BIN)/$(LOCK) --upgrade --output-file requirements.lock
	@$(BIN)/$(LOCK) --constraint requirements.lock --upgrade --extra test --output-file requirements-test.lock

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

.venv/.ready: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and none was found (make PYTHON=/its/path)."; exit 1; }
	@echo "Installing into .venv (once; a minute or so) …"
	@$(PYTHON) -m venv .venv || \
		{ echo "Python could not make .venv. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PIP) install --requirement requirements.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

.venv/.ready-for-tests: .venv/.ready requirements-test.lock
	@$(PIP) install --requirement requirements-test.lock
	@touch $@
