#!/usr/bin/env bash
# onnx_recipes.sh ROOT PREDICT DIR: every Python program of docs/onnx.md prints what the net makes of
# the model that it wrote. Those whose packages are not here are skipped; returns 77 if all are.
set -euo pipefail

root=$1 predict=$2 dir=$3
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"

# N.py: the blocks marked python, in their order.
awk '/^```python$/ { n++; inside = 1; next }
     /^```/ { inside = 0 }
     inside { print > (n ".py") }' "$root/docs/onnx.md"

# Not every python3 sees the system's packages.
find_python() { # PACKAGE...
    local imports
    imports=$(printf 'import %s\n' "$@")
    for python in python3 /usr/bin/python3; do
        "$python" -c "$imports" 2>/dev/null && return
    done
    echo "skipped: no Python here with $*"
    return 1
}

ran=0
recipe() { # NUMBER "PACKAGES" X...
    [ -f "$1.py" ] || { echo "docs/onnx.md has no program $1"; exit 1; }
    # shellcheck disable=SC2086 # a list of words
    find_python $2 || return 0
    rm -f model.onnx
    "$python" "$1.py" 2>"$1.log" >"$1.expected" || { cat "$1.log"; exit 1; }
    "$predict" model.onnx "${@:3}" >"$1.got"
    paste -d' ' <(tr ' ' '\n' <"$1.expected") <(tr ' ' '\n' <"$1.got") | awk '
        { error = $1 - $2; size = $1; if (error < 0) error = -error; if (size < 0) size = -size }
        NF != 2 || !(error <= 1e-5 * (1 + size)) { print "expected " $1 ", got " $2; failed = 1 }
        END { exit failed || NR < 2 }'
    echo "$2: $(cat "$1.got")"
    ran=$((ran + 1))
}

recipe 1 torch 0.5 -1
recipe 2 "onnx sklearn" 5.1 3.5 1.4 0.2
[ "$ran" -gt 0 ] || exit 77
