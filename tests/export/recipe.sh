#!/usr/bin/env bash
# recipe.sh ROOT CC LIBRARY DIR [LIBRARY]...: the recipe of docs/generated-c.md, run as it stands
# there: the program, the commands for a microcontroller and what they print. The code that the page
# shows is the code that comes out.
set -euo pipefail

root=$1 cc=$2 library=$3 dir=$4 others=("${@:5}")
rm -rf "$dir"
mkdir -p "$dir"
cd "$dir"

# The blocks of a section, as block-LANGUAGE-1 and so on.
awk -v RS='\n' '
    /^## / { section = $0 }
    /^```/ && !kind { kind = substr($0, 4); name = ""; next }
    /^```$/ { kind = ""; next }
    kind && section ~ /^## (What comes out|To a microcontroller)/ {
        part = section ~ /What comes out/ ? "shown" : "recipe"
        if (name == "") {
            name = part "-" kind "-" ++count[part, kind]
            printf "" > name
        }
        print > name
    }' "$root/docs/generated-c.md"

"$cc" -std=c11 -Wall -Wextra -Werror -I "$root/include" -DTNN_STATIC -x c recipe-c-1 -x none \
    "$library" "${others[@]}" -lm -pthread -o train
./train >train.out
diff recipe-text-1 train.out

shown=0
for block in shown-c-*; do
    shown=$((shown + 1))
    [[ "$(cat sine.h sine.c)" == *"$(cat "$block")"* ]] ||
        { echo "$block is not what comes out:" && cat "$block" && exit 1; }
done
echo "$shown pieces of code as shown"
[ "$shown" -ge 4 ]

# The check of this machine, where fmaf rounds once as well.
gcc -std=c99 -O2 -DSINE_MAIN sine.c -lm -o check 2>/dev/null && ./check | diff <(head -1 recipe-text-2) -

for tool in arm-none-eabi-gcc qemu-system-arm; do
    command -v $tool >/dev/null || { echo "skipped: there is no $tool" && exit 77; }
done
[ "$(arm-none-eabi-gcc -print-file-name=picolibc.specs)" != picolibc.specs ] ||
    { echo "skipped: there is no picolibc" && exit 77; }
timeout 60 bash -e recipe-sh-1 >firmware.out 2>&1
diff recipe-text-2 firmware.out
