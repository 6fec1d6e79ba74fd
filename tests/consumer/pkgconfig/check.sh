#!/usr/bin/env bash
# check.sh PREFIX BUILD: pkg-config tinynn with a bare compiler, dynamic and --static.
set -euo pipefail
prefix=$1 build=$2
command -v pkg-config >/dev/null || { echo "no pkg-config here"; exit 77; }
source=$(dirname "$0")/../consumer.c
libraries=$(dirname "$(find "$prefix" -name 'libtinynn.a')")
export PKG_CONFIG_PATH=$libraries/pkgconfig
rm -rf "$build" && mkdir -p "$build"
set -x

"$CC" $CFLAGS "$source" -o "$build/dynamic" $(pkg-config --cflags --libs tinynn) -lm
LD_LIBRARY_PATH=$libraries DYLD_LIBRARY_PATH=$libraries "$build/dynamic" shared

flags=$(pkg-config --static --cflags --libs tinynn)
case $flags in
*.so*) flags=${flags/-ltinynn/-l:libtinynn.a} ;; # a runtime of OpenMP that is shared only
*) flags="-static $flags" ;;
esac
"$CC" $CFLAGS "$source" -o "$build/static" $flags
"$build/static" static
