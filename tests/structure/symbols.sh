#!/usr/bin/env bash
# symbols.sh NM STATIC SHARED: the shared library exports tnn_* and nothing else; the global names
# of the static one begin with tnn_ or, inside the library, with tnni_.
set -euo pipefail
nm=$1 static=$2 shared=$3

exported() { # NM OPTIONS... FILE: the names, one a line
    "$nm" "$@" | awk 'NF == 3 {print $3}' | sort
}

only() { # PATTERN FILE NAMES
    if grep -vE "$1" <<<"$3"; then
        echo "$(basename "$2") should not export the above, only $1"
        exit 1
    fi
    echo "$(basename "$2"): $(wc -l <<<"$3") names"
}

only '^tnn_' "$shared" "$(exported -D --defined-only "$shared")"
only '^tnni?_' "$static" "$(exported -g --defined-only "$static")"

# Nothing of the header was forgotten by one of the two.
diff <(exported -D --defined-only "$shared") \
    <(exported -g --defined-only "$static" | grep '^tnn_')
