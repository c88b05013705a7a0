# The two commands are `make demo` and `make test`; each does all of the set-up it needs.
# Everything is built in one profile, so that no dependency is compiled twice.

HEARKEN := $(or $(CARGO_TARGET_DIR),target)/release/hearken
CARGO_FLAGS := --locked --release
export CARGO_TERM_PROGRESS_WHEN ?= auto

.PHONY: help demo test check fmt clippy docs tests doctests build models system recordings bench clean

help:
	@echo 'make demo        set everything up and hear the eight commands'
	@echo 'make test        set everything up and pass the tests'
	@echo 'make check       the gate alone: fmt, clippy, docs, tests, doc tests'
	@echo 'make build       the release binary, $(HEARKEN)'
	@echo 'make models      fetch the default models (HEARKEN_MODELS names another folder)'
	@echo 'make recordings  make the recordings of the demo again'
	@echo 'make bench       the latency table'

demo: build models
	@$(HEARKEN) demo

test: build models check

system:
	@scripts/system-packages.sh

build: system
	cargo build $(CARGO_FLAGS)

models: build
	@$(HEARKEN) models pull

check: fmt clippy docs tests doctests

fmt:
	cargo fmt --check

clippy: system
	cargo clippy $(CARGO_FLAGS) --all-targets -- -D warnings

docs: system
	RUSTDOCFLAGS='-D warnings' cargo doc $(CARGO_FLAGS) --no-deps --document-private-items

tests: system
	@scripts/system-packages.sh tests
	@scripts/python-clients.sh >/dev/null
	scripts/nextest.sh --locked --cargo-profile release

doctests: system
	cargo test $(CARGO_FLAGS) --doc

recordings: build models
	cargo run $(CARGO_FLAGS) --example make_recordings

bench: build models
	cargo run $(CARGO_FLAGS) --example latency

clean:
	cargo clean
