"""Writes the pictures beside it, which are those of decode_test.go in the formats that Go cannot write.

Run in this folder, with Debian's python3-pil, libjpeg-turbo-progs and libturbojpeg0; another version may write other
bytes. It also writes those of internal/jpeg, where NAME.ppm has the pixels of NAME.jpg: djpeg's, or Pillow's of CMYK."""
import ctypes
import subprocess
from PIL import Image

WAVES = "../../../internal/jpeg/testdata/"
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


def save_ycck(path, picture, quality=100, subsampled=2):
    """Pillow writes CMYK as such; libjpeg-turbo's own interface makes YCCK of it. Adobe's CMYK is inverted."""
    mode = 11  # TJPF_CMYK; subsampled: 0 is TJSAMP_444, 2 is TJSAMP_420
    turbo = ctypes.CDLL("libturbojpeg.so.0")
    turbo.tjInitCompress.restype = ctypes.c_void_p
    inverted = bytes(255 - v for v in picture.tobytes())
    out, size = ctypes.c_void_p(), ctypes.c_ulong()
    failed = turbo.tjCompress2(ctypes.c_void_p(turbo.tjInitCompress()), inverted, picture.width, 0, picture.height, mode,
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


def waves(mode, channels):
    """A picture whose colours change from pixel to pixel, of odd sides."""
    picture = Image.new(mode, (19, 13))
    picture.putdata([tuple((128 + (x * x * (3 + c) + 5 * y * (x + c) + 40 * c) % 97 + 30 * (x // 6 % 2)) % 256
                           for c in range(channels)) for y in range(13) for x in range(19)])
    return picture


def save_pixels(name):
    with Image.open(WAVES + name + ".jpg") as picture:
        picture.convert("RGB").save(WAVES + name + ".ppm")


waves("RGB", 3).save(WAVES + "all.ppm")
with open(WAVES + "scans.txt", "w") as scans:
    scans.write("0; 1; 2;")
for name, *flags in [("444", "-sample", "1x1"), ("422", "-sample", "2x1"), ("420", "-sample", "2x2"), ("440", "-sample", "1x2"),
                     ("411", "-sample", "4x1"), ("410", "-sample", "4x2"), ("grey", "-grayscale", "-sample", "2x2"), ("rgb", "-rgb"),
                     ("rgb420", "-rgb", "-sample", "2x2"), ("progressive", "-progressive"), ("311", "-sample", "3x1"),
                     ("144", "-sample", "1x4"), ("light", "-sample", "1x1,2x2,1x2"), ("restarts", "-restart", "1B"),
                     ("progressive444", "-progressive", "-sample", "1x1", "-restart", "2B"),
                     ("scans", "-scans", WAVES + "scans.txt")]:
    subprocess.run(["cjpeg", "-quality", "90", "-optimize", *flags, "-outfile", WAVES + name + ".jpg", WAVES + "all.ppm"], check=True)
    subprocess.run(["djpeg", "-dct", "int", "-rgb", "-outfile", WAVES + name + ".ppm", WAVES + name + ".jpg"], check=True)
subprocess.run(["rm", WAVES + "all.ppm", WAVES + "scans.txt"], check=True)
waves("CMYK", 4).save(WAVES + "cmyk.jpg", quality=90, optimize=True)
save_ycck(WAVES + "ycck.jpg", waves("CMYK", 4), quality=90, subsampled=0)
save_ycck(WAVES + "ycck420.jpg", waves("CMYK", 4), quality=90)
for name in ("cmyk", "ycck", "ycck420"):
    save_pixels(name)
Image.open("lossless.webp").save("animated.webp", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))], duration=50, lossless=True)
