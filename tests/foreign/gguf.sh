#!/usr/bin/env bash
# gguf.sh ROOT DIR: the golden model file in a GGUF parser from npm, which is installed into DIR.
# Returns 77, skipped, without npm or without a network.
set -euo pipefail

root=$1 dir=$2 package=@huggingface/gguf@0.4.6
mkdir -p "$dir"
cp "$root/tests/foreign/gguf.mjs" "$dir"
cd "$dir"
command -v npm >/dev/null && command -v node >/dev/null || exit 77
[ -d node_modules/@huggingface/gguf ] ||
    timeout 120 npm install --no-audit --no-fund --no-save --silent "$package" || exit 77
node gguf.mjs "$root/tests/golden/model-1.gguf"
