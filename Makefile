# `make demo` and `make test` set up everything themselves: Python >= 3.11 and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Under the name of the package, whatever the folder is called: otherwise the types of other rooms are not seen.
MYPY := MYPYPATH=$(VENV)/types $(BIN)/mypy

.PHONY: demo test slow lint bench clean

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hemline needs Python 3.11 or newer, got " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY)
	$(BIN)/hemline demo --out runs/demo

test: $(READY)
	$(BIN)/python -m pytest -q

slow: $(READY)
	$(BIN)/python -m pytest -q -m slow

bench: $(READY)
	$(BIN)/python -m benchmarks

lint: $(READY)
	mkdir -p $(VENV)/types && ln -sfn "$(CURDIR)" $(VENV)/types/hemline
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MYPY) $(patsubst %,-p hemline.%,datasets evaluation forecasting runtime vision)
	$(MYPY) --strict --follow-imports=silent -p hemline.runtime -p hemline.evaluation.scores

clean:
	rm -rf $(VENV) build dist *.egg-info runs
