"""Writes the samples beside it with PyTorch itself: run it with PyTorch 1.13 (Debian's python3-torch).

Each is net A, narrow, with the values value(i) below in all its tensors, element i of the whole file.
"""
import argparse
import collections
import datetime
import enum
import pathlib

import numpy
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


class Phase(enum.Enum):
    TRAIN = 1


class Meter(list):
    """A class of the training program's own."""


def extras(net):
    """What training programs keep beside a state dict."""
    return {
        "optimizer": torch.optim.Adam(net.parameters()).state_dict(),
        "args": argparse.Namespace(lr=0.1, data=pathlib.Path("data"), when=datetime.datetime(2020, 1, 2), phase=Phase.TRAIN),
        "counts": collections.Counter("aab"),
        "best": numpy.float64(0.5),
        "curve": numpy.arange(3.0),
        "meters": collections.defaultdict(Meter, loss=Meter([1.0])),
        "seen": {1, 2},
        "large": [1 << 70, -1, None, True, 2.5, b"bytes"],
        "loss": torch.nn.CrossEntropyLoss,
    }


def model(tensors):
    """torchvision's layout with those tensors."""
    net, features = torch.nn.Module(), torch.nn.Sequential()
    for n, out in zip(FEATURES, CHANNELS):
        while len(features) < n:
            features.append(torch.nn.ReLU() if len(features) in [f + 1 for f in FEATURES] else torch.nn.MaxPool2d(2))
        features.append(torch.nn.Conv2d(tensors[f"features.{n}.weight"].shape[1], out, 3, padding=1))
    net.features = features
    net.classifier = torch.nn.Sequential(
        torch.nn.Linear(CHANNELS[-1], FC), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(FC, FC),
        torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(FC, CLASSES),
    )
    net.load_state_dict(tensors)
    return net


parallel = {"module." + name: torch.nn.Parameter(t) for name, t in state().items()}
checkpoint = {"epoch": 3, "arch": "vgg11", "state_dict": parallel, "best_acc1": torch.tensor(12.5), "optimizer": {"lr": 0.1}}
torch.save(state(), here / "zip-f32.pth")
torch.save(state(torch.float16), here / "zip-f16.pth")
torch.save(state(torch.bfloat16), here / "zip-bf16.pth")
torch.save(strided(state()), here / "zip-strided.pth")
torch.save(state(torch.float64), here / "legacy-f64.pth", _use_new_zipfile_serialization=False)
torch.save(state(torch.bfloat16), here / "legacy-bf16.pth", _use_new_zipfile_serialization=False)
torch.save(checkpoint, here / "legacy-checkpoint.pth", _use_new_zipfile_serialization=False)

net = model(state())
averaged = torch.optim.swa_utils.AveragedModel(net)
rich = {**extras(net), "state_dict": net.state_dict(), "state_dict_ema": {k: -v for k, v in state().items()}}
torch.save(rich, here / "zip-extras.pth")
torch.save(rich, here / "zip-extras4.pth", pickle_protocol=4)
torch.save(rich, here / "legacy-extras.pth", _use_new_zipfile_serialization=False)
torch.save(averaged.state_dict(), here / "zip-averaged.pth")
torch.save(torch.nn.DataParallel(net), here / "zip-model.pth")
