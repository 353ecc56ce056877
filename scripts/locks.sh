#!/bin/sh
# Write requirements/*.txt anew from pyproject.toml, with hashes and without any registry's address.
#
#   scripts/locks.sh             keep the versions that are locked, add and remove what changed
#   scripts/locks.sh --upgrade   take the newest versions
set -eu
cd "$(dirname "$0")/.."

uv=${UV:-uv}
if ! command -v "$uv" >/dev/null 2>&1; then
    echo "make locks: uv is not installed; install it, or say UV=/path/to/uv" >&2
    exit 1
fi

compile() {
    "$uv" pip compile --quiet --generate-hashes --universal --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}

# What runs it, what builds it; the same with the guard; with what tests it; then the fuzzer, which is large.
compile "$@" pyproject.toml --group build --output-file requirements/base.txt
compile "$@" pyproject.toml --extra guard --group build \
    --constraints requirements/base.txt --output-file requirements/demo.txt
compile "$@" pyproject.toml --extra all --group build --group test --group lint \
    --constraints requirements/demo.txt --output-file requirements/dev.txt
compile "$@" --group fuzz --output-file requirements/fuzz.txt
