#!/usr/bin/env bash
# check.sh PREFIX BUILD ONNX: find_package(tinynn) from C and C++, static and shared; with the
# component onnx if that is ON.
set -euo pipefail
prefix=$1 build=$2 onnx=$3
rm -rf "$build"

for shared in OFF ON; do
    echo "---- BUILD_SHARED_LIBS=$shared"
    "$CMAKE" --log-level=WARNING -S "$(dirname "$0")" -B "$build/$shared" \
        -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=$shared -DWITH_ONNX="$onnx"
    "$CMAKE" --build "$build/$shared"
    (cd "$build/$shared" && "$CTEST" --output-on-failure)
done
