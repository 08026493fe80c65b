# The course's commands. `make help` lists them. Every one of them works alone, shows what it does,
# and can be interrupted and run again.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
RUN := $(BIN)/python -m

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env book serve lab check test lint types notebooks notebooks-check times assignments grade colab bench results sync lock clean distclean

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

env: .venv/installed  ## make the whole environment in .venv from requirements.lock (PYTHON=... chooses another Python)

book: .venv/book  ## build the book (strict, from stored outputs; without PyTorch) and say how to open it
	$(RUN) tools.book

serve: .venv/book  ## show the book at http://localhost:8000 (PORT=... chooses another port)
	@[ -e _build/html/index.html ] || $(RUN) tools.book
	@echo "The book is at http://localhost:$(PORT) (Ctrl-C ends this)"
	@$(RUN) http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lab: env  ## open the notebooks in JupyterLab (completes the environment)
	$(BIN)/jupyter lab --notebook-dir=notebooks

check: env types  ## check style, types, spelling, and run the tests that take seconds: for whoever edits
	$(RUN) tools.test --check $(T)

test: env  ## run every test: library, notebooks, book, repository, types (completes the environment)
	$(RUN) tools.test

lint: env types  ## check style of code and notebooks, types, and spelling
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) tools.prose

types: env  ## check types of the rooms mixing and training (slow the first time, then quick)
	$(RUN) mypy

notebooks: env  ## execute notebooks and store their outputs (NB="01 02" chooses some)
	$(RUN) tools.notebooks $(NB)

notebooks-check: env  ## execute notebooks again and compare every byte, pictures included (NB=...)
	$(RUN) tools.notebooks --check $(NB)

times: env  ## measure time and memory of notebooks again, with a GPU where there is one (NB=...)
	$(RUN) tools.notebooks --time $(NB)

# A secret goes by the environment, so that neither make nor a shell reads a $ or a quote in it.
ifneq ($(origin VARIANT),undefined)
export ASSIGNMENTS_SECRET := $(value VARIANT)
variant := --variant-from ASSIGNMENTS_SECRET
endif

assignments: env  ## build and prove the assignments (VARIANT=secret redraws them, A="a1 a2" chooses some)
	@$(RUN) tools.assignments build $(A) $(variant)

grade: env  ## grade a folder of submissions (SUBMISSIONS=folder; ASSIGNMENT=a1 VARIANT=secret WORKSHEET=file GROUPS=file OUT=folder)
	@[ -n "$(SUBMISSIONS)" ] || { echo "Name the folder: make grade SUBMISSIONS=folder"; exit 2; }
	@$(RUN) tools.assignments grade "$(SUBMISSIONS)" $(variant) \
	  $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT)) $(if $(OUT),--out "$(OUT)") \
	  $(if $(WORKSHEET),--worksheet "$(WORKSHEET)") $(if $(GROUPS),--groups "$(GROUPS)")

colab: env  ## execute all notebooks with Colab's versions in .venv-colab (NB=...)
	$(RUN) tools.colab $(NB)

bench: env  ## time mixing beside other libraries, and training beside a plain loop (BENCH="--record --make")
	$(RUN) tools.bench $(BENCH)

results: env  ## list the experiments and what each took; EXP="NAME ..." runs or resumes (EXP=--help)
	$(RUN) mixup_lib.experiments $(EXP)

sync: env  ## bring badges, links, tables and environment.yml into step with what they derive from
	$(RUN) tools.sync

lock: env  ## renew requirements.lock from pyproject.toml and requirements.pins, then environment.yml
	$(BIN)/pip install --quiet uv
	$(RUN) uv pip compile pyproject.toml --output-file requirements.lock --upgrade --universal \
	  --python-version 3.11 --all-extras --group book --group lab --group test --group assignments \
	  --group build --constraint requirements.pins --no-annotate --no-header
	$(RUN) uv pip compile --group book --output-file requirements-book.lock --upgrade --universal \
	  --python-version 3.11 --constraint requirements.lock --no-annotate --no-header
	$(RUN) tools.sync

clean:  ## remove what was built
	rm -rf _build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis

distclean: clean  ## remove the environments too
	rm -rf .venv .venv-colab

# The stamps say what .venv holds: what builds the book; everything; this package itself. An install
# that is interrupted leaves no stamp, and the next one starts afresh. Python compiles a module when
# it is first imported: doing that for all 20,000 here would take a minute, and most are never read.
define fresh
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] <= (3, 13) else \
	  "The course needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is %d.%d. " % v[:2] + \
	  "Name another one: make PYTHON=python3.11")'
	@[ -e .venv/book ] || [ -e .venv/locked ] || $(PYTHON) -m venv --clear .venv
endef

.venv/book: requirements-book.lock
	$(fresh)
	@[ -e .venv/locked ] || echo "The environment that builds the book: about 100 packages, 300 MB"
	@rm -f $@
	$(RUN) pip install --no-compile -r requirements-book.lock
	@touch $@

# It holds what builds the book as well.
.venv/locked: requirements.lock
	$(fresh)
	@echo "The whole environment, with PyTorch and all that runs and tests the course: several GB"
	@rm -f .venv/book $@
	$(RUN) pip install --no-compile -r requirements.lock
	@touch .venv/book $@

.venv/installed: .venv/locked pyproject.toml
	$(RUN) pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
