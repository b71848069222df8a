"""Writes the pictures beside it, which are those of decode_test.go in the formats that Go cannot write.

Run in this folder, with Debian's python3-pil (and libturbojpeg0, for YCCK); another version may write other bytes."""
import ctypes
from PIL import Image

WIDTH, HEIGHT = 16, 12
QUARTERS = [(200, 30, 40, 255), (20, 150, 60, 255), (40, 60, 190, 255), (230, 210, 50, 255)]
SHEER = [(200, 30, 40, 255), (20, 150, 60, 255), (40, 60, 190, 128), (230, 210, 50, 0)]


def quarters(mode, colours):
    """A picture with a colour in each quarter: top left, top right, bottom left, bottom right."""
    picture = Image.new(mode, (WIDTH, HEIGHT))
    for i, colour in enumerate(colours):
        left, top = i % 2 * WIDTH // 2, i // 2 * HEIGHT // 2
        picture.paste(colour, (left, top, left + WIDTH // 2, top + HEIGHT // 2))
    return picture


def ink(r, g, b, _):
    """CMYK with as much black as the colour allows."""
    most = max(r, g, b)
    return tuple(255 - round(255 * c / most) for c in (r, g, b)) + (255 - most,)


def save_ycck(path, picture):
    """Pillow writes CMYK as such; libjpeg-turbo's own interface makes YCCK of it. Adobe's CMYK is inverted."""
    mode, subsampled, quality = 11, 2, 100  # TJPF_CMYK, TJSAMP_420
    turbo = ctypes.CDLL("libturbojpeg.so.0")
    turbo.tjInitCompress.restype = ctypes.c_void_p
    inverted = bytes(255 - v for v in picture.tobytes())
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    failed = turbo.tjCompress2(ctypes.c_void_p(turbo.tjInitCompress()), inverted, WIDTH, 0, HEIGHT, mode,
                               ctypes.byref(out), ctypes.byref(size), subsampled, quality, 0)
    assert not failed
    with open(path, "wb") as f:
        f.write(ctypes.string_at(out, size.value))


rgb, rgba, cmyk = quarters("RGB", [c[:3] for c in QUARTERS]), quarters("RGBA", SHEER), quarters("CMYK", [ink(*c) for c in QUARTERS])
rgb.save("444.jpg", quality=100, subsampling=0, optimize=True)
rgb.save("progressive.jpg", quality=100, progressive=True)
cmyk.save("cmyk.jpg", quality=100, optimize=True)
save_ycck("ycck.jpg", cmyk)
rgb.save("lossy.webp", quality=100)
exif = Image.Exif()
exif[0x0112] = 6  # the orientation: turn it clockwise
rgb.save("turned.webp", quality=100, exif=exif)
rgb.save("lossless.webp", lossless=True)
rgba.save("lossy-alpha.webp", quality=100)
rgba.save("lossless-alpha.webp", lossless=True)
