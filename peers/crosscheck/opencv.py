"""Writes the net that main.go drew as a Caffe model, with the fully connected layers as convolutions (section 3.2), runs it
with OpenCV's Caffe reader on main.go's pictures, and prints the largest difference of the logits, means over the class score
map, from ours, relative to our largest logit. opencv.py DIR BOUND exits 1 where it exceeds the bound."""
import json
import math
import sys
import cv2
import numpy


def read(path):
    """A safetensors file of float32: name → array."""
    data = numpy.fromfile(path, numpy.uint8)
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(data[8:start].tobytes())
    header.pop("__metadata__", None)
    return {name: data[start + e["data_offsets"][0]:start + e["data_offsets"][1]].view("<f4").reshape(e["shape"])
            for name, e in header.items()}


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, data):
    """A protobuf field of bytes, a string or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def blob(array):
    """A BlobProto: shape.dim and data, both packed."""
    dims = field(1, b"".join(map(varint, array.shape)))
    return field(7, field(7, dims) + field(5, array.astype("<f4").tobytes()))


class Model:
    """A prototxt and a caffemodel, layer by layer."""

    def __init__(self, shape):
        self.last, self.binary = "data", b""
        self.text = 'layer { name: "data" type: "Input" top: "data" input_param { shape { %s } } }\n' % " ".join(f"dim: {d}" for d in shape)

    def add(self, name, kind, parameters="", *blobs, in_place=False):
        top = self.last if in_place else name
        self.text += f'layer {{ name: "{name}" type: "{kind}" bottom: "{self.last}" top: "{top}" {parameters} }}\n'
        self.binary += field(100, field(1, name.encode()) + field(2, kind.encode()) + field(3, self.last.encode())
                             + field(4, top.encode()) + b"".join(map(blob, blobs)))
        self.last = top

    def convolve(self, name, weight, bias, pad):
        out, _, side, _ = weight.shape
        self.add(name, "Convolution", f"convolution_param {{ num_output: {out} kernel_size: {side} pad: {pad} }}", weight, bias)


def caffe(weights, shape):
    """The model for pictures of that shape."""
    model = Model(shape)
    numbers = sorted(int(name.split(".")[1]) for name in weights if name.startswith("features") and name.endswith("weight"))
    for number, following in zip(numbers, numbers[1:] + [numbers[-1] + 3]):
        weight = weights[f"features.{number}.weight"]
        model.convolve(f"conv{number}", weight, weights[f"features.{number}.bias"], weight.shape[2] // 2)
        model.add(f"relu{number}", "ReLU", in_place=True)
        # The numbers count ReLUs, LRNs and pools too. Caffe divides alpha by the size. OpenCV takes k = 1 whatever the file
        # says: the rest of the paper's k = 2 is a factor.
        if following - number == 4:
            model.add(f"norm{number}", "LRN", "lrn_param { local_size: 5 alpha: 0.00025 beta: 0.75 k: 1 }")
            model.add(f"scale{number}", "Power", f"power_param {{ scale: {2 ** -0.75} }}")
        if following - number > 2:
            model.add(f"pool{number}", "Pooling", "pooling_param { pool: MAX kernel_size: 2 stride: 2 }")
    for number in (0, 3, 6):
        weight, bias = weights[f"classifier.{number}.weight"], weights[f"classifier.{number}.bias"]
        channels = len(weights[f"features.{numbers[-1]}.bias"]) if number == 0 else weight.shape[1]
        side = math.isqrt(weight.shape[1] // channels)
        model.convolve(f"fc{number}", weight.reshape(-1, channels, side, side), bias, 0)
        if number < 6:
            model.add(f"relu_fc{number}", "ReLU", in_place=True)
    return model


def main(folder, bound):
    ours = read(folder + "/ours.safetensors")
    model = caffe(read(folder + "/weights.safetensors"), ours["x"].shape)
    with open(folder + "/net.prototxt", "w", encoding="utf-8") as f:
        f.write(model.text)
    with open(folder + "/net.caffemodel", "wb") as f:
        f.write(model.binary)
    net = cv2.dnn.readNetFromCaffe(folder + "/net.prototxt", folder + "/net.caffemodel")
    net.setInput(ours["x"])
    scores = net.forward()  # (N, classes, rows, columns)
    logits = scores.astype(float).mean((2, 3))
    difference = float(numpy.abs(logits - ours["logits"]).max() / numpy.abs(ours["logits"]).max())
    print(f"{scores.shape[2]}x{scores.shape[3]} {difference:.1e}")
    sys.exit(not difference <= float(bound))


main(*sys.argv[1:])
