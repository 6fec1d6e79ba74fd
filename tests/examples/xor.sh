#!/usr/bin/env bash
# xor.sh XOR HELLO DIRECTORY: the example programs print, write and return what they promise.
. "$(dirname "$0")/common.sh"
xor=$1 hello=$2
enter "$3"

table() { # FILE SEEDS: compare's, whole
    local header=activation,bias,seeds,solved,median_cost,median_epochs,fluctuation
    local expected=$header
    for name in published relu leaky_relu tanh sigmoid; do
        expected+=$'\n'$name,0,$2$'\n'$name,1,$2
    done
    [ "$(head -n 1 "$1")" = "$header" ] || fail "$1 begins with $(head -n 1 "$1")"
    [ "$(sed '1!s/^\([^,]*,[^,]*,[^,]*\),.*/\1/' "$1")" = "$expected" ] || fail "lines of $1"
    local number='[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?'
    [ "$(grep -cE "^[a-z_]+,[01],$2,[0-$2],$number,($number|inf),$number\$" "$1")" -eq 10 ] ||
        fail "numbers of $1"
}

published='X       y  y_hat
(0, 0)  0  0.0000
(0, 1)  1  0.9997
(1, 0)  1  0.9997
(1, 1)  0  0.0005'
weight='-?[0-9]\.[0-9]{7}'

run 0 "$xor" published
silent
prints "$published"
prints 'W1 = [[-0.8178175, 0.7132367], [0.4880363, -0.7128615]]
W2 = [[2.0484924], [1.4017079]]'

run 0 "$xor" train --output train
silent
prints "$published"
matches out "W1 = \[\[$weight, $weight\], \[$weight, $weight\]\]"
matches out "W2 = \[\[$weight\], \[$weight\]\]"
matches out 'A training step took [0-9]+ ns \(median\)\.'
curves train/xor-loss
[ "$(wc -l <train/xor-loss.csv)" -eq 6000 ] || fail "not 5,999 epochs"

run 0 "$xor" compare --seeds 3 --csv table.csv --output compare
silent
prints 'Wrote table.csv'
table table.csv 3
curves compare/xor-curves

# No plot, but the table; what was in the file is gone.
printf 'old\n%.0s' {1..1000} >kept.csv
run 1 "$xor" compare --seeds 2 --csv kept.csv --output /dev/null/x
matches err 'xor: /dev/null/x: .*'
prints 'Wrote kept.csv'
table kept.csv 2

# No measurement, for lack of memory: what was in the file stays. (Under ASan not even a start.)
echo old >kept.csv
! (ulimit -v 1000000 && exec "$xor" compare --seeds 1000000 --csv kept.csv) >out 2>err ||
    fail "measured without memory"
[ "$(<kept.csv)" = old ] || fail "kept.csv is lost"

# A table that cannot be written is not said to be.
run 1 "$xor" compare --seeds 1 --csv /dev/null/x --output compare
matches err 'xor: /dev/null/x: .*'
if [ -c /dev/full ]; then
    run 1 "$xor" compare --seeds 1 --csv /dev/full --output compare
    matches err 'xor: /dev/full: .*'
    ! grep -q 'Wrote /dev/full' out || fail "/dev/full is full"
fi

run 2 "$xor" nonsense
matches err '.*nonsense.*'
run 2 "$xor" compare --nonsense
matches err '.*nonsense.*'

run 0 "$hello"
silent
[ "$(sed -E 's/= 0\.[0-4][0-9]{2}$/= 0/; s/= (0\.[5-9][0-9]{2}|1\.000)$/= 1/' out)" = \
    '0 xor 0 = 0
0 xor 1 = 1
1 xor 0 = 1
1 xor 1 = 0' ] || fail "hello has not learned XOR"
