"""Writes the samples beside it with PyTorch itself: run it with PyTorch 1.13 (Debian's python3-torch).

Each is net A, narrow, with the values value(i) below in all its tensors, element i of the whole file.
"""
import pathlib

import torch

here = pathlib.Path(__file__).parent
CHANNELS, FC, CLASSES = [1, 2, 4, 4, 8, 8, 8, 8], 3, 5
FEATURES = [0, 3, 6, 8, 11, 13, 16, 18]


def state(dtype=torch.float32):
    """The state dict of a narrow net A, as torchvision names it."""
    shapes, before = {}, 3
    for n, out in zip(FEATURES, CHANNELS):
        shapes[f"features.{n}"] = (out, before, 3, 3)
        before = out
    for n, out in zip((0, 3, 6), (FC, FC, CLASSES)):
        shapes[f"classifier.{n}"] = (out, before)
        before = out
    tensors, at = {}, 0
    for layer, shape in shapes.items():
        for suffix, s in ((".weight", shape), (".bias", shape[:1])):
            n = int(torch.tensor(s).prod())
            i = torch.arange(at, at + n)
            tensors[layer + suffix] = ((i % 61 - 30).float() / 16).to(dtype).reshape(s)
            at += n
    return tensors


def strided(tensors):
    """The same values in views: one storage for all, at odd places, and transposed matrices."""
    room = torch.zeros(sum(t.numel() for t in tensors.values()) + 7)
    views, at = {}, 7
    for name, t in tensors.items():
        if t.dim() == 2:
            v = room[at : at + t.numel()].view(t.shape[1], t.shape[0]).t()
        else:
            v = room[at : at + t.numel()].view(t.shape)
        v.copy_(t)
        views[name] = v
        at += t.numel()
    return views


parallel = {"module." + name: torch.nn.Parameter(t) for name, t in state().items()}
checkpoint = {"epoch": 3, "arch": "vgg11", "state_dict": parallel, "best_acc1": torch.tensor(12.5), "optimizer": {"lr": 0.1}}
torch.save(state(), here / "zip-f32.pth")
torch.save(state(torch.float16), here / "zip-f16.pth")
torch.save(state(torch.bfloat16), here / "zip-bf16.pth")
torch.save(strided(state()), here / "zip-strided.pth")
torch.save(state(torch.float64), here / "legacy-f64.pth", _use_new_zipfile_serialization=False)
torch.save(state(torch.bfloat16), here / "legacy-bf16.pth", _use_new_zipfile_serialization=False)
torch.save(checkpoint, here / "legacy-checkpoint.pth", _use_new_zipfile_serialization=False)
