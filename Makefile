PYTHON ?= python3
BIN := .venv/bin

.PHONY: test check
.venv/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

test: .venv/.installed
	$(BIN)/python -m pytest

check: .venv/.installed
	$(BIN)/ruff check dynasafe tests
	$(BIN)/mypy dynasafe
