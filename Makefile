# The verbs of the project. `make run` and `make test` work on a fresh machine with python3 (3.11 or later), pip, git and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ML_ASSETS := $(BIN)/ml-assets
# The variables of the verbs. They are read from the command line only (`make VERB NAME=value`): shells and build
# servers export HOST, MODEL or VERSION for purposes of their own. PORT may come from the environment too, because it
# only chooses between free ports.
VARIABLES := MODEL JOB DAYS OUT FILE DAMAGED SCRUB REASON ACTOR VERSION HOST CLOCKS SEED KILLS TESTS ONLY QUICK JSON DOCS
MODEL_VERBS := run plan quarantine repair releases restore rollback pause resume canary promote serve kserve
USES_MODEL := $(MODEL_VERBS)
USES_JOB := plan
USES_DAYS := plan quarantine
USES_OUT := quarantine
USES_FILE := repair
USES_DAMAGED := repair
USES_SCRUB := doctor
USES_REASON := rollback pause resume canary promote
USES_ACTOR := $(USES_REASON)
USES_VERSION := canary promote
USES_HOST := serve
USES_CLOCKS := test-clocks
USES_SEED := test-clocks chaos
USES_KILLS := chaos
USES_TESTS := latest test-clocks
USES_ONLY := bench
USES_QUICK := bench
USES_JSON := bench
USES_DOCS := bench
define ignore_environment
$(if $(filter environment%,$(origin $(1))),$(if $(filter $(USES_$(1)),$(MAKECMDGOALS)),$(info $(1) in the environment is ignored; write `make $(MAKECMDGOALS) $(1)=...` to set it))$(eval override undefine $(1)))
endef
$(foreach name,$(VARIABLES),$(call ignore_environment,$(name)))
ifeq ($(origin PORT),undefined)
PORT := $(if $(filter serve,$(MAKECMDGOALS)),8000,3000)
endif
HOST ?= 127.0.0.1
MODEL ?= fraud_detection
JOB ?= daily
# make expands $ in the value of a variable, and the shell once more. $(value) takes it as it was typed, and recipes read
# it from the environment, so that a reason may contain any character.
$(foreach name,$(VARIABLES) PORT,$(if $(filter-out undefined,$(origin $(name))),$(eval override $(name) := $$(value $(name)))$(eval export $(name))))
option = $(if $($(2)),$(1) "$$$(2)")
# Dagster's state is in PostgreSQL when ML_ASSETS_DATABASE is set (postgresql://user@host/database), else in SQLite files.
INSTANCE := $(if $(ML_ASSETS_DATABASE),dagster-postgres.yaml,dagster.yaml)
export DAGSTER_HOME ?= $(CURDIR)/data/dagster
# Dagster, the daemon included, stores the events of a range of days a few hundred at a time.
export DAGSTER_EVENT_BATCH_SIZE ?= 400
# Nobody else may read what is created in DAGSTER_HOME; `ml-assets` and the code location do the same for themselves.
PROTECT := umask "$${ML_ASSETS_UMASK:-077}"
# Cached byte code saves every process a second or more of imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run run-s3 plan quarantine repair releases restore rollback pause resume canary promote notifications notify-test serve kserve test test-clocks latest chaos doctor k8s-test k8s-approve ui lint audit hashes docs screenshots bench env clean home

help:  ## List the verbs
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

run: $(VENV)/.installed home  ## Materialize everything that the model of the newest day needs (MODEL=fraud_detection)
	@$(ML_ASSETS) run "$$MODEL"

run-s3: $(VENV)/.installed-dev  ## Do the same on an S3 server on this machine, twice (examples/s3)
	@$(BIN)/python examples/s3/run.py

plan: $(VENV)/.installed home  ## Print the days that a backfill would materialize, and why (DAYS=2026-08-15...2026-09-01 JOB=daily or features)
	@$(ML_ASSETS) plan "$$MODEL" --job "$$JOB" $(call option,--days,DAYS)

quarantine: $(VENV)/.installed home  ## Write the quarantined rows as CSV, to be corrected (DAYS=2026-08-15...2026-09-01 OUT=file.csv)
	@$(ML_ASSETS) quarantine "$$MODEL" $(call option,--days,DAYS) $(call option,--out,OUT)

