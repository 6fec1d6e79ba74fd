#!/usr/bin/env bash
# documents.sh ROOT CC LIBRARY DIR [LIBRARY]...: every complete program in the README and in docs
# compiles without a warning and prints exactly the block of text that follows it. ONNX has the
# libraries of programs that use the component, which are left out without it.
set -euo pipefail

root=$1 cc=$2 library=$3 dir=$4 others=("${@:5}")
rm -rf "$dir"
mkdir -p "$dir"

# Numbers the programs (blocks marked c with a main), and the blocks marked text that follow one.
extract() { # FILE NAME
    awk -v name="$dir/$2" '
        /^```c$/ { program = ""; kind = "c"; next }
        /^```text$/ { kind = waiting ? "text" : ""; waiting = 0; next }
        /^```/ {
            if (kind == "c" && program ~ /int main\(/) {
                n++
                printf "%s", program > (name "-" n ".c")
                printf "" > (name "-" n ".txt")
                waiting = 1
            }
            kind = ""
            next
        }
        kind == "c" { program = program $0 "\n" }
        kind == "text" { print > (name "-" n ".txt") }
    ' "$1"
}

for document in "$root"/README.md "$root"/docs/*.md; do
    extract "$document" "$(basename "$document" .md)"
done

failed=0
count=0
for program in "$dir"/*.c; do
    name=${program%.c}
    component=()
    if grep -q '<tinynn/onnx.h>' "$program"; then
        [ -n "${ONNX:-}" ] || continue
        read -ra component <<<"$ONNX"
    fi
    count=$((count + 1))
    "$cc" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -I "$root/include" -DTNN_STATIC \
        "$program" "${component[@]}" "$library" "${others[@]}" -lm -pthread -o "$name"
    (cd "$dir" && "$name") >"$name.out"
    diff "$name.txt" "$name.out" || { echo "$name prints something else"; failed=1; }
done
echo "$count programs"
[ "$count" -ge 10 ] || { echo "fewer than there were"; failed=1; }
exit $failed
