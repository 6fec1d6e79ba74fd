#!/usr/bin/env bash
# check.sh PREFIX BUILD ONNX: pkg-config tinynn with a bare compiler, dynamic and --static; and
# tinynn-onnx if that is ON.
set -euo pipefail
prefix=$1 build=$2 onnx=$3
command -v pkg-config >/dev/null || { echo "no pkg-config here"; exit 77; }
libraries=$(dirname "$(find "$prefix" -name 'libtinynn.a')")
export PKG_CONFIG_PATH=$libraries/pkgconfig
rm -rf "$build" && mkdir -p "$build"
set -x

check() { # NAME PACKAGE
    local source flags
    source=$(dirname "$0")/../$1.c
    "$CC" $CFLAGS "$source" -o "$build/$1-dynamic" $(pkg-config --cflags --libs "$2") -lm
    LD_LIBRARY_PATH=$libraries DYLD_LIBRARY_PATH=$libraries "$build/$1-dynamic" shared

    flags=$(pkg-config --static --cflags --libs "$2")
    case $flags in
    *.so*) # a runtime of OpenMP that is shared only
        flags=${flags/-ltinynn_onnx/-l:libtinynn_onnx.a}
        flags=${flags/-ltinynn /-l:libtinynn.a }
        ;;
    *) flags="-static $flags" ;;
    esac
    "$CC" $CFLAGS "$source" -o "$build/$1-static" $flags
    "$build/$1-static" static
}

check consumer tinynn
[ "$onnx" != ON ] || check onnx tinynn-onnx