repair: $(VENV)/.installed home  ## Apply corrected rows (FILE=file.csv) or changed rules, and materialize the days that they change; or make damaged days again (DAMAGED=1)
	@$(ML_ASSETS) repair "$$MODEL" $(call option,--file,FILE) $(if $(DAMAGED),--damaged)

RELEASE_OPTIONS = $(call option,--reason,REASON) $(call option,--actor,ACTOR)

releases: $(VENV)/.installed home  ## Print the live versions and every release that led to them
	@$(ML_ASSETS) releases "$$MODEL"

restore: $(VENV)/.installed home  ## Restore what somebody removed from MLflow, the lake or the deploy target
	@$(ML_ASSETS) restore "$$MODEL"

rollback: $(VENV)/.installed home  ## Withdraw the canary, or without one restore the previous champion (REASON="it is slow")
	@$(ML_ASSETS) rollback "$$MODEL" $(RELEASE_OPTIONS)

pause: $(VENV)/.installed home  ## Stop automatic decisions on releases (REASON=...)
	@$(ML_ASSETS) pause "$$MODEL" $(RELEASE_OPTIONS)

resume: $(VENV)/.installed home  ## Allow automatic decisions on releases again
	@$(ML_ASSETS) resume "$$MODEL" $(RELEASE_OPTIONS)

canary: $(VENV)/.installed home  ## Make a version the canary, at the first step (VERSION=7 REASON=...)
	@$(ML_ASSETS) canary "$$MODEL" $(call option,--version,VERSION) $(RELEASE_OPTIONS)

promote: $(VENV)/.installed home  ## Make a version the champion at once (VERSION=7 REASON=...)
	@$(ML_ASSETS) promote "$$MODEL" $(call option,--version,VERSION) $(RELEASE_OPTIONS)

notifications: $(VENV)/.installed home  ## Print the notifications, open ones first (docs/notifications.md)
	@$(ML_ASSETS) notifications

notify-test: $(VENV)/.installed home  ## Send a message to every target of ML_ASSETS_NOTIFY, and print whether it was accepted
	@$(ML_ASSETS) notifications test

serve: $(VENV)/.installed  ## Serve scores over HTTP (MODEL=fraud_detection PORT=8000 HOST=127.0.0.1; docs/serving.md)
	@$(ML_ASSETS) serve "$$MODEL" --host "$$HOST" --port "$$PORT"

kserve: $(VENV)/.installed  ## Print the KServe manifest of the live version (docs/serving.md)
	@$(ML_ASSETS) kserve "$$MODEL"

test: $(VENV)/.installed-dev  ## Run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-clocks: $(VENV)/.installed-dev  ## Run the tests that know about time under other clocks, zones and locales (CLOCKS="leap-day berlin-spring" SEED=7 TESTS=ml_assets_tests/core)
	@$(BIN)/python -m ml_assets_tests.support.fake_clock $(if $(CLOCKS),$$CLOCKS) $(call option,--seed,SEED) $(if $(TESTS),--tests $$TESTS)

latest:  ## Run the tests with the newest versions that pyproject.toml allows, in .venv-latest (PYTHON=python3.13; docs/dependencies.md)
	@rm -rf $(VENV)-latest && $(PYTHON) -m venv $(VENV)-latest
	@$(VENV)-latest/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@echo "Versions that differ from constraints.txt:"
	@$(VENV)-latest/bin/python -m pip freeze --exclude-editable | grep -vixFf constraints.txt || true
	@$(VENV)-latest/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(if $(TESTS),$$TESTS)

chaos: $(VENV)/.installed-dev  ## Kill runs and inject faults, and compare the result with an undisturbed run (KILLS=200 SEED=1; docs/chaos.md)
	@$(BIN)/python -W ignore -m ml_assets_tests.chaos $(call option,--kills,KILLS) $(call option,--seed,SEED)

doctor: $(VENV)/.installed home  ## Check the instance in DAGSTER_HOME and the environment, and print a remedy for each problem; or read every file and print the damaged (SCRUB=1)
	@$(ML_ASSETS) doctor $(if $(SCRUB),--scrub)

k8s-test: $(VENV)/.installed-dev  ## Submit the jobs of a training and a data step to the cluster of KUBECONFIG, and print what it accepted
	@$(BIN)/python -m pytest -n 0 -m kubernetes -rs -s ml_assets_tests/kubernetes

