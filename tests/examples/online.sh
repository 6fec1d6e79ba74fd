#!/usr/bin/env bash
# online.sh PROGRAM DIRECTORY: who learns on keeps up with what drifts, who stops does not.
. "$(dirname "$0")/common.sh"
program=$1
enter "$2"

run 0 "$program" --help
silent
run 2 "$program" --seeds 1
matches err 'online: --seeds is not for this program'

run 0 "$program" --output curves
silent
curves curves/online
[ "$(wc -l <curves/online.csv)" -eq 201 ] || fail "not 200 points"
matches out 'Squared error of late: 0\.0[01][0-9]+, and 0\.[1-9][0-9]+ of the net that stopped .*'
matches out 'A sample took [0-9]+ ns .*'
