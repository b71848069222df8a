"""Runs the net.onnx that main.go wrote in OpenCV and prints the largest difference of its logits from ours, relative to our
largest logit, for the whole batch and for its first picture alone: opencv_onnx.py DIR BOUND (Debian python3-opencv)."""
import json
import struct
import sys

import cv2
import numpy

directory, bound = sys.argv[1], float(sys.argv[2])
with open(f"{directory}/ours.safetensors", "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = f.read()


def ours(name):
    start, end = header[name]["data_offsets"]
    return numpy.frombuffer(data[start:end], "<f4").reshape(header[name]["shape"])


pixels, logits = ours("pixels"), ours("logits")
differences = []
for batch in (len(pixels), 1):
    net = cv2.dnn.readNetFromONNX(f"{directory}/net.onnx")
    net.setInput(numpy.ascontiguousarray(pixels[:batch]))
    got, want = net.forward(), logits[:batch]
    if got.shape != want.shape or not numpy.isfinite(got).all():
        sys.exit(f"logits of the shape {got.shape} for {batch} pictures, want {want.shape}, all finite")
    differences.append(abs(got - want).max() / abs(want).max())
print(*(f"{d:.1e}" for d in differences))
if max(differences) > bound:
    sys.exit(f"a difference exceeds {bound}")