k8s-approve: $(VENV)/.installed-dev  ## Approve the Kubernetes jobs of all steps as they are now (review them with git diff)
	@$(BIN)/python -m ml_assets_tests.kubernetes.jobs 2>/dev/null

ui: $(VENV)/.installed home  ## Open the Dagster UI on the same instance (PORT=3000)
	@$(PROTECT); $(BIN)/python -m dagster dev --workspace workspace.yaml --port "$$PORT"

lint: $(VENV)/.installed-dev  ## Check style, types and import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/pyright && $(BIN)/lint-imports

audit: $(VENV)/.installed-audit  ## Look up every pinned dependency in the advisory database, or print the pins when it cannot be reached
	@$(ML_ASSETS) audit

hashes: $(VENV)/.installed  ## Write constraints-hashed.txt: the pins with the hashes of their files, for `pip install --require-hashes`
	@tools="$$(mktemp -d)" && trap 'rm -r "$$tools"' EXIT && $(PYTHON) -m venv "$$tools" && \
	"$$tools/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	$(BIN)/python -m ml_assets.cli.commands.hashes "$$tools/bin/uv"

docs: $(VENV)/.installed-dev  ## Write the documents and files that are generated from the code
	@$(ML_ASSETS) docs

screenshots: $(VENV)/.installed-docs home  ## Take the screenshots of the documents (needs Chromium with its driver, and `make run` before)
	@$(BIN)/python docs/screenshots.py

bench: $(VENV)/.installed-dev  ## Measure the pipeline against plain functions and plain Dagster (ONLY=days,newday QUICK=1 JSON=out.json; DOCS=1 writes docs/benchmarks.md)
	@$(BIN)/python -W ignore -m benchmarks $(call option,--only,ONLY) $(if $(QUICK),--quick) $(call option,--json,JSON) $(if $(DOCS),--write-docs benchmarks/results.json)

env: $(VENV)/.installed home  ## Print the variables with which your shell finds the instance, `dagster`, `dg` and `ml-assets` (eval "$(make env)")
	@echo 'export DAGSTER_HOME="$(DAGSTER_HOME)" DAGSTER_EVENT_BATCH_SIZE="$(DAGSTER_EVENT_BATCH_SIZE)" VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PATH" $(if $(MLFLOW_TRACKING_URI)$(ML_ASSETS_DATABASE),,MLFLOW_TRACKING_URI="sqlite:///$(CURDIR)/data/mlflow.db")'

clean:  ## Remove the data directory: landing, lake, registry and Dagster's instance
	rm -rf data

# A link that is broken, or that names the file of another clone, is made anew: the repository was moved or copied.
# Whatever else a person put there stays.
home:
	@$(PROTECT); mkdir -p "$$DAGSTER_HOME" && file="$$DAGSTER_HOME/dagster.yaml" && linked="$$(readlink "$$file" || true)" && \
	if test ! -e "$$file" || { test -n "$$linked" && test -e "$$(dirname "$$linked")/ml_assets/definitions.py"; }; \
	then ln -sfn "$(CURDIR)/$(INSTANCE)" "$$file"; fi

# A folder .venv is complete when its scripts start with its own Python, which works and has the packages. It is not after
# an interruption, and not after the repository or Python moved. A link to an environment elsewhere is taken as it is.
VENV_WORKS = head -n 3 $(ML_ASSETS) 2>/dev/null | grep -qF "$(CURDIR)/$(BIN)/python" && \
	$(BIN)/python -c 'import importlib.util as u; u.find_spec("dagster") or exit(1)' 2>/dev/null
$(if $(wildcard $(VENV)/.installed),$(shell test -L $(VENV) || { $(VENV_WORKS); } || rm -f $(VENV)/.installed*))

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ml_assets needs Python 3.11 or later, but this is " + sys.version)'
	@echo "Installing into $(VENV) (two minutes on a fast network)" >&2
	@test -L $(VENV) || $(BIN)/python -c pass 2>/dev/null && { test ! -e $(ML_ASSETS) || test -L $(VENV) || \
		head -n 3 $(ML_ASSETS) | grep -qF "$(CURDIR)/$(BIN)/python"; } || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null 2>&1 || \
		{ echo "$(VENV) has no pip, and ensurepip cannot install it: remove it (rm -r $(VENV)) and try again" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[docs]'
	@touch $@

$(VENV)/.installed-audit: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[audit]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
