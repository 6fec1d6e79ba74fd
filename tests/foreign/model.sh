#!/usr/bin/env bash
# model.sh ROOT CC EMULATOR DIR HOST [FLAGS]: the golden files are read on another machine, by a
# library that CC builds with FLAGS and EMULATOR runs, and come back with the same bytes; a training
# there, with a break, has the bits of the one by HOST, which is the same program on this machine.
set -euo pipefail

root=$1 cc=$2 emulator=$3 dir=$4 host=$5
flags=("${@:6}")
golden=$root/tests/golden/model-1.gguf checkpoint=$root/tests/golden/checkpoint-1.gguf
rm -rf "$dir"
mkdir -p "$dir"
mapfile -t sources < <(find "$root/src" -path "$root/src/onnx" -prune -o -name '*.c' -print | sort)
"$cc" -std=c11 -O1 -static -ffp-contract=off -fexcess-precision=fast "${flags[@]}" -DTNN_STATIC \
    -I "$root/include" -I "$root/src" "${sources[@]}" "$root/tests/foreign/model.c" -lm \
    -o "$dir/model"
"$emulator" "$dir/model" "$golden" "$dir/again.gguf" "$checkpoint" "$dir/checkpoint.gguf" \
    "$dir/trained.gguf"
cmp "$golden" "$dir/again.gguf"
cmp "$checkpoint" "$dir/checkpoint.gguf"
"$host" "$golden" "$dir/host.gguf" "$checkpoint" "$dir/host.gguf" "$dir/host-trained.gguf" |
    tee "$dir/host.txt"
if grep -q 'kernels portable' "$dir/host.txt"; then
    echo "this machine may have no fused multiply-add: its training is not compared"
else
    cmp "$dir/host-trained.gguf" "$dir/trained.gguf"
fi
