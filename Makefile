# One command each: every target makes the environment it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.requirements

.PHONY: app test large check bench setup format

app: setup
	$(BIN)/python -m streamlit run app.py

# A browser waits half of its time, so two share the cores; what measures time has the machine to itself.
test: setup
	$(BIN)/python $(WARNINGS) -m pytest -n auto --dist loadfile -m "not browser and not timed and not large"
	$(BIN)/python $(WARNINGS) -m pytest -n 2 --dist loadfile -m "browser and not timed and not large"
	$(BIN)/python $(WARNINGS) -m pytest -m "timed and not large"

# Reviews of 500 real cases, from manifest to report: minutes, and only where the data are.
large: setup
	$(BIN)/python -m pytest -m large

check: WARNINGS := -W error
check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test WARNINGS="$(WARNINGS)"

bench: setup
	$(BIN)/python -m benchmarks

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(STAMP)

$(STAMP): requirements.txt
	$(PYTHON) -c "import sys; assert sys.version_info >= (3, 11), 'Python 3.11 or newer is needed; run make PYTHON=python3.11 ...'"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $(STAMP)
