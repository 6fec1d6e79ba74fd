#!/usr/bin/env bash
# install.sh BUILD PREFIX CONFIG: installs, then moves what was installed to PREFIX.
set -euo pipefail
build=$1 prefix=$2 config=$3
first=$prefix-as-installed

rm -rf "$first" "$prefix"
"$CMAKE" --install "$build" --prefix "$first" --config "$config"
mv "$first" "$prefix"

if grep -rIF -e "$first" -e "$build" "$prefix"; then
    echo "The files above know where they were built or installed."
    exit 1
fi
[ -n "$(find "$prefix" -name LICENSE)" ] || { echo "The licence was not installed"; exit 1; }
