# Two commands matter: `make demo` shows the switch, `make test` checks it. Both install what they
# lack and say so. Everything else is `cargo xtask help`.

PROFILE ?= release
# Passed on to `cordboard demo`.
DEMO_ARGS ?=
# Lets a point of tests/requirements.toml be without a test while its work is under way.
CI_ARGS ?=

WEB := api/web
WEB_SOURCES := $(shell [ ! -f $(WEB)/package.json ] || find $(WEB) -type d \
	\( -name node_modules -o -name dist \) -prune -o -type f -print)
WEB_BUILT := $(if $(WEB_SOURCES),$(WEB)/dist/index.html)

ifeq ($(PROFILE),release)
BUILD := build --release --package cordboard-node
BINARY := target/release/cordboard
else ifeq ($(PROFILE),dev)
# The same command as in `cargo xtask ci`, and so the same features: what the tests have built is not
# built again.
BUILD := build --workspace --bins --tests
BINARY := target/debug/cordboard
else
$(error PROFILE is release or dev)
endif

# What a run without a person has no use for.
ifdef CI
export CARGO_INCREMENTAL := 0
export CARGO_TERM_COLOR := never
endif

.DEFAULT_GOAL := help
.PHONY: help demo test web shots fmt

help:
	@echo 'make demo   build the switch and run it with agents, callers and a live page'
	@echo 'make test   everything that passes without a person; what CI runs'
	@echo 'make web    build the pages that the switch serves'
	@echo 'make shots  make pictures of every page, in api/web/shots'
	@echo 'make fmt    format the code'
	@echo 'cargo xtask help lists the checks and drivers one by one'

demo:
	@scripts/bootstrap.sh demo
	@$(MAKE) --no-print-directory web
	cargo $(BUILD)
	@exec $(BINARY) demo $(DEMO_ARGS)

test:
	@scripts/step.sh bootstrap scripts/bootstrap.sh test
	@scripts/step.sh web $(MAKE) --no-print-directory web
	@$(if $(WEB_SOURCES),scripts/step.sh 'web tests' npm --prefix $(WEB) run --if-present test)
	@cargo xtask ci $(CI_ARGS)

# The pages are embedded in the binary, so they come before cargo.
web: $(WEB_BUILT)

$(WEB)/dist/index.html: $(WEB_SOURCES) $(WEB)/node_modules/.package-lock.json
	npm --prefix $(WEB) run build
	@mkdir -p $(@D) && touch $@

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	npm --prefix $(WEB) ci --no-audit --no-fund
	@mkdir -p $(@D) && touch $@

# Pictures of every page in every look, with the faults that axe finds: for whoever changes one.
shots:
	@scripts/bootstrap.sh shots
	@$(MAKE) --no-print-directory web
	cargo $(BUILD)
	CORDBOARD=$(CURDIR)/$(BINARY) npm --prefix $(WEB) run shots

fmt:
	cargo fmt --all
