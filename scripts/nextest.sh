#!/usr/bin/env bash
# Runs cargo-nextest with the arguments given, installing it into .tools/ first where it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.tools/bin:$PATH"
if ! cargo nextest --version >/dev/null 2>&1; then
    echo "Installing cargo-nextest (once, a few minutes)"
    # 0.9.x builds with the compiler that the project asks for; its own target folder keeps it out
    # of the project's.
    CARGO_TARGET_DIR="$PWD/.tools/target" cargo install --quiet --locked --root .tools cargo-nextest
    rm -rf .tools/target
fi
exec cargo nextest run "$@"
