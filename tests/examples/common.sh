# shellcheck shell=bash
# Sourced by the tests of examples: what they have in common. They run in a directory of their own.

set -euo pipefail

enter() { # DIRECTORY: made anew
    rm -rf "$1"
    mkdir -p "$1"
    cd "$1"
}

fail() {
    echo "FAILED: $1"
    tail -n +1 out err
    exit 1
}

run() { # STATUS COMMAND...: fills the files out and err
    local status=0
    echo "---- ${*:2}"
    "${@:2}" >out 2>err || status=$?
    [ "$status" -eq "$1" ] || fail "exit status $status, not $1"
}

prints() { # LINES: they stand in out, one after another
    [[ $'\n'$(<out)$'\n' == *$'\n'"$1"$'\n'* ]] || fail "not printed: $1"
}

matches() { # FILE REGEX: of a whole line
    grep -qxE -e "$2" "$1" || fail "no line of $1 is $2"
}

silent() { # no error, no progress bar
    [ ! -s err ] || fail "something on stderr"
}

curves() { # BASE: the CSV, and the plots if they can be drawn
    local kinds=(csv)
    ! command -v gnuplot >/dev/null || kinds+=(png svg)
    for kind in "${kinds[@]}"; do
        [ -s "$1.$kind" ] || fail "no $1.$kind"
        prints "Wrote $1.$kind"
    done
}
