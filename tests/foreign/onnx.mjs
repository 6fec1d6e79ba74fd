// onnx.mjs FOLDER: onnxruntime runs every model of the folder and gives the outputs that are stored
// next to it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { InferenceSession, Tensor } = createRequire(import.meta.url)("onnxruntime-node");
const folder = process.argv[2];
let worst = 0;
let models = 0;

for (const file of readdirSync(folder).filter((name) => name.endsWith(".onnx"))) {
    const { rows, inputs, x, y } = JSON.parse(
        readFileSync(`${folder}/${file.replace(/onnx$/, "json")}`, "utf8"),
    );
    const session = await InferenceSession.create(`${folder}/${file}`);
    assert.deepEqual(session.inputNames, ["x"]);
    assert.deepEqual(session.outputNames, ["y"]);
    const result = await session.run({
        x: new Tensor("float32", Float32Array.from(x), [rows, inputs]),
    });
    assert.deepEqual([...result.y.dims], [rows, y.length / rows]);
    y.forEach((expected, i) => {
        const error = Math.abs(result.y.data[i] - expected) / (1 + Math.abs(expected));
        assert.ok(error <= 1e-5, `${file}: output ${i} is ${result.y.data[i]}, not ${expected}`);
        worst = Math.max(worst, error);
    });
    models++;
}
assert.ok(models === 28, `only ${models} models`);
console.log(`${models} models, errors of at most ${worst.toExponential(2)} (1 + |y|)`);
