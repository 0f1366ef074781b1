# The only commands anyone must know. Each is a line or two over `lanework`.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin
SAM    := .venv-sam
SCAN   := .venv-checkov
STACK  := .venv-localstack
CDK    := .venv-cdk
OTHER  := .venv-languages

RUNTIME      ?= python3.13
ARCHITECTURE ?= arm64

.PHONY: help demo dev seeds load test test-browser pictures test-iam test-sam test-adoption test-django test-frameworks test-cdk test-aws-events test-open-message test-transactions test-databases outbox-proof test-localstack proof soak check scan bench build fmt lock clean python313

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Renewed whenever pyproject.toml or the lock changed; the stamp is written last, so an interrupted install is repeated.
$(VENV)/stamp: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Lanework needs Python 3.11 or newer, this is %s; try: make PYTHON=python3.13" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(RUN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The SAM CLI pins what it needs; it shares no environment with the code.
$(SAM)/stamp:
	test -x $(SAM)/bin/python || $(PYTHON) -m venv $(SAM)
	$(SAM)/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0
	@touch $@

# The CDK is large, and pins what it needs.
$(CDK)/stamp: pyproject.toml
	test -x $(CDK)/bin/python || $(PYTHON) -m venv $(CDK)
	$(CDK)/bin/pip install --quiet --disable-pip-version-check aws-cdk-lib==2.275.0 -e ".[cdk]"
	@touch $@

# So does checkov, which pins boto3.
$(SCAN)/stamp:
	test -x $(SCAN)/bin/python || $(PYTHON) -m venv $(SCAN)
	$(SCAN)/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30
	@touch $@

# LocalStack runs on Python 3.13 only, and pins what it needs: `make test-localstack PYTHON313=…` where none is found.
PYTHON313 ?= $(shell for one in python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13); do \
	$$one -c "" 2>/dev/null && echo $$one && break; done)

python313:
	@echo $(PYTHON313)

$(STACK)/stamp: localstack/host/pyproject.toml localstack/host/requirements.lock localstack/host/dynamodb_by_moto.py
	@test -n "$(PYTHON313)" || { echo "LocalStack without Docker needs Python 3.13, and none is found; try: make test-localstack PYTHON313=/path/to/python3.13" >&2; exit 1; }
	test -x $(STACK)/bin/python || $(PYTHON313) -m venv $(STACK)
	$(STACK)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r localstack/host/requirements.lock
	$(STACK)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall ./localstack/host
	@touch $@

# Each Django has an environment of its own; from 6.0 on it wants Python 3.12: `make test-django PYTHON312=…` where none is found.
DJANGO := .venv-django
PYTHON312 ?= $(shell for one in python3.13 python3.12 $(wildcard $(HOME)/.pyenv/versions/3.1[23].*/bin/python3); do \
	$$one -c "import sys; sys.exit(sys.version_info < (3, 12))" 2>/dev/null && echo $$one && break; done)
DJANGOS := 5.2 $(if $(PYTHON312),6.0 6.1)
OF_DJANGO = $(RUN)/uv pip install --quiet --python $(@D)/bin/python

