# The two commands a newcomer needs: `make demo` and `make test`. Everything else is listed by `make help`.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test test-faults check format unit oracle integration chaos bugs bench latency bench-restore bench-growth bench-scale lock schemas docs clean

PYTHON ?= python3
SEED ?= 1
WORLDS ?= 150
BIN := .venv/bin
INSTALLED := .venv/.installed
# Two processes, each with a Kafka of its own, take turns file by file: what a module's tests share is made once.
KAFKAS := -n 2 --dist loadfile

# Of what pip says: a line for each package, and its exit code.
define COUNTED
/^Ignoring / { all-- }
/^(Collecting|Requirement already satisfied:) / { sub(/^Requirement already satisfied:/, "there:"); printf "  %d of %d  %s\n", ++n, all, $$2 }
/^Installing / { print "  unpacking all of them" }
/^pip ended with / { code = $$4 }
{ fflush() }
END { if (code) print "The packages could not be installed; pip says above why. Without a network nothing can be downloaded. Run it again: what is there stays."; exit code }
endef
export COUNTED

help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-13s %s\n", $$1, $$2}'

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "cxbus needs Python 3.11 or newer; `$(PYTHON) --version` is what $(PYTHON) is. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@{ $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock; \
	   echo "pip ended with $$?"; } | awk -v all="`grep -c == requirements.lock`" "$$COUNTED"
	@echo "  cxbus itself"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(INSTALLED) ## make .venv with the locked packages

demo: $(INSTALLED) ## start a real Kafka and the bus, play a business day, show the alerts
	@$(BIN)/cxbus demo

run: $(INSTALLED) ## start a real Kafka and the bus, and keep them running
	@$(BIN)/cxbus run

test: check unit integration ## format, lint, types, imports, and the tests whose failure you want to see first: six minutes at most

check: $(INSTALLED) ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## write the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(INSTALLED) ## the tests that need no Kafka, one process for each core: a minute or two
	$(BIN)/pytest -q -n auto -m "not kafka and not faults"

oracle: $(INSTALLED) ## the bus against the semantics on random worlds, about 35 times WORLDS histories, and how many were compared; WORLDS=500 SEED=7 for more and others
	CXBUS_ORACLE_EXAMPLES=$(WORLDS) $(BIN)/pytest -q -n auto -m "not kafka" --hypothesis-seed=$(SEED) tests/oracle

integration: $(INSTALLED) ## the essential tests on a real Kafka, in two processes
	$(BIN)/pytest -q $(KAFKAS) -m "kafka and not faults and not chaos and not bench"

test-faults: $(INSTALLED) ## kills, freezes, full disks, hostile input: the rest of what CI runs, a quarter of an hour; what needs no Kafka in a process for each core
	$(BIN)/pytest -q -n auto -m "faults and not kafka and not chaos and not bench"
	$(BIN)/pytest -q $(KAFKAS) -m "faults and kafka and not chaos and not bench"

chaos: $(INSTALLED) ## every fault of docs/reliability.md under load, then check every record: half an hour; SEED=7 for others
	CXBUS_CHAOS_SEED=$(SEED) $(BIN)/pytest -q -s -m chaos

bugs: $(INSTALLED) ## plant bugs one at a time and see which test catches each, a bug on each core: half an hour
	$(BIN)/python -m tests.planted

bench: $(INSTALLED) ## the bus beside Kafka Streams, Quix, plain Faust and the limit; BENCH="--scenarios 1M-uniform"
	$(BIN)/python -m benchmarks.throughput $(BENCH)

latency: $(INSTALLED) ## publish to alert at 2,000 events/s, beside the peers
	$(BIN)/python -m benchmarks.latency $(BENCH)

bench-restore: $(INSTALLED) ## 1M profiles and 5M entries into an empty worker, beside Faust's Tables; 15 GB of disk, BENCH="--customers 20000 --entries 100000"
	$(BIN)/python -m benchmarks.restore $(BENCH)

bench-growth: $(INSTALLED) ## cost of an event with 50,000, 1M, 5M customers and with long timelines; 30 GB of disk
	$(BIN)/python -m benchmarks.growth $(BENCH)

bench-scale: $(INSTALLED) ## one to three workers on 4 and 12 partitions, and the sink
	$(BIN)/python -m benchmarks.scale $(BENCH)

lock: $(INSTALLED) ## resolve requirements.lock anew, with hashes and without addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-annotate --extra dev -o requirements.lock pyproject.toml

schemas: $(INSTALLED) ## write the JSON Schemas of a release
	$(BIN)/cxbus schemas export schemas/released

docs: $(INSTALLED) ## write what the pages show of the topology: stages and topics
	$(BIN)/python -m agents.topology_page README.md docs/architecture.md docs/operations.md

clean: ## remove .venv, caches and the bus's data of this folder
	rm -rf .venv .cxbus .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
