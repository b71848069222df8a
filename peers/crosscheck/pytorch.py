"""Computes with PyTorch, in double precision, what main.go computed, and prints the largest difference of the logits,
relative to our largest logit; if the folder holds gradients, also their largest difference, each relative to its own L2
norm, with the name of the tensor, and the number of choices that rounding flips: ReLUs open in one and closed in the other, and
other maxima of max-pools. The gradients are those of our choices. pytorch.py CONFIG DIR BOUND exits 1 where the logits differ
by more than 1e-5 and half of the bound, or a gradient by more than the bound."""
import json
import math
import sys
import numpy
import torch
from torch import nn

# Table 1, a stage between bars: channels of a 3×3 convolution, or of a 1×1 one (c), or LRN (n). The paper's widths.
TABLE1 = {
    "A": "64 | 128 | 256 256 | 512 512 | 512 512",
    "A-LRN": "64 n | 128 | 256 256 | 512 512 | 512 512",
    "B": "64 64 | 128 128 | 256 256 | 512 512 | 512 512",
    "C": "64 64 | 128 128 | 256 256 c256 | 512 512 c512 | 512 512 c512",
    "D": "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512",
    "E": "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}


def read(path):
    """A safetensors file of float32: name → array."""
    data = numpy.memmap(path, numpy.uint8, "r")
    start = 8 + int(data[:8].view("<u8")[0])
    header = json.loads(data[8:start].tobytes())
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(numpy.array(data[start + e["data_offsets"][0]:start + e["data_offsets"][1]])
                                   .view("<f4").reshape(e["shape"])) for name, e in header.items()}


class VGG(nn.Module):
    """torchvision's layout, which numbers ReLUs, pools and dropouts too."""

    def __init__(self, config, weights):
        super().__init__()
        width = len(weights["features.0.bias"]) / 64
        layers, channels = [], 3
        for row in TABLE1[config].replace("|", "M").split() + ["M"]:
            if row == "M":
                layers += [nn.MaxPool2d(2, ceil_mode=True, return_indices=True)]
            elif row == "n":  # PyTorch divides alpha by the size
                layers += [nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)]
            else:
                side, out = 1 if row[0] == "c" else 3, round(width * int(row.lstrip("c")))
                layers += [nn.Conv2d(channels, out, side, padding=side // 2), nn.ReLU()]
                channels = out
        self.features = nn.Sequential(*layers)
        layers = []
        for i in (0, 3, 6):
            out, features = weights[f"classifier.{i}.weight"].shape
            layers += [nn.Linear(features, out), nn.ReLU(), nn.Dropout()]
        self.classifier = nn.Sequential(*layers[:-2])
        self.load_state_dict(weights)
        self.eval()  # no dropout

    def forward(self, x, ours=None):
        """The logits, and how many choices differ from ours: the outputs of our convolutions, LRNs and hidden layers in
        their order. If they are given, ReLUs and max-pools choose as they do."""
        flips, ours, last = 0, iter(ours or []), None
        rows = len(x)
        for layer in [*self.features, "windows", *self.classifier]:
            if layer == "windows":  # all positions of the fully connected layers, a row each
                side = math.isqrt(self.classifier[0].in_features // x.shape[1])
                x = nn.functional.unfold(x, side).transpose(1, 2).flatten(0, 1)
            elif isinstance(layer, nn.MaxPool2d):
                most, chosen = layer(x)
                if last is not None:
                    ours_most, ours_chosen = layer(last)
                    flips += int(((chosen != ours_chosen) & (ours_most > 0)).sum())
                    most = x.flatten(2).gather(2, ours_chosen.flatten(2)).view_as(most)
                x = most
            elif isinstance(layer, nn.ReLU):
                last = next(ours, None)
                if last is None:
                    x = layer(x)
                else:
                    flips += int(((x > 0) != (last > 0)).sum())
                    x = x * (last > 0)
            else:
                x = layer(x)
                if isinstance(layer, nn.LocalResponseNorm):
                    last = next(ours, None)
        return x.unflatten(0, (rows, -1)).mean(1), flips


def choices(config, ours):
    """The outputs of our layers that choose, in the order of the net."""
    names = []
    for stage, rows in enumerate(TABLE1[config].split("|"), 1):
        convolutions = 0
        for row in rows.split():
            convolutions += row != "n"
            names.append(f"lrn{stage}_1" if row == "n" else f"conv{stage}_{convolutions}")
    return [ours[name] for name in names + ["fc6", "fc7"]]


def main(config, folder, bound):
    bound = float(bound)
    ours = {name: t.double() for name, t in read(folder + "/ours.safetensors").items()}
    net = VGG(config, read(folder + "/weights.safetensors")).double()
    with torch.no_grad():
        logits, _ = net(ours["x"])
    difference = float((logits - ours["logits"]).abs().max() / ours["logits"].abs().max())
    report, passed = f"{difference:.1e}", difference <= max(1e-5, bound / 2)  # NaN is not
    if "labels" in ours:
        logits, flips = net(ours["x"], choices(config, ours))
        nn.functional.cross_entropy(logits, ours["labels"].long()).backward()
        of = {name: float((p.grad - ours[name]).norm() / p.grad.norm()) for name, p in net.named_parameters()}
        worst = max(of, key=of.get)
        report += f" {of[worst]:.1e} {worst}, {flips} flipped"
        passed = passed and all(d <= bound for d in of.values())
    print(report)
    sys.exit(not passed)


if __name__ == "__main__":
    main(*sys.argv[1:])
