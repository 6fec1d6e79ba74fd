#!/usr/bin/env bash
# check.sh SOURCE BUILD: add_subdirectory; nothing of ours turns up in the host's build but the
# library that it links.
set -euo pipefail
source=$1 build=$2
rm -rf "$build"

same() { # WHAT EXPECTED GOT
    [ "$2" = "$3" ] || { printf '%s: expected\n%s\ngot\n%s\n' "$@"; exit 1; }
}

for shared in OFF ON; do
    here=$build/$shared
    echo "---- BUILD_SHARED_LIBS=$shared"
    "$CMAKE" --log-level=WARNING -S "$(dirname "$0")" -B "$here" \
        -DTINYNN_SOURCE="$source" -DBUILD_SHARED_LIBS=$shared
    "$CMAKE" --build "$here"
    (cd "$here" && "$CTEST" --output-on-failure)
    same "tests" "Total Tests: 1" "$(cd "$here" && "$CTEST" -N | grep Total)"

    "$CMAKE" --install "$here" --prefix "$here/prefix"
    same "installed files" "./bin/host" "$(cd "$here/prefix" && find . ! -type d)"

    case $shared in OFF) unused='*.so*' ;; ON) unused='*.a' ;; esac
    same "libraries that nobody links" "" "$(find "$here" -name "$unused")"
done
