# Needs cargo and a C compiler; `make` alone lists what there is.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
TARGET := $(or $(CARGO_TARGET_DIR),target)

# The web app is built when npm is there; without it the server shows how to.
NPM := $(shell command -v npm 2>/dev/null)
DASHBOARD := $(if $(and $(NPM),$(wildcard dashboard/package.json)),dashboard/dist/index.html)

.PHONY: help run test check fuzz bench clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s%s\n", $$1, $$2 }' Makefile

run: $(DASHBOARD) ## build everything and start it on http://localhost:8000; ARGS="…" are flags of `serve`
	@scripts/need-cargo
	cargo run --release -p httpsms -- serve $(ARGS)

test: $(DASHBOARD) ## every test, on SQLite and on PostgreSQL, and in a browser when npm is there
	@scripts/need-cargo
	@scripts/need-postgres
	cargo build -p httpsms -p testkit --bins
	$(TARGET)/debug/with-postgres cargo test --workspace
	$(if $(DASHBOARD),scripts/test-dashboard)

check: ## formatting and lints
	@scripts/need-cargo
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fuzz: ## throw made-up requests at the server; ARGS="…" are flags of schemathesis
	@scripts/need-cargo
	cargo build -p httpsms
	scripts/fuzz $(ARGS)

bench: ## measure the release build on this machine; ARGS="…" are flags of the load program
	@scripts/need-cargo
	cargo build --release -p httpsms -p bench
	ulimit -n 20000 2>/dev/null || true; $(TARGET)/release/bench $(ARGS)

clean: ## remove what was built; data stays
	@scripts/need-cargo
	cargo clean

dashboard/dist/index.html: dashboard/package.json $(shell find dashboard/src dashboard/public -type f 2>/dev/null)
	cd dashboard && npm ci && npm run build
