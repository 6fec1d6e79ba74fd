// gguf.mjs FILE: a parser of GGUF that no one here wrote reads the golden model file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gguf } from "@huggingface/gguf";

const path = process.argv[2];
const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true });

assert.equal(metadata.version, 3);
assert.equal(metadata["general.architecture"], "tinynn");
assert.equal(metadata["tinynn.format_version"], 1);
assert.equal(metadata["tinynn.seed"], 0xfedcba9876543210n);
assert.equal(metadata["tinynn.input_count"], 2n);
assert.deepEqual(metadata["tinynn.layers.units"], [4n, 3n, 2n]);
assert.deepEqual(metadata["tinynn.layers.activation"], ["leaky_relu", "bend", "elu"]);
assert.deepEqual(metadata["tinynn.layers.activation_parameter"], [0.125, 0.0625, 0.75]);
assert.deepEqual(metadata["tinynn.layers.has_bias"], [true, false, true]);
assert.deepEqual(metadata["tinynn.layers.dropout"], [0.25, 0, 0.5]);

const shapes = Object.fromEntries(tensorInfos.map(({ name, shape }) => [name, shape.map(Number)]));
assert.deepEqual(shapes, {
    "layers.0.weight": [4, 2],
    "layers.0.bias": [4],
    "layers.1.weight": [3, 4],
    "layers.2.weight": [2, 3],
    "layers.2.bias": [2],
    "input.shift": [2],
    "input.scale": [2],
    "output.shift": [2],
    "output.scale": [2],
});
assert.ok(tensorInfos.every(({ dtype }) => dtype === 0));

// Parameter i of the flat vector is (-1)^i 2^(i mod 5) / 8; GGUF's tensors have gaps between them.
const bytes = readFileSync(path);
const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
let i = 0;
for (const { name, shape, offset } of tensorInfos.filter(({ name }) => name.startsWith("layers."))) {
    const count = shape.map(Number).reduce((a, b) => a * b);
    for (let k = 0; k < count; k++, i++) {
        const value = data.getFloat32(Number(tensorDataOffset + offset) + 4 * k, true);
        assert.equal(value, ((-1) ** i * 2 ** (i % 5)) / 8, `${name}[${k}]`);
    }
}
console.log(`${Object.keys(metadata).length} keys, ${tensorInfos.length} tensors, ${i} parameters`);
