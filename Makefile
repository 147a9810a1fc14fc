# make test   everything: environment, guest, checks, tests        make demo   see it work
# make check  format, lint, types, generated files                 make bench  measure against other engines
# make guest  build the guest module                               make docs   run the code of the documentation, build its site
# make soak   half an hour of hostile programs                     make sanitize   the guest's C under sanitizers
# make types  what users see of types, by pyright                  make dist   sdist and wheel, checked
# make clean  remove the environment and what was built

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
DOCS_READY := $(VENV)/.docs-ready

.PHONY: test check guest demo bench soak docs sanitize types dist clean

# Those that measure time run by themselves.
test: check guest
	$(PY) -m pytest -n auto --dist worksteal -m "not alone"
	$(PY) -m pytest -m alone

check: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -m wasm.generate --check

guest: $(READY)
	$(PY) -m wasm.build

demo: guest
	$(PY) -m examples.demo

bench: guest $(BENCH_READY)
	$(PY) -m benchmarks --chart benchmarks/results/benchmarks.svg
	$(PY) -m benchmarks growth --json benchmarks/results/growth.json --chart benchmarks/results/growth.svg

soak: guest $(BENCH_READY)
	$(PY) -m tests.soak

docs: guest $(DOCS_READY)
	$(PY) -m pytest tests/test_docs.py
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet --site-dir dist/site

# What runs guests and means something without WebAssembly; tests/sanitized/exceptions.py names the rest.
SANITIZED := tests/fuzz tests/guest tests/test_callables.py tests/test_codec.py tests/test_codec_refusals.py \
	tests/test_conversions.py tests/test_exposure.py tests/test_functions.py tests/test_globals.py tests/test_guest.py \
	tests/test_instance.py tests/test_iterators.py tests/test_leaks.py tests/test_memory.py tests/test_modules.py \
	tests/test_promises.py tests/test_recursion.py tests/test_roundtrip.py

sanitize: guest
	$(PY) -m wasm.sanitize
	$(PY) -m pytest -p tests.sanitized.plugin -o timeout=300 $(SANITIZED)
	SANITIZED_ALLOCATIONS=30 $(PY) -m pytest tests/sanitized

# One stamp for the environment: it is made again when what it is made from has changed.
$(READY): pyproject.toml hatch_build.py
	@test -x $(PY) || { $(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=...") if sys.version_info < (3, 11) else None' && $(PYTHON) -m venv $(VENV); }
	$(PY) -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(PY) -m pip install --quiet --group test --group lint --editable .
	@touch $@

$(BENCH_READY): $(READY)
	$(PY) -m pip install --quiet --group bench
	@touch $@

$(DOCS_READY): $(READY)
	$(PY) -m pip install --quiet --group docs
	@touch $@

types: $(READY)
	$(PY) -m pip install --quiet pyright
	$(PY) -m pytest tests/test_typing.py

# The wheel is built from the sdist, as whoever installs from it does.
dist: $(READY)
	rm -rf dist
	$(PY) -m pip install --quiet build twine
	$(PY) -m build
	$(PY) -m twine check --strict dist/*

clean:
	rm -rf $(VENV) dist sandbox/_artifacts .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
