#!/usr/bin/env bash
# check.sh SOURCE BUILD ONNX: add_subdirectory, with the component onnx (if that is ON) and without;
# nothing of ours turns up in the host's build but the
# library that it links.
set -euo pipefail
source=$1 build=$2 onnx=$3
rm -rf "$build"

same() { # WHAT EXPECTED GOT
    [ "$2" = "$3" ] || { printf '%s: expected\n%s\ngot\n%s\n' "$@"; exit 1; }
}

for shared in OFF ON; do
    here=$build/$shared
    echo "---- BUILD_SHARED_LIBS=$shared"
    "$CMAKE" --log-level=WARNING -S "$(dirname "$0")" -B "$here" \
        -DTINYNN_SOURCE="$source" -DBUILD_SHARED_LIBS=$shared -DTINYNN_ONNX="$onnx"
    "$CMAKE" --build "$here"
    (cd "$here" && "$CTEST" --output-on-failure)
    same "tests" "Total Tests: 1" "$(cd "$here" && "$CTEST" -N | grep Total)"

    "$CMAKE" --install "$here" --prefix "$here/prefix"
    same "installed files" "./bin/host" "$(cd "$here/prefix" && find . ! -type d)"

    case $shared in OFF) unused='*.so*' ;; ON) unused='*.a' ;; esac
    same "libraries that nobody links" "" "$(find "$here" -name "$unused" -o -name 'libtinynn_onnx*')"
    onnx=OFF
done
