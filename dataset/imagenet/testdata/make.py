"""Writes compressed.mat and plain.mat: meta.mat of ILSVRC-2012's development kit in small. Wants scipy."""

import io
import pathlib

import numpy
import scipy.io

FIELDS = "ILSVRC2012_ID WNID words gloss num_children children wordnet_height num_train_images".split()
SYNSETS = [
    (3, "n02119789", "kit fox", "a small fox", 0, [], 0, 1300),
    (490, "n07747607", "orange", "a fruit", 0, [], 0, 1300),
    (1, "n02100735", "English setter", "a dog – of Ängelholm", 0, [], 0, 1255),
    (1001, "n02118333", "fox", "", 2, [3, 4], 1, 0),
]

synsets = numpy.empty((len(SYNSETS), 1), [(field, object) for field in FIELDS])
for row, synset in zip(synsets, SYNSETS):
    row[0] = tuple(value if isinstance(value, str) else numpy.array(value, float) for value in synset)

for name, compressed in [("compressed.mat", True), ("plain.mat", False)]:
    file = io.BytesIO()
    scipy.io.savemat(file, {"cost": numpy.eye(3), "synsets": synsets}, do_compression=compressed)
    header = b"MATLAB 5.0 MAT-file, written by make.py"  # in place of one with the time
    pathlib.Path(__file__).with_name(name).write_bytes(header.ljust(116) + file.getvalue()[116:])
