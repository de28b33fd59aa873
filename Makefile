# Everything runs in .venv, which the first target that needs it makes. `make` alone lists the targets.

ifneq ($(firstword $(sort $(MAKE_VERSION) 3.81)),3.81)
$(error GNU make 3.81 or newer is needed, this is $(or $(MAKE_VERSION),an older one))
endif

PYTHON ?= python3
VENV := .venv
FRAMEWORKS := $(VENV)-frameworks
OLDEST := $(VENV)-oldest
BIN := $(VENV)/bin
INSTALL := -m pip --disable-pip-version-check --no-input install --quiet --no-compile
PIP := $(BIN)/python $(INSTALL)
SITE := _build/html
PORT ?= 8000
RECIPES ?= constant step multistep exponential warmup-step warmup-multistep warmup-exponential \
  constant-004 exponential-001
DATA ?= cifar10
NOTEBOOKS := $(wildcard book/*/*.ipynb)
# JupyterLab refuses to start as root unless it is told, and root is who one is in a container.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.DEFAULT_GOAL := help
.PHONY: help book serve test lab lint format types unit nbval site site-test notebook notebooks figures \
        frameworks oldest bench ladder comparison parity results clean

help: ## list the targets
	@echo "Optimizers from Scratch: make <target>"
	@sed -n 's/^\([a-z-]*\):.*## /  \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-13s %s\n", $$1, $$2}'

book: $(VENV)/.book ## build the site into _build/html (installs what that needs, no torch)
	@$(MAKE) --no-print-directory site
	@echo "The book is in $(SITE)/index.html; make serve shows it at http://localhost:$(PORT)"

serve: ## show the built site at http://localhost:8000 (PORT=... for another port)
	@test -f $(SITE)/index.html || { echo "there is no site yet: run make book first"; exit 1; }
	@echo "http://localhost:$(PORT)  (Ctrl-C stops)"
	@$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(SITE) >/dev/null 2>&1

test: $(VENV)/.test ## run every check: lint, types, unit, notebooks, site, browser
	@$(BIN)/python tests/run.py

lab: $(VENV)/.lab ## open the notebooks in JupyterLab
	@$(if $(AS_ROOT),echo "you are root: JupyterLab is started with $(AS_ROOT)")
	@$(BIN)/jupyter-lab book $(AS_ROOT)

lint: $(VENV)/.test ## ruff: lint and formatting, notebooks included
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

format: $(VENV)/.test ## let ruff mend what it can
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

types: $(VENV)/.test ## mypy on the package
	@$(BIN)/mypy

unit: $(VENV)/.test ## unit tests and doctests
	@$(BIN)/pytest -n 2 --ignore=tests/site

# In empty folders against the wheel, as readers have it; NOTEBOOKS=... for some of them.
nbval: $(VENV)/.test ## run every notebook against the wheel, compare its outputs with the committed ones
	@$(BIN)/python tests/installed.py $(NOTEBOOKS)

site: $(VENV)/.book
	@$(BIN)/jupyter-book build --all -q -W -n --keep-going .
	@$(BIN)/python tests/site/check_pages.py $(SITE)

site-test: $(VENV)/.test ## drive a real browser over the built site
	@$(BIN)/pytest tests/site

notebook: $(VENV)/.test ## run one notebook in place: make notebook NB=book/optimizers/momentum.ipynb
	@$(BIN)/python tests/notebooks.py run $(NB)

notebooks: $(VENV)/.test ## run every notebook in place
	@$(BIN)/python tests/notebooks.py run $(NOTEBOOKS)

figures: $(VENV)/.test ## run every notebook and compare its pictures with the committed ones
	@$(BIN)/python tests/notebooks.py compare $(NOTEBOOKS)

frameworks: $(FRAMEWORKS)/.test ## our schedulers in Lightning, accelerate, transformers, ignite, skorch
	@$(FRAMEWORKS)/bin/python -m pytest tests/frameworks

oldest: $(OLDEST)/.test ## the package with the oldest versions that it admits
	@$(OLDEST)/bin/python -m pytest -k "not 4-SWALR" optim_scratch tests/experiments tests/training \
	  tests/test_checks.py tests/test_descent.py tests/test_parameter.py tests/test_plot.py \
	  tests/problems tests/test_registry.py tests/test_saving.py tests/test_surfaces.py

bench: $(VENV)/.test ## speed, as ratios measured side by side
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.bench

ladder: $(VENV)/.test ## measure every method on the digits anew (5 minutes); LINES='"Adam" "SAM"' for some of them
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m optim_scratch.ladder $(LINES)

comparison: $(VENV)/.test ## measure the curves of sensitivity to the rate anew (20 minutes); LINES as for the ladder
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m optim_scratch.comparison $(LINES)

parity: $(VENV)/.test ## measure each class against its reference where that is out of date; CLASSES=all for all (10 minutes)
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/parity.py $(CLASSES)

results: $(VENV)/.test ## train the recipes that have no record yet (hours); RECIPES=..., DATA=...
	@$(BIN)/optim-lab run $(RECIPES) --data $(DATA)

clean: ## remove what was built, but not .venv
	@rm -rf _build build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	@find . -name __pycache__ -not -path './$(VENV)*' -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) not found: install Python 3.11 or newer, or run make PYTHON=<path> ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is older: run make PYTHON=<path> ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) lacks venv: install it (on Debian: apt install python3-venv)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# A stamp stands for an installed environment, so that nothing is installed twice.
$(VENV)/.book: pyproject.toml requirements.txt | $(BIN)/python
	@echo "installing what the site needs ..."
	@$(PIP) -c requirements.txt -e '.[book]'
	@touch $@

$(VENV)/.test: pyproject.toml requirements.txt | $(BIN)/python
	@echo "installing everything the tests need ..."
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@ $(VENV)/.book

$(VENV)/.lab: pyproject.toml requirements.txt | $(BIN)/python
	@echo "installing JupyterLab and what the chapters need ..."
	@$(PIP) -c requirements.txt -e '.[lab]'
	@touch $@

$(FRAMEWORKS)/.test: pyproject.toml tests/frameworks/constraints.txt | $(BIN)/python
	@echo "installing the frameworks into $(FRAMEWORKS) ..."
	@$(BIN)/python -m venv $(FRAMEWORKS)
	@$(FRAMEWORKS)/bin/python $(INSTALL) -c tests/frameworks/constraints.txt -e '.[frameworks]'
	@touch $@

$(OLDEST)/.test: pyproject.toml tests/oldest.txt | $(BIN)/python
	@echo "installing the oldest versions into $(OLDEST) (with torch's CUDA on Linux: gigabytes) ..."
	@$(BIN)/python -m venv $(OLDEST)
	@$(OLDEST)/bin/python $(INSTALL) -c tests/oldest.txt -e '.[plot,torch]' pytest hypothesis pyparsing \
	  prodigyopt schedulefree pytorch-optimizer
	@touch $@