$(DJANGO)/%/stamp: tests/django/requirements/%.txt tests/django/requirements/every.txt pyproject.toml requirements.lock $(VENV)/stamp
	@$(RUN)/uv venv --quiet --clear --python $(if $(filter 5.2,$*),$(RUN)/python,$(PYTHON312)) $(@D)
	@$(OF_DJANGO) --requirement $< --requirement tests/django/requirements/every.txt --constraint requirements.lock -e '.[local,emulator]'
	@$(if $(filter 5.2,$*),,mkdir -p $(@D)/sdist && $(@D)/bin/python -m pip download --quiet --disable-pip-version-check --no-binary :all: --no-deps \
		--dest $(@D)/sdist --requirement $< && tar -xzf $(@D)/sdist/*.tar.gz -C $(@D)/sdist)
	@touch $@

demo: $(VENV)/stamp ## Start the embedded stack, run real jobs through all five lanes, check every outcome, stop
	@$(RUN)/lanework demo

dev: $(VENV)/stamp ## Keep the embedded stack up until Ctrl-C, with a dashboard and jobs to look at
	@$(RUN)/lanework dev --demo

# Each of the processes that tests start would compile Lanework anew, where the environment says that none keeps bytecode.
unexport PYTHONDONTWRITEBYTECODE

test: $(VENV)/stamp ## Run the whole suite; WORKERS=4 at once, since most of them wait
	@$(RUN)/pytest --numprocesses=$(or $(WORKERS),4)

test-browser: $(VENV)/stamp ## Use the dashboard in a browser: wants Chromium, such as apt-get install chromium
	@$(RUN)/pytest tests/browser

pictures: $(VENV)/stamp ## Take the pictures of the dashboard that docs/ shows, with the same Chromium
	@PYTHONPATH=shared:. $(RUN)/python -m tests.browser.pictures docs/pictures

test-iam: $(VENV)/stamp ## Run tests/e2e where IAM decides, each function with its own role, and take rights away from each role
	@LANEWORK_TESTS_ON=iam $(RUN)/pytest tests/e2e tests/iam --numprocesses=$(or $(WORKERS),4)

test-sam: $(VENV)/stamp $(SAM)/stamp ## Build and deploy to an emulator with the real SAM CLI
	@$(RUN)/pytest tests/sam

test-adoption: $(VENV)/stamp $(SAM)/stamp ## Make a project with the wheel in a clean environment, and run all that it offers
	@$(RUN)/pytest tests/adoption

test-cdk: $(VENV)/stamp $(CDK)/stamp ## Synthesise a CDK app, compare it with template.yaml, and deploy it to an emulator: wants Node.js
	@$(RUN)/pytest tests/cdk --numprocesses=0

test-frameworks: $(VENV)/stamp ## Enqueue from servers and pools that fork after they have used the application
	@$(RUN)/pytest tests/frameworks

# What a program in another language is written with: the AWS SDK of Node and the AWS CLI, which pins botocore.
$(OTHER)/stamp:
	test -x $(OTHER)/bin/python || $(PYTHON) -m venv $(OTHER)
	$(OTHER)/bin/pip install --quiet --disable-pip-version-check awscli==1.46.3
	npm install --prefix $(OTHER) --no-save --no-package-lock --no-audit --no-fund --silent @aws-sdk/client-sqs@3.1175.0
	@touch $@

test-aws-events: $(VENV)/stamp ## Send events of S3, SNS, EventBridge and SQS to the embedded stack, twice and out of order
	@$(RUN)/pytest tests/aws_events --numprocesses=0

test-open-message: $(VENV)/stamp $(OTHER)/stamp ## Send the open messages of docs/open-message.md from Node and the AWS CLI: wants Node.js
	@$(RUN)/pytest tests/languages --numprocesses=0

test-transactions: $(VENV)/stamp ## Write 2,000 items with their jobs, half in vain, by a producer that is killed between commit and send
	@$(RUN)/pytest tests/transactions --numprocesses=0

test-django: $(addprefix $(DJANGO)/,$(addsuffix /stamp,$(DJANGOS))) ## Test lanework.django with each Django that it supports: wants a PostgreSQL, such as apt-get install postgresql
	@set -e; for one in $(DJANGOS); do echo "Django $$one"; (cd tests/django && ../../$(DJANGO)/$$one/bin/python -m pytest --quiet); done
	@$(if $(PYTHON312),,echo "################ NOT RUN: Django 6.0 and 6.1 need Python 3.12 or newer, and none is found here ################" >&2)

test-databases: $(VENV)/stamp ## Test the outbox on PostgreSQL and MariaDB: apt-get install postgresql mariadb-server
	@$(RUN)/pytest tests/databases

outbox-proof: $(VENV)/stamp ## Kill writers and relays of an outbox in TRANSACTIONS=10000, and show that the committed jobs ran, once each
	@PYTHONPATH=shared:. $(RUN)/python -m tests.support.outbox_proof $(or $(TRANSACTIONS),10000)

test-localstack: $(VENV)/stamp ## Run contract and integration tests on LocalStack: its container, or a process of Python 3.13
	@docker info >/dev/null 2>&1 || $(MAKE) --no-print-directory $(STACK)/stamp
	@LANEWORK_TESTS_ON=localstack $(RUN)/pytest tests/contract tests/integration tests/localstack

seeds: $(VENV)/stamp ## Show every promise of docs/seeds.md on the embedded stack, and renew its tables
	@$(RUN)/pytest tests/seeds --numprocesses=0 --renew-table

load: $(VENV)/stamp ## A hundred password resets at once, alone and under pressure: prints the numbers, fails when over
	@PYTHONPATH=shared:. $(RUN)/python -m tests.seeds.load

proof: $(VENV)/stamp ## Look for broken promises in all examples, of which `make test` takes a fifth, and run 100,000 jobs of a workflow
	@LANEWORK_PROOF=full $(RUN)/pytest tests/unit/proof tests/contract/test_proof_on_moto.py tests/unit/test_a_workflow_of_100_000_jobs.py

soak: $(VENV)/stamp ## Look for lost jobs with fresh seeds, for MINUTES=30 (what breaks is printed with its SEED), then for leaks
	@PYTHONPATH=shared:. $(RUN)/python -m tests.unit.proof.soak $(or $(MINUTES),30) $(SEED)
	@LANEWORK_SOAK_JOBS=20000 $(RUN)/pytest --numprocesses=0 --timeout=1800 tests/integration/test_worker_memory.py

bench: $(VENV)/stamp ## Measure beside a bare boto loop and the peers, and write docs/performance.md; QUICK=1 for the least of it
	@PYTHONPATH=shared:. $(RUN)/python -m bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

check: $(VENV)/stamp ## Lint, types, import contracts, template
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/lanework check

scan: $(SCAN)/stamp ## Look for open doors in template.yaml; .checkov.yaml has the exceptions, each with its reason
	@CKV_SKIP_PACKAGE_UPDATE_CHECK=true $(SCAN)/bin/checkov --config-file .checkov.yaml

# For another machine: make build RUNTIME=python3.11 ARCHITECTURE=x86_64; it deploys to no other.
build: $(VENV)/stamp $(SAM)/stamp ## Build what sam deploy sends: the layer and the functions, into .aws-sam/
	@PATH="$(CURDIR)/$(RUN):$$PATH" TIED=1 RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) SAM_CLI_TELEMETRY=0 \
		$(SAM)/bin/sam build --parameter-overrides Runtime=$(RUNTIME) Architecture=$(ARCHITECTURE)
	@$(RUN)/python -m lanework.local.deployment.built $(RUNTIME) $(ARCHITECTURE)

fmt: $(VENV)/stamp ## Format the code and fix what can be fixed
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

COMPILE = $(RUN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-emit-index-url --quiet
IN_LAMBDA = boto3 botocore s3transfer urllib3 python-dateutil six jmespath
ONLY_OF_THE_CLI = typer rich click shellingham markdown-it-py mdurl pygments colorama annotated-doc dnspython

lock: $(VENV)/stamp ## Renew the versions: everyone's here, then of them the layer's and the container's
	$(COMPILE) --python-version 3.11 --extra local --group dev --upgrade --output-file requirements.lock
	$(RUN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN)/python -m lanework.aws.service_data.strip
	$(COMPILE) --python-version 3.11 --constraint requirements.lock --no-annotate \
		$(addprefix --no-emit-package ,$(IN_LAMBDA) $(ONLY_OF_THE_CLI)) --output-file shared/requirements.txt
	$(COMPILE) --python-version 3.13 --constraint requirements.lock --no-annotate --output-file infra/worker/requirements.txt
	cd localstack/host && $(CURDIR)/$(COMPILE) --python-version 3.13 --no-annotate --upgrade --output-file requirements.lock

clean: ## Remove what the targets made
	rm -rf $(VENV) $(SAM) $(SCAN) $(STACK) $(CDK) $(OTHER) $(DJANGO) .aws-sam .lanework .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
