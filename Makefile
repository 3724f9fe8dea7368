# Each target creates what it needs: a virtual environment made from the hash-pinned lock files.
# `check` changes nothing; `fix` does.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8080

BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test validation coverage check lint types imports yaml knowledge fix bench lock spec lock-deps vendor clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

# The editable install is built by the setuptools of the lock, without network.
$(DEV): requirements-dev.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The development environment holds the run-time one: `run` uses whichever is there.
run: $(or $(wildcard $(DEV)),$(RUNTIME)) ## start the demo on the loopback address (PORT=8080)
	$(BIN)/python -m cds demo --port $(PORT)

test: $(DEV) ## run the tests (TESTS="tests/store -k chain": some of them)
	$(BIN)/python -m pytest $(TESTS)

coverage: $(DEV) ## run the tests; fail under 100 % of knowledge, fhir_mapping and cards
	$(BIN)/python -m pytest --cov --cov-report=term-missing --cov-fail-under=100

validation: $(DEV) ## long property tests, crashes, mutation, hostile input, agreement; write docs/safety/VALIDATION.md
	$(BIN)/python -m tests.validation

check: lint types imports yaml knowledge ## lint, types, import contracts, knowledge, its lock and SPEC.md

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

imports: $(DEV)
	$(BIN)/lint-imports

yaml: $(DEV)
	$(BIN)/yamllint --strict knowledge/data tests/knowledge/cases

knowledge: $(DEV)
	$(BIN)/python -m cds check

fix: $(DEV) ## apply what the linter and the formatter can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV) ## measure the hot path
	$(BIN)/python -m tests.bench

lock: $(DEV) ## write knowledge/knowledge.lock.json after a knowledge file and its version changed
	$(BIN)/python -m cds lock

spec: $(DEV) ## write knowledge/SPEC.md from the cases in tests/knowledge/cases
	$(BIN)/python -m cds spec

# Resolved on the oldest Python supported, whose set of packages serves the newer ones too. The files
# name no package index, so that any may be used.
COMPILE = env -u PIP_FIND_LINKS -u PIP_EXTRA_INDEX_URL CUSTOM_COMPILE_COMMAND="make lock-deps" \
	$(BIN)/pip-compile --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe \
	--annotation-style=line --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

lock-deps: $(DEV) ## resolve the dependencies anew (needs Python 3.11 and network)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "The lock files are made with Python 3.11.")'
	$(COMPILE) --extra dev --output-file requirements-dev.lock pyproject.toml
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml

# Stylesheet, one font family and its icons; scripts of the packages are not run.
ASSETS := cds/smart/assets
STATIC := cds/smart/static
USWDS := $(ASSETS)/node_modules/@uswds/uswds
vendor: ## renew the vendored stylesheet, font and script of the bedside app (needs npm and network)
	cd $(ASSETS) && npm ci --ignore-scripts --no-audit --no-fund
	rm -rf $(STATIC)/uswds $(STATIC)/htmx
	mkdir -p $(STATIC)/uswds/css $(STATIC)/uswds/fonts $(STATIC)/uswds/img $(STATIC)/htmx
	cp $(USWDS)/dist/css/uswds.min.css $(STATIC)/uswds/css/
	cp $(USWDS)/LICENSE.md $(STATIC)/uswds/
	mkdir $(STATIC)/uswds/fonts/source-sans-pro $(STATIC)/uswds/img/usa-icons
	cp $(USWDS)/dist/fonts/source-sans-pro/sourcesanspro-*-webfont.woff2 $(STATIC)/uswds/fonts/source-sans-pro/
	cd $(STATIC)/uswds/fonts/source-sans-pro && rm -f *black* *extralight* *semibold*
	for icon in $$(grep -o 'usa-icons/[a-z_]*\.svg' $(STATIC)/uswds/css/uswds.min.css | sort -u); do \
	  cp $(USWDS)/dist/img/$$icon $(STATIC)/uswds/img/usa-icons/; done
	cp $(USWDS)/dist/img/correct8.svg $(USWDS)/dist/img/correct8-alt.svg $(STATIC)/uswds/img/
	cp $(ASSETS)/node_modules/htmx.org/dist/htmx.min.js $(ASSETS)/node_modules/htmx.org/LICENSE $(STATIC)/htmx/
	rm -rf $(ASSETS)/node_modules

clean: ## remove caches and the virtual environment
	rm -rf $(VENV) build *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
