#!/usr/bin/env bash
# layers.sh SRC: a file includes only its own floor or a lower one. A component includes itself and
# support/, and the core no component.
set -euo pipefail
cd "$1"

set_floor() { # of a path relative to src/
    case $1 in
    support/*) floor=0 ;;
    kernels/*) floor=1 ;;
    activation.? | loss.? | initializer.? | optimizer.? | schedule.?) floor=2 ;;
    net.? | forward.? | backward.? | step.? | predict.? | scaling.?) floor=3 ;;
    *) floor=4 ;;
    esac
}

failed=0
includes=0
while IFS=: read -r file line include; do
    header=${include#*\"}
    header=${header%%\"*}
    case $header in tinynn/*) continue ;; esac # the public header belongs to every floor
    if [ ! -f "$header" ]; then
        echo "src/$file:$line: write the path of \"$header\" from src/"
        failed=1
        continue
    fi
    includes=$((includes + 1))
    case $file:$header in
    onnx/*:onnx/* | onnx/*:support/*) continue ;;
    onnx/* | *:onnx/*)
        echo "src/$file:$line: $header is on the other side of the public header"
        failed=1
        continue
        ;;
    esac
    set_floor "$file" && from=$floor
    set_floor "$header" && to=$floor
    if [ "$to" -gt "$from" ]; then
        echo "src/$file:$line: floor $from includes $header of floor $to"
        failed=1
    fi
done < <(find . -name '*.[ch]' | sed 's|^\./||' | sort |
    xargs grep -nH '^[[:space:]]*#[[:space:]]*include[[:space:]]*"')

echo "$includes includes checked"
if [ "$includes" -eq 0 ]; then
    echo "That cannot be all of them."
    exit 1
fi
exit $failed
