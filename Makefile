# The verbs of the project. `make run` and `make test` work on a fresh machine with python3 (3.11 or later), pip, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ML_ASSETS := $(BIN)/ml-assets
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
# On all cores, which pip does not do, and only what was installed since, without the tests of packages. A few files of
# packages are templates, not Python.
COMPILE := find $(VENV) -name '*.py' ! -path '*/tests/*' $$(test -e $(VENV)/.compiled && echo -newer $(VENV)/.compiled) -print0 | \
	xargs -0 -r -P $$(getconf _NPROCESSORS_ONLN) -n 500 $(BIN)/python -m compileall -qq || true; touch $(VENV)/.compiled
# A pip that knows the groups of pyproject.toml, and installs in half the time of the pip that comes with Python 3.11.
NEW_PIP := $(PIP) 'pip>=25.1'
# What shows in a minute that a version of Python works: imports, the command line, the stages over a few days.
SMOKE := ml_assets_tests/test_imports.py ml_assets_tests/test_definitions.py ml_assets_tests/cli/test_command_group.py \
	ml_assets_tests/core/training ml_assets_tests/pipeline/training
# What users do is in `ml-assets` (docs/reference/cli.md); here are the set-up and the verbs of developers. Exit codes are passed on.
# Variables are read from the command line only (`make VERB NAME=value`): shells and build servers export MODEL or SEED for
# purposes of their own. PORT may come from the environment too, because it only chooses between free ports.
VARIABLES := MODEL CLOCKS SEED KILLS TESTS ONLY QUICK JSON DOCS YES
USES_MODEL := run
USES_CLOCKS := test-clocks
USES_SEED := test-clocks chaos
USES_KILLS := chaos
USES_TESTS := latest test-clocks
USES_ONLY := bench
USES_QUICK := bench
USES_JSON := bench
USES_DOCS := bench
USES_YES := clean
define ignore_environment
$(if $(filter environment%,$(origin $(1))),$(if $(filter $(USES_$(1)),$(MAKECMDGOALS)),$(info $(1) in the environment is ignored; write `make $(MAKECMDGOALS) $(1)=...` to set it))$(eval override undefine $(1)))
endef
$(foreach name,$(VARIABLES),$(call ignore_environment,$(name)))
ifeq ($(origin PORT),undefined)
PORT := 3000
endif
# make expands $ in the value of a variable, and the shell once more. $(value) takes it as it was typed, and recipes read
# it from the environment, so that a reason may contain any character.
$(foreach name,$(VARIABLES) PORT,$(if $(filter-out undefined,$(origin $(name))),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))
option = $(if $($(2)),$(1) "$$$(2)")
export DAGSTER_HOME ?= $(CURDIR)/data/dagster
# Dagster, the daemon included, stores the events of a range of days a few hundred at a time.
export DAGSTER_EVENT_BATCH_SIZE ?= 400
# Cached byte code saves every process a second or more of imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run run-s3 test test-clocks test-matrix latest chaos k8s-test k8s-approve ui lint audit hashes docs screenshots bench env clean

help:  ## List the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

run: $(VENV)/.installed  ## Materialize everything that the model of the newest day needs (MODEL=fraud_detection)
	@$(ML_ASSETS) run $(if $(MODEL),"$$MODEL")

run-s3: $(VENV)/.installed-dev  ## Do the same on an S3 server on this machine, twice (examples/s3)
	@$(BIN)/python examples/s3/run.py

test: $(VENV)/.installed-dev  ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-clocks: $(VENV)/.installed-dev  ## Run the tests that know about time under other clocks, zones and locales (CLOCKS="leap-day berlin-spring" SEED=7 TESTS=ml_assets_tests/core)
	@$(BIN)/python -m ml_assets_tests.support.fake_clock $(if $(CLOCKS),$$CLOCKS) $(call option,--seed,SEED) $(if $(TESTS),--tests $$TESTS)

test-matrix:  ## Install into an environment of its own for each of Python 3.11, 3.12 and 3.13 that is installed, and run a smoke set
	@status=0; for version in 3.11 3.12 3.13; do \
	python$$version -c pass 2>/dev/null || { echo "python$$version is not installed: left out"; continue; }; \
	python=.venv-matrix/$$version/bin/python; test -x $$python || python$$version -m venv .venv-matrix/$$version; \
	$$python $(NEW_PIP) && $$python $(PIP) --constraint constraints.txt --editable '.[all]' --group dev && \
	echo "python$$version:" && $$python -m pytest -n 2 --dist loadfile $(SMOKE) || status=1; done; exit $$status

latest:  ## Run the tests with the newest versions that pyproject.toml allows, in .venv-latest (PYTHON=python3.13; docs/reference/dependencies.md)
	@rm -rf $(VENV)-latest && $(PYTHON) -m venv $(VENV)-latest
	@$(VENV)-latest/bin/python $(NEW_PIP) && $(VENV)-latest/bin/python $(PIP) --editable '.[all]' --group dev
	@echo "Versions that differ from constraints.txt:"
	@$(VENV)-latest/bin/python -m pip freeze --exclude-editable | grep -vixFf constraints.txt || true
	@$(VENV)-latest/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(TESTS),$$TESTS)

chaos: $(VENV)/.installed-dev  ## Kill runs and inject faults, and compare the result with an undisturbed run (KILLS=200 SEED=1; docs/chaos.md)
	@$(BIN)/python -W ignore -m ml_assets_tests.chaos $(call option,--kills,KILLS) $(call option,--seed,SEED)

