# Everything one must know to work here. `make` alone lists the targets.
# All of it runs in .venv, which is made of requirements-dev.lock and remade when that changes.

# The first of these that runs and is new enough; `make PYTHON=...` overrides it.
NEW_ENOUGH := import sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# The pip options keep index addresses, which differ from machine to machine, out of the lock files.
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --all-build-deps \
	--no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.DEFAULT_GOAL := help
.PHONY: help run test pure check format accept bench lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

run: $(STAMP) ## serve the embedded model, ask it the first questions, keep serving (RUN_ONCE=1: stop then)
	@exec $(BIN)/python -m docker.first_run

test: $(STAMP) ## run the whole suite (PYTEST_ARGS=... is passed on)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

pure: $(STAMP) ## the tests of the SQL rooms against the pure Python build of sqlglot
	rm -rf build/pure
	$(PIP) install --quiet --no-deps --target build/pure \
		"sqlglot==$$($(BIN)/python -c 'import sqlglot; print(sqlglot.__version__)')"
	PYTHONPATH=$(CURDIR)/build/pure $(BIN)/python -c 'import sqlglot.parser as p; assert p.__file__.endswith(".py"), p.__file__'
	PYTHONPATH=$(CURDIR)/build/pure $(BIN)/python -m pytest tests/sql tests/plan tests/test_slt.py $(PYTEST_ARGS)

check: $(STAMP) ## formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## format the code, apply the linter's safe fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

accept: $(STAMP) ## rewrite expected outputs; read the diff before you commit it
	$(BIN)/python -m pytest --accept $(PYTEST_ARGS)

bench: $(STAMP) ## measure against the targets, write docs/benchmarks.md (ARGS=... one group)
	$(BIN)/python -m benchmarks.run $(ARGS)

lock: $(STAMP) ## pin the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --extra local --output-file requirements.lock pyproject.toml
	$(COMPILE) --upgrade --extra local --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove .venv and all caches; .modelwire, with the catalog and the model, stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# pip speaks one line per package; on a terminal they become one line that counts.
$(STAMP): requirements-dev.lock pyproject.toml
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "Python 3.11 or newer with its venv module is needed, and '$(PYTHON)' is not that." >&2; \
		echo "Name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$("$(PYTHON)" --version) and installing the pinned packages ..."
	@"$(PYTHON)" -m venv --clear $(VENV) || { \
		echo "That Python cannot make virtual environments (on Debian: apt install python3-venv)." >&2; exit 1; }
	@{ $(PIP) install --require-hashes -r requirements-dev.lock || echo FAILED; } | awk \
		-v terminal="$$(test -t 2 && echo 1)" -v total="$$(grep -c '^[^ ]*==' requirements-dev.lock)" ' \
		/^(Collecting|Processing)/ && terminal { printf "\r  %2d of %d: %-40s", ++n, total, $$2; fflush() } \
		/^Installing/ && terminal { printf "\r  unpacking %-50s", ""; fflush() } \
		/^FAILED$$/ { failed = 1 } \
		END { if (terminal) print ""; exit failed }'
	@PYTHONWARNINGS=ignore $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
