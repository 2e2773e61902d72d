# Every recipe works without an activated environment. A variable may follow the target:
#   make run PORT=9000        make test ARGS='-k imports'        make setup PYTHON=python3.13
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
ARGS ?=

# Programs of .venv are found by name, by honcho's children too.
export PATH := $(BIN):$(PATH)
export TZ := UTC
export PYTHONUNBUFFERED := 1

FAST := not slow and not integration and not browser and not soak
COMPILE := uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --no-header --python-version 3.11
# Two jobs at a time, all of them even if one fails, each one's output in one piece where make can.
TOGETHER := $(MAKE) --no-print-directory --jobs=2 --keep-going \
	$(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.PHONY: help setup dev services run test quick check soak bench format migrate translations lock \
	check-format check-style check-types check-layers check-templates check-drift test-fast

help:  ## this list
	@awk -F ':[^#]*## +' '/^[a-z]+:[^#]*##/ { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## install what running needs (APT=1: system packages through sudo, APT=0: none)
	@$(PYTHON) -m scripts.setup

dev:
	@$(PYTHON) -m scripts.setup --dev

services:
	@$(PYTHON) -m scripts.setup --dev --services

# `exec` makes honcho the recipe's own process, which make tells of a SIGTERM and waits for. honcho
# would let .env overrule the environment, so it gets none (the application reads .env by itself),
# and gives PORT to its children, so it is told the one that counts.
run: setup  ## start the application: web and worker
	@flask --app webapp prepare
	@PORT=$${PORT:-$$(dotenv get PORT 2>/dev/null)}; export PORT=$${PORT:-5000}; \
	exec honcho start -e /dev/null web worker

test: services  ## run all tests (ARGS='-k name' for some)
	@pytest -n 2 $(ARGS)

quick: dev  ## before every commit: format, lint, types, layers, fast tests
	@$(TOGETHER) check-format check-style check-types check-layers test-fast

check: services  ## everything: linters, templates, migration drift, all tests
	@$(TOGETHER) check-format check-style check-types check-layers check-templates check-drift
	@$(MAKE) --no-print-directory test

soak: services  ## the full matrix of databases and servers, and the long tests
	@pytest -n 2 -m '' $(ARGS)

bench: services  ## speed and memory against what they are compared with (ARGS=exports for one)
	@python -m bench $(ARGS)

format: dev  ## format the code and apply safe fixes
	@ruff check --fix-only --quiet .
	@ruff format .

migrate: setup  ## bring the database to the newest migration
	@flask --app webapp db upgrade

translations: dev  ## collect the texts of pages into the catalogues
	@pybabel --quiet extract --mapping webapp/translations/babel.cfg --keywords 'N_ _l' --no-location --sort-output \
		--omit-header --output webapp/translations/messages.pot .
	@pybabel --quiet update --input-file webapp/translations/messages.pot --output-dir webapp/translations \
		--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@rm webapp/translations/messages.pot

lock: dev  ## compile requirements*.in and package.json into lock files
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-bootstrap.in -o requirements-bootstrap.txt
	@$(COMPILE) requirements-node.in -o requirements-node.txt
	@npm install --package-lock-only

check-format:
	@ruff format --check .

check-style:
	@ruff check .

check-types:
	@mypy

check-layers:
	@lint-imports

check-templates:
	@djlint --quiet --lint templates

# On a new database of its own, whatever the environment says.
check-drift:
	@DATA_DIR=$$(mktemp -d) && trap 'rm -rf "$$DATA_DIR"' EXIT && export DATA_DIR DATABASE_URL= REDIS_URL= && \
	flask --app webapp db upgrade && flask --app webapp db check

test-fast:
	@pytest -n 2 -m '$(FAST)' $(ARGS)
