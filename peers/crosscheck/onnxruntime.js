// Runs the net.onnx that main.go wrote and prints the largest difference of its logits from ours, relative to our largest
// logit, for the whole batch and for its first picture alone: node onnxruntime.js DIR BOUND
const fs = require('fs');
const ort = require('onnxruntime-node');

// A safetensors file of float32: name → {shape, data}.
function read(path) {
  const file = fs.readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, start));
  delete header.__metadata__;
  return Object.fromEntries(Object.entries(header).map(([name, { shape, data_offsets: [from, to] }]) =>
    [name, { shape, data: new Float32Array(new Uint8Array(file.subarray(start + from, start + to)).buffer) }]));
}

function difference(got, want) {
  if (got.length !== want.length) throw new Error(`${got.length} logits, want ${want.length}`);
  let largest = 0, scale = 0;
  for (let i = 0; i < want.length; i++) {
    if (!Number.isFinite(got[i])) throw new Error(`logit ${i} is ${got[i]}`);
    largest = Math.max(largest, Math.abs(got[i] - want[i]));
    scale = Math.max(scale, Math.abs(want[i]));
  }
  return largest / scale;
}

(async () => {
  const [dir, bound] = [process.argv[2], +process.argv[3]];
  const { pixels, logits } = read(`${dir}/ours.safetensors`);
  const session = await ort.InferenceSession.create(`${dir}/net.onnx`);
  const differences = [];
  for (const batch of [pixels.shape[0], 1]) {
    const shape = [batch, ...pixels.shape.slice(1)];
    const part = pixels.data.subarray(0, shape.reduce((a, b) => a * b));
    const result = await session.run({ pixels: new ort.Tensor('float32', part, shape) });
    if (result.logits.dims[0] !== batch) throw new Error(`logits of the shape ${result.logits.dims} for ${batch} pictures`);
    differences.push(difference(result.logits.data, logits.data.subarray(0, batch * logits.shape[1])));
  }
  console.log(...differences.map((d) => d.toExponential(1)));
  if (!differences.every((d) => d <= bound)) throw new Error(`a difference exceeds ${bound}`);
})().catch((e) => { console.error(e.message); process.exit(1); });
