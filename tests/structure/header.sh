#!/usr/bin/env bash
# header.sh INCLUDE CC: each public header alone is C11 and C++17 without a warning, for the
# compiler of this build and for every other one that is found here.
set -euo pipefail

all=(-fsyntax-only -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wcast-qual)
c=(-xc -std=c11 -Wstrict-prototypes -Wmissing-prototypes)
cxx=(-xc++ -std=c++17 -Wold-style-cast -Wzero-as-null-pointer-constant -Wnon-virtual-dtor)

check() { # COMPILER FLAGS...
    command -v "$1" >/dev/null || return 0
    echo "$1 ${*:2}"
    for header in "$include"/tinynn/*.h; do
        echo "#include <tinynn/$(basename "$header")>" | "$@" "${all[@]}" -I "$include" -
    done
}

include=$1
for compiler in "$2" gcc clang; do
    check "$compiler" "${c[@]}"
    check "$compiler" "${c[@]}" -DTNN_STATIC
done
for compiler in g++ clang++; do
    check "$compiler" "${cxx[@]}"
done