k8s-test: $(VENV)/.installed-dev  ## Submit the jobs of a training and a data step to the cluster of KUBECONFIG, and print what it accepted
	@$(BIN)/python -m pytest -n 0 -m kubernetes -rs -s ml_assets_tests/kubernetes

k8s-approve: $(VENV)/.installed-dev  ## Approve the Kubernetes jobs of all steps as they are now (review them with git diff)
	@$(BIN)/python -m ml_assets_tests.kubernetes.jobs 2>/dev/null

ui: $(VENV)/.installed  ## Open the Dagster UI on the same instance (PORT=3000)
	@$(ML_ASSETS) ui --port "$$PORT"

lint: $(VENV)/.installed-dev  ## Check style, types and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright && $(BIN)/lint-imports

audit: $(VENV)/.installed-dev  ## Look up every pinned dependency in the advisory database, or print the pins when it cannot be reached
	@$(ML_ASSETS) audit

hashes: $(VENV)/.installed  ## Write constraints-hashed.txt: the pins with the hashes of their files, for `pip install --require-hashes`
	@tools="$$(mktemp -d)" && trap 'rm -r "$$tools"' EXIT && $(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	$(BIN)/python -m ml_assets.cli.repository.hashes "$$tools/bin/uv"

docs: $(VENV)/.installed-dev  ## Write the generated pages and build the documentation as a site (site/index.html)
	@$(ML_ASSETS) docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet && echo "site/index.html"

screenshots: $(VENV)/.installed-screenshots  ## Take the screenshots of the documents (needs Chromium with its driver, and `make run` before)
	@$(BIN)/python docs/screenshots.py

bench: $(VENV)/.installed-dev  ## Measure the pipeline against plain functions and plain Dagster (ONLY=days,newday QUICK=1 JSON=out.json; DOCS=1 writes docs/benchmarks.md)
	@$(BIN)/python -W ignore -m benchmarks $(call option,--only,ONLY) $(if $(QUICK),--quick) $(call option,--json,JSON) $(if $(DOCS),--write-docs benchmarks/results.json)

env: $(VENV)/.installed  ## Print the variables with which your shell finds the instance, `dagster`, `dg` and `ml-assets` (eval "$(make env)")
	@$(ML_ASSETS) instance >/dev/null
	@echo 'export DAGSTER_HOME="$(DAGSTER_HOME)" DAGSTER_EVENT_BATCH_SIZE="$(DAGSTER_EVENT_BATCH_SIZE)" VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PATH" $(if $(MLFLOW_TRACKING_URI)$(ML_ASSETS_DATABASE),,MLFLOW_TRACKING_URI="sqlite:///$(CURDIR)/data/mlflow.db")'

clean:  ## Remove the data directory; ask before landed files go that were not simulated (YES=1 does not ask)
	@test ! -d data || if test -x $(ML_ASSETS); then $(ML_ASSETS) --project . clean $(if $(YES),--yes); \
	else echo "data stays: without $(VENV) nobody can tell simulated files from your own; remove it by hand" >&2; exit 1; fi

# A folder .venv is complete when its scripts start with its own Python, which works and has the packages. It is not after
# an interruption, and not after the repository or Python moved. A link to an environment elsewhere is taken as it is.
VENV_WORKS = head -n 3 $(ML_ASSETS) 2>/dev/null | grep -qF "$(CURDIR)/$(BIN)/python" && \
	$(BIN)/python -c 'import importlib.util as u; u.find_spec("dagster") or exit(1)' 2>/dev/null
$(if $(wildcard $(VENV)/.installed),$(shell test -L $(VENV) || { $(VENV_WORKS); } || rm -f $(VENV)/.installed*))

# Check Python, create what is missing of the environment, and upgrade its pip.
define PREPARE
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ml_assets needs Python 3.11 or later, but this is " + sys.version)'
@echo "Installing into $(VENV) (one or two minutes on a fast network)" >&2
@test -L $(VENV) || $(BIN)/python -c pass 2>/dev/null && { test ! -e $(ML_ASSETS) || test -L $(VENV) || \
	head -n 3 $(ML_ASSETS) | grep -qF "$(CURDIR)/$(BIN)/python"; } || $(PYTHON) -m venv --clear $(VENV)
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null 2>&1 || \
	{ echo "$(VENV) has no pip, and ensurepip cannot install it: remove it (rm -r $(VENV)) and try again" >&2; exit 1; }
@$(BIN)/python $(NEW_PIP)
endef

# Python's warnings are off, because setuptools warns about every editable installation.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PREPARE)
	@PYTHONWARNINGS=ignore $(BIN)/python $(PIP) --constraint constraints.txt --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.installed-screenshots: $(VENV)/.installed
	@$(BIN)/python $(PIP) --constraint constraints.txt --group screenshots
	@$(COMPILE)
	@touch $@

# Whoever only tests installs once. Beside a verb of users (`make --jobs run test`) one waits for the other.
$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(if $(filter run ui env hashes,$(MAKECMDGOALS)),$(VENV)/.installed)
	$(PREPARE)
	@PYTHONWARNINGS=ignore $(BIN)/python $(PIP) --constraint constraints.txt --editable '.[all]' --group dev
	@$(COMPILE)
	@touch $(VENV)/.installed $@
