#!/usr/bin/env bash
# model.sh ROOT CC EMULATOR DIR: the golden files are read on another machine, by a library that CC
# builds and EMULATOR runs, and come back with the same bytes.
set -euo pipefail

root=$1 cc=$2 emulator=$3 dir=$4
golden=$root/tests/golden/model-1.gguf checkpoint=$root/tests/golden/checkpoint-1.gguf
rm -rf "$dir"
mkdir -p "$dir"
mapfile -t sources < <(find "$root/src" -path "$root/src/onnx" -prune -o -name '*.c' -print | sort)
"$cc" -std=c11 -O1 -static -ffp-contract=off -DTNN_STATIC -I "$root/include" -I "$root/src" \
    "${sources[@]}" "$root/tests/foreign/model.c" -lm -o "$dir/model"
"$emulator" "$dir/model" "$golden" "$dir/again.gguf" "$checkpoint" "$dir/checkpoint.gguf"
cmp "$golden" "$dir/again.gguf"
cmp "$checkpoint" "$dir/checkpoint.gguf"
