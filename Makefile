# make book    executes what changed, builds the book, prints the page to open
# make test    runs every test, the notebooks included
# make help    the other targets
# A GPU build of torch: make setup TORCH=default. Another Python: make setup PYTHON=python3.12.

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell $(p) -c \
	'import sys; print("$(p)" if (3, 11) <= sys.version_info < (3, 14) else "")' 2>/dev/null)))
TORCH ?= auto
RUN := .venv/bin/python

.PHONY: book render refresh translation coursework test lint setup constraints clean help

book: setup
	@$(RUN) book/_make.py build

render: setup  ## render the stored outputs, without executing anything
	@$(RUN) book/_make.py render

refresh: setup  ## execute all chapters and store their outputs in the notebooks
	@$(RUN) book/_make.py refresh

translation: setup  ## take changes of the text into the Korean catalogues, book/locale
	@$(RUN) book/_translate.py update $(PAGES)

coursework: setup  ## write the assignments to coursework/ (for a course of your own: SEED=...)
	@$(RUN) -m sergan.coursework release --seed "$(or $(SEED),example)"

test: setup lint
	@$(RUN) .ci/setup.py --system
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadscope --nbval-lax --nbval-current-env \
		--nbval-cell-timeout 300 tests sergan $(wildcard book/[0-9]*.ipynb book/assignments/*.ipynb)

lint: setup  ## check style
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --check --quiet . || { echo "make lint: run .venv/bin/ruff format ."; exit 1; }

setup:  ## make or update the environment in .venv
	@$(if $(PYTHON),,$(error Python 3.11, 3.12 or 3.13 is needed; name one with make PYTHON=...))
	@$(PYTHON) .ci/setup.py --torch $(TORCH)

constraints: setup  ## find the newest versions that fit pyproject.toml and write constraints.txt
	@$(RUN) .ci/setup.py --constraints

clean:  ## delete what was built (the environment and runs/ stay)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

help:
	@grep -E '^#' Makefile; grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /make \1\t/'
