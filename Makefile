# make book    executes what changed, builds the book, prints the page to open
# make test    runs every test, the notebooks included
# make help    the other targets
# A GPU build of torch: make setup TORCH=default. Another Python: make setup PYTHON=python3.12.
# The newest packages instead of those in constraints.txt: NEWEST=1 after any of these.

PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11 python,$(shell $(p) -c \
	'import sys; print("$(p)" if (3, 11) <= sys.version_info < (3, 14) else "")' 2>/dev/null)))
TORCH ?= auto
RUN := .venv/bin/python

.PHONY: book render refresh publish rehearse colab zip pdf translation coursework test torture lint links audit dist setup constraints clean help

book: setup
	@$(RUN) book/_make.py build

render: setup  ## render the stored outputs, without executing anything
	@$(RUN) book/_make.py render

refresh: setup  ## execute all chapters and store their outputs in the notebooks
	@$(RUN) book/_make.py refresh

publish: setup  ## push the notebooks of the last make book to the branch notebooks (REMOTE=origin)
	@$(RUN) book/_publish.py $(or $(REMOTE),origin)

rehearse: setup  ## publish to a repository on this machine and follow every Colab button
	@$(RUN) .ci/rehearse.py

colab: setup  ## run the published notebooks beside the versions that Colab has (all: 15 minutes; CHAPTERS="00 07")
	@$(RUN) .ci/colab.py $(CHAPTERS) --to benchmarks/colab.json

zip: setup  ## write the pages as one file that opens without a server, from a USB stick say
	@$(RUN) book/_make.py zip

pdf: book  ## print the book as _build/sergan-book.pdf (needs Chromium) and offer it on every page
	@$(RUN) book/_pdf.py --offer

translation: setup  ## take changes of the text into the Korean catalogues, book/locale
	@$(RUN) book/_translate.py update $(PAGES)

coursework: setup  ## write the assignments to coursework/ (for a course of your own: SEED=...)
	@$(RUN) -m sergan.coursework release --seed "$(or $(SEED),example)"

test: setup lint
	@$(RUN) .ci/setup.py --system
	OMP_NUM_THREADS=1 $(RUN) -m pytest -n 2 --dist loadscope --nbval-lax --nbval-current-env \
		--nbval-cell-timeout 300 tests sergan $(wildcard book/_*.py) book/_ext book/_site \
		$(wildcard book/[0-9]*.ipynb book/assignments/*.ipynb)

torture: setup  ## kill, fill, damage and fuzz everything on purpose, and count (hours; ONLY=faults COUNT=20 MINUTES=5)
	OMP_NUM_THREADS=1 $(RUN) tests/torture $(if $(ONLY),--only $(ONLY)) $(if $(COUNT),--count $(COUNT)) \
		$(if $(MINUTES),--minutes $(MINUTES))

lint: setup  ## check style, spelling and prose
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --check --quiet . || { echo "make lint: run .venv/bin/ruff format ."; exit 1; }
	@$(RUN) .ci/prose.py

links: setup  ## ask whether the addresses in the book still answer (needs the network)
	@$(RUN) .ci/links.py

audit: setup  ## ask PyPI whether packages of requirements.lock have known vulnerabilities
	@$(RUN) .ci/audit.py

dist: setup  ## build the wheel and the sdist into dist/ and try them in an empty environment
	@$(RUN) .ci/dist.py $(if $(TAG),--tag $(TAG))

setup:  ## make or update the environment in .venv
	@$(if $(PYTHON),,$(error Python 3.11, 3.12 or 3.13 is needed; name one with make PYTHON=...))
	@$(PYTHON) .ci/setup.py --torch $(TORCH) $(if $(NEWEST),--newest)

constraints: setup  ## find the newest versions that fit pyproject.toml and write constraints.txt
	@$(RUN) .ci/setup.py --constraints

clean:  ## delete what was built (the environment and runs/ stay)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

help:
	@grep -E '^#' Makefile; grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## /make \1\t/'
