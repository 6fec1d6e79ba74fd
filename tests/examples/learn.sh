#!/usr/bin/env bash
# learn.sh PROGRAM DIRECTORY NEEDS SCORE LEAST [ARGUMENT...]: an example reaches its figure.
#
# NEEDS is a file of its data, or empty; without it the test is skipped. The mean of the SCORE that
# it prints has to be LEAST or more. LEAST may name a column of baselines.csv, whose mean less 0.01
# it is then, or be two of them.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
program=$1 needs=$3 score=$4 least=$5
name=$(basename "$program")
enter "$2"
shift 5

baseline() { # COLUMN
    awk -F, -v column="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) field = i; next }
        { sum += $field }
        END { if (NR < 31 || !field) exit 1; print sum / (NR - 1) - 0.01 }' \
        "$here/../reference/baselines.csv"
}

reaches() { # FIGURE
    local figure=$1
    case $figure in [a-z]*) figure=$(baseline "$figure") ;; esac
    awk -v mean="$mean" -v figure="$figure" 'BEGIN { exit !(mean + 0 >= figure + 0) }' ||
        fail "the mean is $mean, not $figure or more"
}

run 0 "$program" --help
silent
matches out "usage: $name \[options\]"
run 2 "$program" --nonsense
matches err '.*nonsense.*'
run 2 "$program" --seeds 0
matches err "$name: --seeds 0: .*"
run 1 "$program" --data /dev/null/x
matches err ".*/dev/null/x.*"

[ -z "$needs" ] || [ -e "$needs" ] || { echo "$needs is not here" && exit 77; }

run 0 "$program" --csv scores.csv --output curves "$@"
! grep -q $'\r' err || fail "a progress bar without a terminal"
curves "curves/$name"
prints 'Wrote scores.csv'
mean=$(sed -nE "s|^$score (-?[0-9.]+): mean of .*|\1|p" out)
[ -n "$mean" ] || fail "no mean of $score"
for figure in $least; do
    reaches "$figure"
done
matches out 'A training took [0-9]+ epochs and [0-9.e+-]+ seconds \(means\)\.'
seeds=$(sed -nE 's|.*: mean of ([0-9]+), .*|\1|p' out)
[ "$(wc -l <scores.csv)" -eq $((seeds + 1)) ] || fail "lines of scores.csv"
[ "$name" != two_spirals ] || prints "$seeds of $seeds trainings told all points apart."
