#!/usr/bin/env bash
# compilers.sh GENERATE DIR CC: nets that GENERATE writes as C compile without a warning with every
# compiler that is here, as C99 and as C++, for this machine and for microcontrollers that an
# emulator runs; they give the library's outputs, and need no more stack than they state. CC is gcc,
# and has to be here.
set -euo pipefail

generate=$1 dir=$2 cc=$3
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"
"$generate" .

failed=0
source=check.c
warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wdouble-promotion -Wshadow -Werror)
fail() {
    echo "FAILED: $*"
    failed=1
}

# check NAME RUNNER COMPILER [OPTION]...
check() {
    local name=$1 runner=$2 output
    shift 2
    if ! command -v "$1" >/dev/null; then
        echo "skipped: $name, there is no $1"
        return
    fi
    if ! "$@" "$source" -lm -o "$name" >"$name.log" 2>&1; then
        head -20 "$name.log"
        fail "$*"
        return
    fi
    # Whole outputs are compared: a program that ends early has no last line.
    if output=$($runner "./$name" 2>&1) && [[ $output =~ [1-9][0-9]*\ outputs,\ 0\ wrong$ ]]; then
        echo "passed: $name: ${output##*$'\n'}"
    else
        head -20 <<<"$output"
        fail "$name"
    fi
}

