"""Has libjpeg-turbo's own interface do what cjpeg cannot: inks.py cmyk|ycck|ycck420 PICTURES FOLDER makes JPEGs of four
components, and PPMs of Pillow's pixels."""
import ctypes
import glob
import os
import sys
from PIL import Image

turbo = ctypes.CDLL("libturbojpeg.so.0")
turbo.tjInitCompress.restype = ctypes.c_void_p


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


for name in glob.glob(os.path.join(sys.argv[2], "*.ppm")):
    write_inks(sys.argv[1], name, os.path.join(sys.argv[3], os.path.basename(name)[:-len(".ppm")]))
