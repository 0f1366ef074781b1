# The only commands anyone must know. Each is a line or two over `lanework`.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin

.PHONY: help demo dev test soak check fmt lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Renewed whenever pyproject.toml or the lock changed; the stamp is written last, so an interrupted install is repeated.
$(VENV)/stamp: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Lanework needs Python 3.11 or newer, this is %s; try: make PYTHON=python3.13" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(RUN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/stamp ## Start the embedded stack, run real jobs through all five lanes, check every outcome, stop
	@$(RUN)/lanework demo

dev: $(VENV)/stamp ## Keep the embedded stack up until Ctrl-C
	@$(RUN)/lanework dev

test: $(VENV)/stamp ## Run the whole suite
	@$(RUN)/pytest

soak: $(VENV)/stamp ## Look for lost jobs with fresh seeds, for MINUTES=30; what breaks is printed with its SEED
	@PYTHONPATH=shared:. $(RUN)/python -m tests.unit.proof.soak $(or $(MINUTES),30) $(SEED)

check: $(VENV)/stamp ## Lint, types, import contracts, template
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/lanework check

fmt: $(VENV)/stamp ## Format the code and fix what can be fixed
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

lock: $(VENV)/stamp ## Renew requirements.lock from pyproject.toml
	$(RUN)/uv pip compile pyproject.toml --extra local --group dev --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --upgrade --quiet --output-file requirements.lock

clean: ## Remove what the targets made
	rm -rf $(VENV) .lanework .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
