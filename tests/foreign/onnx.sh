#!/usr/bin/env bash
# onnx.sh ROOT WRITER DIR: models that the library writes in ONNX's own checker, where python3-onnx
# is here, and in onnxruntime from npm, which is installed into DIR. Returns 77, skipped, without
# npm or without a network.
set -euo pipefail

root=$1 writer=$2 dir=$3 package=onnxruntime-node@1.20.1
rm -rf "$dir/models"
mkdir -p "$dir/models"
"$writer" "$dir/models"

# Not every python3 sees the system's packages.
for python in python3 /usr/bin/python3; do
    "$python" -c "import onnx" 2>/dev/null || continue
    "$python" - "$dir"/models/*.onnx <<'PROGRAM'
import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.producer_name == "libtinynn", path
print(f"onnx {onnx.__version__}: {len(sys.argv) - 1} models checked")
PROGRAM
    break
done

cp "$root/tests/foreign/onnx.mjs" "$dir"
cd "$dir"
command -v npm >/dev/null && command -v node >/dev/null || { echo "no npm"; exit 77; }
# Without its scripts: they would fetch libraries for graphics cards.
[ -d node_modules/onnxruntime-node ] ||
    timeout 120 npm install --ignore-scripts --no-audit --no-fund --no-save --silent "$package" ||
    { echo "onnxruntime-node could not be installed"; exit 77; }
node onnx.mjs "$dir/models"
