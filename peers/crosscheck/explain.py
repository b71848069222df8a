"""Computes with PyTorch, in double precision, the saliency map and Grad-CAM that explained.go made, each twice: with
PyTorch's own choices of ReLUs and max-pools, and with ours. explain.py CONFIG DIR… (a folder for each seed) prints a
row for saliency, one for Grad-CAM of the last convolution, and one for Grad-CAM of all others, of which the worst of
each seed counts: the median and the largest difference, relative to the L2 norm of PyTorch's map, the largest with our
choices, and how many choices rounding flipped. Exits 1 where the median is above 1e-5, or the largest, with whatever
choices, above 1e-2. Grad-CAM of early layers is the small difference of large sums: its median may be 1e-4."""
import statistics
import sys
import torch
from pytorch import TABLE1, VGG, choices, read

MEAN, STD = [123.68, 116.779, 103.939], [1, 1.5, 2]  # as in main.go

MEDIAN = {"saliency": 1e-5, "Grad-CAM": 1e-5, "others": 1e-4}  # the largest median


def maps(net, pixels, choice, class_):
    """The saliency map (H, W), the Grad-CAM (H, W) of each convolution, and the number of flipped choices."""
    pixels = pixels[:1].clone().requires_grad_()
    mean, std = (torch.tensor(v, dtype=torch.double).view(1, 3, 1, 1) for v in (MEAN, STD))
    layers = []

    def keep(module, inputs):
        if inputs[0].requires_grad:  # else ours, whose choices are looked up
            layers.append(inputs[0])
            inputs[0].retain_grad()

    # The output of a ReLU is the input of the layer after it, whoever has chosen.
    convolutions = [i for i, layer in enumerate(net.features) if isinstance(layer, torch.nn.Conv2d)]
    hooks = [net.features[i + 2].register_forward_pre_hook(keep) for i in convolutions]
    logits, flips = net((pixels - mean) / std, choice)
    for hook in hooks:
        hook.remove()
    logits[0, class_].backward()
    cams = [(a * a.grad.mean((2, 3), keepdim=True)).sum(1)[0].relu().detach() for a in layers]
    return pixels.grad[0].abs().max(0).values, cams, flips


def difference(ours, theirs):
    """Relative; 0 if both maps are 0."""
    return float((ours - theirs).norm() / theirs.norm()) if theirs.norm() > 0 else float(ours.norm())


def compare(config, folder):
    """The differences of saliency and of Grad-CAM, each with own and with our choices, and the flips."""
    ours = {name: t.double() for name, t in read(folder + "/ours.safetensors").items()}
    net = VGG(config, read(folder + "/weights.safetensors")).double()
    names = [f"conv{s}_{i + 1}" for s, rows in enumerate(TABLE1[config].split("|"), 1)
             for i in range(sum(row != "n" for row in rows.split()))]
    found = {what: [] for what in MEDIAN}
    for choice in (None, [t[:1] for t in choices(config, ours)]):
        saliency, cams, flips = maps(net, ours["pixels"], choice, int(ours["class"]))
        found["saliency"].append(difference(ours["saliency"], saliency))
        each = [difference(ours["cam " + n], cam) for n, cam in zip(names, cams, strict=True)]
        found["Grad-CAM"].append(each[-1])
        found["others"].append(max(each[:-1]))
    return found, flips


def main(config, *folders):
    results = [compare(config, folder) for folder in folders]
    passed = True
    for what, bound in MEDIAN.items():
        own, forced = zip(*(found[what] for found, _ in results))
        row = statistics.median(own), max(own), max(forced)
        passed = passed and row[0] <= bound and row[1] <= 1e-2 and row[2] <= 1e-2  # NaN is not
        flips = sum(flips for _, flips in results)
        flipped = sum(flips > 0 for _, flips in results)
        print(f"{config:<6} {what:<9} {row[0]:8.1e} {row[1]:8.1e} {row[2]:12.1e}  {flips} in {flipped} of {len(results)}")
    sys.exit(not passed)


if __name__ == "__main__":
    main(*sys.argv[1:])
