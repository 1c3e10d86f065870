# Everything sets itself up in .venv; all that is needed before is Python 3.11 to 3.13 (and make).
PYTHON ?= python3
BIN := .venv/bin
# Installed where no torch is yet; for another build put it into .venv first (see README).
TORCH ?= torch==2.13.0
DIST ?= dist
RUN := recipes/abstracts.toml
PIECES := abstracts:1,3,14 compositions:9,17 wedding:22 posters:4 learning-to-see:14 materials:8

.PHONY: demo gallery test test-slow test-coverage lint docs dist bench setup setup-test setup-lint clean

demo: setup
	$(BIN)/artgen run $(RUN)
	$(BIN)/artgen publish --all --to demo-gallery
	-$(BIN)/python -m webbrowser "file://$(CURDIR)/demo-gallery/index.html"
	$(BIN)/artgen curate   # until Ctrl-C

# Of each recipe's first 24 candidates the best, drawn again and published into gallery/: about five minutes.
gallery: setup
	rm -rf runs/gallery   # what was picked before is not meant
	for pieces in $(PIECES); do \
	  $(BIN)/artgen run recipes/$${pieces%:*}.toml --only $${pieces#*:} --runs runs/gallery && \
	  $(BIN)/artgen pick $${pieces%:*} $$(echo $${pieces#*:} | tr , ' ') --runs runs/gallery || exit 1; \
	done
	$(BIN)/artgen publish $(foreach pieces,$(PIECES),$(firstword $(subst :, ,$(pieces)))) --runs runs/gallery \
	  --to gallery --settings docs/sample-gallery.toml
	$(BIN)/python docs/picture.py

test: setup-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

# What would take the suite over five minutes on two cores; CI runs it too.
test-slow: setup-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m slow

# The suite with its worker processes and child commands measured; it takes half as long again.
test-coverage: setup-test .venv/coverage
	rm -rf build/coverage
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

lint: setup-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/zizmor --offline --quiet .github/workflows
	$(BIN)/jactionlint

# Writes the reference parts of the pages, then the site: build/docs/index.html. A broken link or anchor is an error.
docs: setup-test
	$(BIN)/python docs/reference.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build   # --quiet would hide warnings from strict

# The sdist, and the wheel out of it, checked as the index will.
dist: .venv/release
	rm -rf '$(DIST)'
	$(BIN)/python -m build --outdir '$(DIST)' .
	$(BIN)/python -m twine check --strict '$(DIST)'/*
	$(BIN)/check-wheel-contents '$(DIST)'

bench: setup-test
	$(BIN)/python -m pip install -q -e '.[bench]'
	for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

setup: .venv/artgen
setup-test: .venv/test
setup-lint: .venv/lint

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) and "artgen needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/artgen: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	$(BIN)/python -c 'import torch' 2>/dev/null || $(BIN)/python -m pip install -q '$(TORCH)'
	$(BIN)/python -m pip install -q -e .
	touch $@

.venv/test: .venv/artgen
	$(BIN)/python -m pip install -q -e '.[video,heic,train]' --group test   # what the extras do is tested too
	sh tests/programs.sh
	touch $@

.venv/lint: .venv/artgen
	$(BIN)/python -m pip install -q --group lint
	touch $@

.venv/coverage: .venv/test
	$(BIN)/python -m pip install -q --group coverage
	touch $@

.venv/release: .venv/artgen
	$(BIN)/python -m pip install -q --group release
	touch $@

clean:
	rm -rf .venv build dist
