# `make run` and `make test` set up all they need; Python 3.11 or newer is all they ask of the machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SBOM := sbom.json
SETUP := $(VENV)/.ready
DEV := $(VENV)/.ready-dev

.PHONY: run test check audit sbom bench screenshots soak lock clean

run: $(SETUP) ## set up and start the dashboard on http://127.0.0.1:8501
	$(BIN)/failtrace dashboard

test: $(DEV) ## set up and run every test, the browser's included
	$(BIN)/python tests/browser/install_chromium.py
	$(BIN)/python tests/cosmos/install_server.py
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: $(DEV) ## linters and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

audit: $(DEV) ## look for known vulnerabilities of what is installed
	$(BIN)/python .ci/audit.py

sbom: $(VENV)-sbom/.ready ## write the software bill of materials of requirements.txt to sbom.json
	$(VENV)-sbom/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
	    --output-format JSON --output-file $(SBOM)

bench: $(DEV) ## measure every row of benchmarks/results.md
	$(BIN)/python -m benchmarks

screenshots: $(DEV) ## renew the pictures of all pages in docs/images
	$(BIN)/python tests/browser/install_chromium.py
	$(BIN)/python -m benchmarks.screenshots

soak: $(DEV) ## the full counts of the figures that `make test` checks with small ones
	$(BIN)/python tests/cosmos/install_server.py
	$(BIN)/python -m pytest -m soak tests/soak $(ARGS)

lock: $(DEV) ## renew the three requirements files from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	    --extra cosmos --extra dashboard pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	    --all-extras --group dev pyproject.toml -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	    --group sbom -o requirements-sbom.txt

clean: ## remove what the commands above made
	rm -rf $(VENV) $(VENV)-sbom .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(SETUP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "failtrace needs Python 3.11 or newer and $(PYTHON) is older; run make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	    || { echo "$(PYTHON) cannot make virtual environments; on Debian run: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV): $(SETUP) requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)-sbom/.ready: requirements-sbom.txt
	$(PYTHON) -m venv $(VENV)-sbom
	$(VENV)-sbom/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-sbom.txt
	@touch $@
