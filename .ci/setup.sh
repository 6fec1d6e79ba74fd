# shellcheck shell=bash
# Sourced by examples/run, tests/run and .ci/run: installs what is missing, builds quietly.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(getconf _NPROCESSORS_ONLN)}
export CMAKE_BUILD_PARALLEL_LEVEL

cc=${CC:-cc} # maybe with a launcher or an option: "ccache gcc"
compiler=("${cc%% *}=gcc" stdio.h=libc6-dev make=make cmake=cmake)

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The examples' data, a file of it with its package.
sklearn_data=/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz=python3-sklearn
fashion_data=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz=dataset-fashion-mnist

# quietly COMMAND...: shows what the command printed only if it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] || { cat "$log" && echo "failed: $*"; } >&2
    rm -f "$log"
    return $status
}

# has THING: a command, a header that the compiler finds, or a file with its whole path.
has() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *.h) echo "#include <$1>" | $cc -E - ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

apt_install() { # PACKAGE...
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    if ! has apt-get || ! has "${as_root[0]:-apt-get}"; then
        return 1
    fi
    echo "Installing $*" >&2
    quietly "${as_root[@]}" apt-get update &&
        quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "$@"
}

# provide THING=PACKAGE...: installs what is not here; on Debian and Ubuntu, as root or with sudo.
# Without a THING nothing goes on, unless it ends in a question mark.
provide() {
    local pair packages=() without=()
    for pair; do
        has "${pair%%[?=]*}" || packages+=("${pair#*=}")
    done
    [ ${#packages[@]} -eq 0 ] && return
    apt_install "${packages[@]}" || true
    for pair; do
        has "${pair%%[?=]*}" && continue
        case $pair in
        *\?=*) echo "Going on without ${pair%%\?=*} (package ${pair#*=})." >&2 ;;
        *) without+=("    ${pair%%=*} (Debian and Ubuntu: ${pair#*=})") ;;
        esac
    done
    [ ${#without[@]} -eq 0 ] ||
        die "Please install these and run this again; this script could not do it:" \
            "${without[@]}"
}

# build DIR OPTION...: configures and builds the project in DIR.
build() {
    quietly cmake -S "$root" -B "$@"
    quietly cmake --build "$1"
}