# stack NAME: predict, the largest layer and the four largest of the functions below it, which call
# each other, come to less than the header states. gcc's list of functions is NAME-check.su.
stack() {
    local name=$1 list net used stated count=0
    list=$(ls "$name"*.su 2>/dev/null) || return 0
    while read -r net used; do
        stated=$(sed -n 's/^#define .*_STACK_BYTES //p' "$net.h")
        count=$((count + 1))
        [ "$used" -le "$stated" ] ||
            fail "$name: $net needs $used bytes of stack and states $stated"
    done < <(sort -t $'\t' -k 2,2nr "$list" | awk -F '[:\t]' '
        match($4, /^(own|library)_[0-9]+_/) {
            net = substr($4, 1, RLENGTH - 1)
            function_name = substr($4, RLENGTH + 1)
            if (function_name == "predict") predict[net] = $5
            else if (function_name ~ /^layer/) { if (!(net in layer)) layer[net] = $5 }
            else if (functions[net]++ < 4) below[net] += $5
        }
        END { for (net in predict) print net, predict[net] + layer[net] + below[net] }')
    echo "$name: the stack of $count nets"
    [ "$count" -gt 0 ] || fail "$name: no stack usage in $list"
}

command -v "$cc" >/dev/null || fail "there is no $cc"
c=("${warnings[@]}" -std=c99)
check gcc-O0 "" "$cc" "${c[@]}" -O0 -fstack-usage
stack gcc-O0
check gcc-O2 "" "$cc" "${c[@]}" -O2 -fstack-usage
stack gcc-O2
# With the option that makes one rounding of two wherever a compiler may, which is the default
# without -std.
check gcc-O3-native "" "$cc" "${c[@]}" -O3 -march=native -ffp-contract=fast -fstack-usage
stack gcc-O3-native
check gcc-two-roundings "" "$cc" "${c[@]}" -O1 -ffp-contract=off -DTWO_ROUNDINGS
check g++ "" g++ -x c++ "${warnings[@]}" -O0
check clang "" clang "${c[@]}" -O1 -march=native -ffp-contract=fast
if command -v clang++ >/dev/null; then
    clang++ -x c++ -std=c++11 "${warnings[@]}" -fsyntax-only check.c || fail clang++
else
    echo "skipped: clang++, there is no clang++"
fi
check tcc "" tcc -Wall -Werror

# ---- Microcontrollers: Arm's boards of prototypes, whose programs print through the debugger -----

arm() { # BOARD OPTION...
    local board=$1
    local emulator="timeout 60 qemu-system-arm -M $board -nographic -monitor none -serial none
        -semihosting-config enable=on,target=native -kernel"
    shift
    if ! command -v qemu-system-arm >/dev/null; then
        echo "skipped: $board, there is no qemu-system-arm"
    elif command -v arm-none-eabi-gcc >/dev/null &&
        [ "$(arm-none-eabi-gcc -print-file-name=picolibc.specs)" = picolibc.specs ]; then
        echo "skipped: $board, there is no picolibc for arm-none-eabi-gcc"
    else
        check "$board" "$emulator" arm-none-eabi-gcc "${c[@]}" -mthumb "$@" -fstack-usage \
            --specs=picolibc.specs --crt0=hosted --oslib=semihost \
            -Wl,--defsym=__flash=0 -Wl,--defsym=__flash_size=0x400000 \
            -Wl,--defsym=__ram=0x20000000 -Wl,--defsym=__ram_size=0x400000
        stack "$board"
    fi
}

# A Cortex-M4 with its floating-point unit, which has a fused multiply-add.
arm mps2-an386 -O2 -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
# A Cortex-M3 has none, and picolibc's fmaf rounds twice.
arm mps2-an385 -Os -mcpu=cortex-m3 -DNOT_EXACT

# ---- What is wrong is found, and nothing else, however deep the net ------------------------------

# Of each deep net one with a wrong weight, which gets the samples of the right one, and one whose
# first layer runs twice. deep.c returns how many mains do not say what they have to.
{
    for net in {own,library}_{2,6,10}; do
        samples='/^.. ---- A check/'
        sed -i "$samples,\$d" "weight_$net.c"
        sed -n "$samples,\$p" "deep_$net.c" | sed 's/deep/weight/g; s/DEEP/WEIGHT/g' >>"weight_$net.c"
        for end in c h; do
            sed -e 's/deep/twice/g; s/DEEP/TWICE/g' -e 's/^    \(.*_layer0\)(x, a);/&\
    float t[24];\n    \1(a, t);\n    for (int i = 0; i < 24; i++)\n        a[i] = t[i];/' \
                "deep_$net.$end" >"twice_$net.$end"
        done
        for kind in deep weight twice; do
            printf '#define %s_MAIN\n#define main %s_main\n#include "%s.c"\n#undef main\n' \
                "$(tr a-z A-Z <<<"${kind}_$net")" "${kind}_$net"{,}
        done
    done
    echo "int main(void) {"
    echo "    int wrong = 0;"
    for net in {own,library}_{2,6,10}; do
        echo "    wrong += (deep_${net}_main() != 0) + (weight_${net}_main() != 1) +"
        echo "             (twice_${net}_main() != 1);"
    done
    echo '    printf("%d outputs, %d wrong\n", 18, wrong);'
    echo "    return wrong;"
    echo "}"
} >deep.c
source=deep.c
check deep-O2 "" "$cc" "${c[@]}" -O2
check deep-O3-native "" "$cc" "${c[@]}" -O3 -march=native
check deep-contract "" "$cc" "${c[@]}" -O1 -march=native -ffp-contract=fast

# An output's last bit is wrong where there is a fused multiply-add, and is not elsewhere.
sed 's/_predict(.*_sample_x\[r\], y);/&\n        y[0] = nextafterf(y[0], 2.0f);/' deep_own_2.c >bit.c
if echo '#include <math.h>' | "$cc" -march=native -E -dM -x c - | grep -q FP_FAST_FMAF; then
    status=0
    "$cc" "${c[@]}" -O1 -march=native -DDEEP_OWN_2_MAIN bit.c -lm -o bit && ./bit >bit.out || status=$?
    grep -q ' 0 to the bit, 10 wrong$' bit.out && [ $status = 1 ] || fail "a wrong bit is right"
fi
"$cc" "${c[@]}" -O1 -DDEEP_OWN_2_MAIN -D'DEEP_OWN_2_FMAF(a,b,c)=((a)*(b)+(c))' bit.c -lm -o bit &&
    ./bit >bit.out || fail "a last bit is wrong"

exit $failed
