# Everything that people do with a checkout. Each target makes what it needs; the environment is .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test lint types tests coverage bench fuzz soak soak-calls mutants googleapis openapi-fuzz protos clean

help:
	@echo "make demo        start the example services and the gateway, and print what to try"
	@echo "make test        linters, strict types, all tests, coverage: the gate"
	@echo "make bench       speed, as ratios in one run, beside other gateways (installs them into $(VENV)-bench)"
	@echo "make fuzz        minutes of the Hypothesis machines"
	@echo "make soak        the same for 30 minutes, or for MINUTES=..."
	@echo "make soak-calls  mixed calls against a real server for 10 minutes or MINUTES=..., each accounted for; SOAK=... adds options"
	@echo "make mutants     break the framers on purpose, and see that the tests notice"
	@echo "make googleapis  Google's own annotated services against the router (fetches an npm package)"
	@echo "make openapi-fuzz  schemathesis against both examples, at length"
	@echo "make protos      generate the examples' code again"
	@echo "make clean       remove the environment and all caches"

demo: $(VENV)/.demo
	@exec $(BIN)/asgi-grpc demo

test: lint types tests coverage

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

tests: $(VENV)/.test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --dist loadfile \
		--max-worker-restart 0 -o faulthandler_timeout=240 -o faulthandler_exit_on_timeout=true # a test that hangs is named, and fails

coverage: $(VENV)/.test
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet -o coverage.json
	$(BIN)/python tests/coverage_floor.py coverage.json 95

bench: $(VENV)/.bench
	@for script in $(filter-out tests/bench/test_%,$(wildcard tests/bench/*.py)); do echo "== $$script"; $(VENV)-bench/bin/python $$script || exit 1; done
	@echo "== tests.bench.doors"; $(VENV)-bench/bin/python -m tests.bench.doors

fuzz: $(VENV)/.test
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest fuzz

soak: $(VENV)/.test
	$(BIN)/python -m fuzz.soak $(or $(MINUTES),30)

soak-calls: $(VENV)/.test
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(SOAK)

mutants: $(VENV)/.test
	$(BIN)/python tests/framing/mutants.py

googleapis: $(VENV)/.test
	$(BIN)/python tests/mapping/googleapis.py

openapi-fuzz: $(VENV)/.test
	OPENAPI_EXAMPLES=300 $(BIN)/python -m pytest tests/openapi/test_schemathesis.py

# Code from an old protoc runs with every newer protobuf; code from a new one would need that very version.
protos: $(VENV)/.protos
	cd examples/greeter && ../../$(VENV)-protos/bin/python -m grpc_tools.protoc -I. \
		-I$$(../../$(VENV)-protos/bin/python -c 'import google.api, os; print(os.path.dirname(os.path.dirname(list(google.api.__path__)[0])))') \
		--python_out=. --pyi_out=. --grpc_python_out=. --include_imports --descriptor_set_out=greeter.binpb greeter.proto
	cd examples/streaming && ../../$(VENV)-protos/bin/python -m grpc_tools.protoc -I. \
		-I$$(../../$(VENV)-protos/bin/python -c 'import google.api, os; print(os.path.dirname(os.path.dirname(list(google.api.__path__)[0])))') \
		--python_out=. --pyi_out=. --grpc_python_out=. --include_imports --descriptor_set_out=streaming.binpb streaming.proto
	PATH=$(VENV)-protos/bin:$$PATH $(VENV)-protos/bin/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. \
		--py_out=. --py_opt=init_files=false --connectrpc_out=. tests/bench/doors/bench.proto

clean:
	rm -rf $(VENV) $(VENV)-bench $(VENV)-protos .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* coverage.json dist build

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "asgi_grpc needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "making the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	@echo "installing asgi_grpc into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	@echo "installing asgi_grpc with its test extra into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e '.[test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.bench: $(BIN)/python pyproject.toml
	@echo "installing asgi_grpc and its peers into $(VENV)-bench ..."
	@$(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

$(VENV)/.protos:
	$(PYTHON) -m venv $(VENV)-protos
	$(VENV)-protos/bin/python -m pip install --quiet grpcio-tools==1.74.0 googleapis-common-protos \
		protoc-gen-py==0.7.0 protoc-gen-connectrpc==0.13.0
	@touch $@
