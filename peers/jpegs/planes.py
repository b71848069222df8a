"""Has libjpeg-turbo's own interface do what cjpeg and djpeg cannot: planes.py planes FOLDER writes the samples of each JPEG
of a folder as NAME.planes; planes.py cmyk|ycck|ycck420 PICTURES FOLDER makes JPEGs of four components, and PPMs of
Pillow's pixels."""
import ctypes
import glob
import os
import sys
from PIL import Image

turbo = ctypes.CDLL("libturbojpeg.so.0")
for f in (turbo.tjInitDecompress, turbo.tjInitCompress):
    f.restype = ctypes.c_void_p
GO_RATIO = {0: 0, 1: 1, 2: 2, 4: 3, 5: 4}  # of libjpeg-turbo's TJSAMP_… , Go's YCbCrSubsampleRatio…
ACCURATE_DCT = 4096


def write_planes(file):
    with open(file, "rb") as f:
        data = f.read()
    handle = ctypes.c_void_p(turbo.tjInitDecompress())
    width, height, sampling, space = (ctypes.c_int() for _ in range(4))
    assert not turbo.tjDecompressHeader3(handle, data, ctypes.c_ulong(len(data)), *map(ctypes.byref, (width, height, sampling, space)))
    sides = [(turbo.tjPlaneWidth(c, width, sampling), turbo.tjPlaneHeight(c, height, sampling)) for c in range(3)]
    planes = [ctypes.create_string_buffer(w * h) for w, h in sides]
    pointers = (ctypes.c_void_p * 3)(*map(ctypes.addressof, planes))
    assert not turbo.tjDecompressToYUVPlanes(handle, data, ctypes.c_ulong(len(data)), pointers, width, None, height, ACCURATE_DCT)
    turbo.tjDestroy(handle)
    with open(file[:-len(".jpg")] + ".planes", "wb") as f:
        f.write(b"%d %d %d %d %d\n" % (GO_RATIO[sampling.value], *sides[0], *sides[1]))
        for p in planes:
            f.write(p.raw)


def write_inks(kind, picture, path):
    rgb = Image.open(picture)
    inks = rgb.convert("CMYK")
    light = rgb.convert("L").point(lambda v: v // 2)
    inks.putdata([c[:3] + (k,) for c, k in zip(inks.getdata(), light.getdata())])
    if kind == "cmyk":
        inks.save(path + ".jpg", quality=90)
    else:
        handle = ctypes.c_void_p(turbo.tjInitCompress())
        inverted = bytes(255 - v for v in inks.tobytes())
        out, size = ctypes.c_void_p(), ctypes.c_ulong()
        cmyk, sampling = 11, 2 if kind == "ycck420" else 0
        assert not turbo.tjCompress2(handle, inverted, inks.width, 0, inks.height, cmyk, ctypes.byref(out), ctypes.byref(size), sampling, 90, 0)
        with open(path + ".jpg", "wb") as f:
            f.write(ctypes.string_at(out, size.value))
        turbo.tjDestroy(handle)
    with Image.open(path + ".jpg") as p:
        p.convert("RGB").save(path + ".ppm")


if sys.argv[1] == "planes":
    for name in glob.glob(os.path.join(sys.argv[2], "*.jpg")):
        write_planes(name)
else:
    for name in glob.glob(os.path.join(sys.argv[2], "*.ppm")):
        write_inks(sys.argv[1], name, os.path.join(sys.argv[3], os.path.basename(name)[:-len(".ppm")]))
