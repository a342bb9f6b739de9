# One word per task, the same for people and for CI. Needs make and Python 3.11+; everything else goes into .venv.

.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMP := $(VENV)/.goferry-installed
PO := $(wildcard src/goferry/locale/*/LC_MESSAGES/goferry.po)
MO := $(PO:.po=.mo)
# pytest-xdist processes; the machine that counts has two cores.
JOBS ?= 2
ARGS ?=

.PHONY: help venv serve test test-full lint types layers fmt i18n i18n-check docs check picture smoke lab goldens requirements clean

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

venv: $(STAMP) $(MO) ## set up .venv with everything; leaves a working .venv/bin/goferry

# Installed in two steps: what others wrote by hash, then this tree in place without asking any index.
$(STAMP): requirements/dev.txt pyproject.toml tools/hatch_build.py src/goferry/__init__.py
	@if [ ! -x $(PY) ]; then python=$$(sh tools/find-python) && "$$python" -m venv $(VENV); fi
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(PY) -m compileall -q src/goferry  # some shells forbid Python to keep what it compiled: it would do so at every start
	@touch $(STAMP)

%.mo: %.po tools/hatch_build.py $(STAMP)
	@$(PY) tools/i18n.py compile

serve: venv ## serve on 127.0.0.1:8080 with a local store (more flags: make serve ARGS="--addr :9090")
	@$(BIN)/goferry serve $(ARGS)

test: venv ## all tests at their everyday size
	$(BIN)/pytest -n $(JOBS) $(ARGS)

test-full: venv ## all tests at full size
	GOFERRY_TEST_FULL=1 $(BIN)/pytest -n $(JOBS) $(ARGS)

lint: venv ## ruff: rules and layout
	$(BIN)/ruff check --no-cache .  # a cached verdict on imports outlives the files it was about
	$(BIN)/ruff format --check .

types: venv ## mypy --strict
	$(BIN)/mypy

layers: venv ## imports point downwards
	$(BIN)/lint-imports

fmt: venv ## lay out the code and mend what can be mended by rule
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

i18n: venv ## bring the message catalogues up to date with the sources
	$(PY) tools/i18n.py update
	$(PY) tools/i18n.py compile

i18n-check: venv ## fail on missing, fuzzy or stale translations
	$(PY) tools/i18n.py check

docs: venv ## write the generated pages: settings and commands, in both languages
	$(PY) tools/docs.py

picture: venv ## draw the README terminal from a real run
	$(PY) tools/picture.py

check: lint types layers i18n-check ## everything that needs no test run
	$(PY) tools/docs.py --check

smoke: venv ## a real download from the real upstream through goferry
	$(PY) tools/smoke.py

lab: venv ## the doctor in every broken network of the lab: the table of docs/*/doctor-accuracy.md
	$(PY) tools/lab_matrix.py --jobs $(JOBS) $(ARGS)

goldens: venv ## what the real go says in every broken network of the lab
	$(PY) tools/goldens.py $(ARGS)

requirements: venv ## pin all dependencies anew, with hashes and without URLs
	$(BIN)/pip-compile $(COMPILE) --output-file=requirements/run.txt pyproject.toml
	$(BIN)/pip-compile $(COMPILE) --extra=dev --output-file=requirements/dev.txt pyproject.toml

COMPILE := --quiet --upgrade --allow-unsafe --strip-extras --generate-hashes \
	--no-emit-find-links --no-emit-index-url --no-emit-trusted-host

clean: ## remove everything that was made here
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/out
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(MO)

-include tools/bench.mk
