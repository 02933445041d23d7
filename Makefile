.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= $(or $(BOTTOMLINE_PORT),8000)
PROCESSES ?= 2
BIN := .venv/bin

.PHONY: help run test unit check format up down example faults bench api events screenshots lock clean

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: .venv/.run ## Start the embedded service on http://localhost:8000 (PORT=…); data and mails under var/
	@BOTTOMLINE_PORT=$(PORT) exec $(BIN)/bottomline serve

test: .venv/.dev ## Run every test, on real servers too (found, or started for the run)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal

unit: .venv/.dev ## Run the tests that need no server
	@$(BIN)/python -m pytest tests/unit

check: .venv/.dev ## Lint, format, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: .venv/.dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

up: ## Start everything in containers on http://localhost:8000 (mail: http://localhost:8025)
	@if docker compose version >/dev/null 2>&1; then docker compose up --build --detach --wait; \
	  else docker-compose up --build --detach; fi

down: ## Stop the containers (data is kept in volumes)
	@if docker compose version >/dev/null 2>&1; then docker compose down; else docker-compose down; fi

example: ## Start the example that Bottomline protects, behind nginx (see examples/posts/README.md)
	@mkdir -p var/example
	@trap 'kill $$! 2>/dev/null' EXIT; $(PYTHON) examples/posts/posts.py & \
	  PATH="$$PATH:/usr/sbin" nginx -p var/example -e stderr -c $(CURDIR)/examples/posts/nginx.conf

faults: .venv/.dev ## Kill, freeze, cut off and lie to every server while 10,000 sign up; takes half an hour (SEED=… repeats one)
	@$(BIN)/python -m tests.integration.faults.campaign $(if $(SEED),--seed $(SEED))

bench: .venv/.dev ## Measure; writes bench/results.md
	@$(BIN)/python -m bench

api: .venv/.dev ## Write what docs/api.md says of each endpoint and code
	@$(BIN)/python -m tests.api_page

events: .venv/.dev ## Write what docs/ says of each event, for people and for programs
	@$(BIN)/python -m tests.events_page

screenshots: .venv/.dev ## Photograph every page and mail into var/screenshots, and four for the README
	@$(BIN)/python -m tests.integration.browser.screenshots

lock: .venv/.dev ## Resolve the dependencies anew into hash-pinned locks
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-header --group dev pyproject.toml -o requirements-dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-header --group build -c requirements-dev.lock pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes --no-annotate \
	  --no-emit-index-url --no-emit-find-links --no-header --group argon2 -o requirements-argon2.lock

clean: ## Remove the virtual environment and caches (not var/)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Bottomline needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "Python's venv module is missing (on Debian: apt-get install python3-venv)"; exit 1; }

.venv/.run: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv (once, about half a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.run
	@echo "Adding what tests and checks need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
