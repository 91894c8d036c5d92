# `make` or `make help` says what there is. Works with GNU make from 3.81 (macOS) on.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
# Test processes; each loads its own kernels, so that more than this gains nothing on a small machine.
WORKERS ?= auto
# Handed to pytest: make test ARGS="tests/unit -k stats"
ARGS ?=

.PHONY: help demo test fuzz plain bounds parity soak browser simulate kills lab bench lint format lock clean

help: ## List these targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## Run the research notebook on embedded real data; the report is left in output/demo
	@$(PYTHON) -m workbench.research.kernels
	@$(VENV)/bin/workbench demo

test: $(VENV)/.installed-test ## Run the test suite
	@$(PYTHON) -m workbench.research.kernels
	@$(PYTHON) -m pytest -n $(WORKERS) $(ARGS)

fuzz: $(VENV)/.installed-test ## Run the long random tests (minutes)
	@$(PYTHON) -m pytest -m fuzz $(ARGS)

# The law itself, run by Python: what a kernel does must not depend on its compiler.
LAW := tests/property/test_engine_against_reference.py tests/property/test_one_instant.py \
    tests/unit/test_indicators_hand_worked.py tests/unit/test_market_resample.py tests/unit/test_market_grid.py \
    tests/unit/test_costs_worked.py

plain: $(VENV)/.installed-test ## Run the tests of the kernels without compiling them
	@NUMBA_DISABLE_JIT=1 $(PYTHON) -m pytest -q $(LAW) $(ARGS)

# A cache of its own: a kernel that was compiled without the checks would be loaded as it is.
bounds: $(VENV)/.installed-test ## Run the tests of the kernels with every array access checked (slow)
	@NUMBA_BOUNDSCHECK=1 WORKBENCH_CACHE=$(CURDIR)/.workbench/cache-bounds $(PYTHON) -m pytest -q $(LAW) $(ARGS)

parity: $(VENV)/.installed-test ## Compare paper with backtest over months of real bars, stopped and restarted (minutes)
	@$(PYTHON) -m pytest -q -n $(WORKERS) -m parity $(ARGS)

soak: $(VENV)/.installed-test ## Thousands of schedules of faults, every bug put in, full disks, the demo (minutes)
	@$(PYTHON) -m pytest -q -n $(WORKERS) -m soak $(ARGS)

browser: $(VENV)/.installed-test ## Look at the panels in headless Chromium, in a real JupyterLab (minutes)
	@$(PYTHON) -m workbench.research.kernels
	@$(PYTHON) -m pytest -q -m browser $(ARGS)

# Which schedules of faults: a range of seeds. A failure prints its own. CLASS= and AMBIGUITY= narrow them.
SEEDS ?= 0:300

simulate: $(VENV)/.installed-test ## Play schedules of faults against the runner: make simulate SEEDS=0:2000
	@$(PYTHON) -m workbench.research.kernels
	@$(PYTHON) -m tests.simulation SEEDS=$(SEEDS) CLASS=$(CLASS) AMBIGUITY=$(AMBIGUITY)

# Killed, stopped and raced: WHAT is one of those that tests/kills/__main__.py lists, with how often.
WHAT ?= sqlite 20
kills: $(VENV)/.installed-test ## Put real processes through kills and races: make kills WHAT="races 1000"
	@$(PYTHON) -m workbench.research.kernels
	@$(PYTHON) -m tests.kills $(WHAT)

lab: $(VENV)/.installed ## Open JupyterLab on the notebooks, beside made-up deployments that trade on paper
	@$(PYTHON) -m workbench.research.kernels
	@$(PYTHON) -m workbench_jupyter.sample_lab output/lab notebooks $(ARGS)

bench: $(VENV)/.installed-bench ## Measure time and memory, beside the peers in the same run
	@$(PYTHON) -m pytest tests/bench -m bench -s $(ARGS)

lint: $(VENV)/.installed-test ## Check style and types
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m mypy

format: $(VENV)/.installed-test ## Sort imports, mend what ruff can mend
	@$(PYTHON) -m ruff check --fix

lock: $(VENV)/.installed-test ## Resolve requirements.lock anew from pyproject.toml
	@$(VENV)/bin/uv pip compile pyproject.toml --all-extras --universal --upgrade --quiet \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.lock

clean: ## Remove what was built, but not bars nor the virtual environment
	rm -rf build dist output .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find workbench tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment -------------------------------------------------------------------------------------

# Any Python the project supports, that can make a virtual environment.
define FIND_PYTHON
for name in python3 python3.13 python3.12 python3.11; do \
    if $$name -c 'import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then \
        found=$$name; break; \
    fi; \
done; \
if [ -z "$$found" ]; then \
    echo "No usable Python found: workbench needs 3.11, 3.12 or 3.13 with the venv module." >&2; \
    echo "  Debian, Ubuntu: sudo apt-get install python3 python3-venv" >&2; \
    echo "  macOS:          brew install python@3.13" >&2; \
    exit 1; \
fi
endef

# uv installs in a fraction of the time; where it cannot, pip does the same.
install = $(VENV)/bin/uv pip install --quiet --python $(PYTHON) --compile-bytecode -c requirements.lock -e '$(1)' \
    || $(PYTHON) -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '$(1)'

$(VENV)/bin/uv:
	@$(FIND_PYTHON); echo "Making $(VENV) with $$found"; $$found -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check uv || ln -sf "$$(command -v false)" $@

# Installing copies the panels to where JupyterLab finds them.
PANELS := $(shell find extension/labextension extension/jupyter-config -type f)

$(VENV)/.installed: pyproject.toml requirements.lock $(PANELS) | $(VENV)/bin/uv
	@echo "Installing workbench (once; a minute or so)"
	@$(call install,.)
	@touch $@

$(VENV)/.installed-test: pyproject.toml requirements.lock $(PANELS) | $(VENV)/bin/uv
	@echo "Installing workbench and its tests (once; a minute or so)"
	@$(call install,.[test])
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.installed-test
	@echo "Installing the peers that are measured beside it"
	@$(call install,.[test$(comma)bench])
	@touch $@

comma := ,
