# make run · make test · make check · make bench. Each makes what it needs first.

PYTHON ?= python3
BIN := .venv/bin
# One retry: where PyTorch's own wheel index cannot be reached, pip goes on to the next one soon.
PIP := $(BIN)/python -m pip install --quiet --retries 1 --disable-pip-version-check

.PHONY: run test check bench pictures format clean

run: .venv/.run
	$(BIN)/streamlit run app.py

test: .venv/.test .venv/.browser
	$(BIN)/python -m pytest

check: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py

bench: .venv/.bench .venv/.browser
	$(BIN)/python -m benchmarks

# The README's pictures, taken anew from the page as it is.
pictures: .venv/.test .venv/.browser
	$(BIN)/python -m docs

format: .venv/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache

# Debian and Ubuntu ship venv apart from Python; as root it can be had at once.
.venv/.made:
	$(PYTHON) -m venv .venv || { rm -rf .venv; [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv .venv; } \
	  || { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	touch $@

.venv/.run: requirements.txt | .venv/.made
	$(PIP) -r requirements.txt
	touch $@

.venv/.test: requirements-dev.txt requirements.txt | .venv/.made
	$(PIP) -r requirements-dev.txt
	touch $@ .venv/.run

.venv/.bench: requirements-bench.txt | .venv/.test
	$(PIP) -r requirements-bench.txt
	touch $@

# A browser for the tests: the one that is there, else Debian's, else Playwright's own.
.venv/.browser: | .venv/.test
	command -v chromium || command -v google-chrome || command -v chromium-browser \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	       && apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk; } \
	  || $(BIN)/playwright install --with-deps chromium
	touch $@
