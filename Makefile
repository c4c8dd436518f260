# `make demo` and `make test` set up everything themselves: Python >= 3.11 and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test slow lint bench docs package clean

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

# The site, in docs/_build; notebooks run while it is built, and a warning is an error.
docs: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build

# The files that go to PyPI, in dist.
package: $(READY)
	rm -rf build dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python -m twine check --strict dist/*

# Types under the name of the package, whatever the folder is called: otherwise the types of other rooms are not seen.
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p $(VENV)/types && ln -sfn "$(CURDIR)" $(VENV)/types/hemline
	cd $(VENV)/types && ../bin/mypy --config-file hemline/pyproject.toml $(patsubst %,-p hemline.%,datasets decisions evaluation forecasting recommendation runtime studio vision)

clean:
	rm -rf $(VENV) build dist docs/_build docs/reference *.egg-info runs
