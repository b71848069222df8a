"""Trains with PyTorch on the mini-batches of our feed what our trainer trains on boxes.

boxes.py steps RUN FEED STEPS BOUND compares the losses of the first steps with those in the log of RUN, a run without dropout
that has kept its first checkpoint, and exits 1 where one differs by more than the bound, relative to PyTorch's in float32. It
prints how far both are from PyTorch's in float64.

boxes.py train RUN FEED CLASSIFIER SEED EPOCHS trains like RUN, from the classification net and a box head of its own, and
prints the lowest validation error in percent.

boxes.py compare OURS THEIRS prints the difference of the means of two lists of errors, with its 95 % interval."""
import json
import math
import subprocess
import sys
import tomllib
from pathlib import Path
import numpy
import torch
from pytorch import VGG, read


def batches(feed, run, epochs, seed):
    """Yields (training, pixels, labels, targets, instances); see peers/feed."""
    with subprocess.Popen([feed, run, f"--epochs={epochs}", f"--seed={seed}"], stdout=subprocess.PIPE) as process:
        yield from decode(process.stdout)
        if process.wait():
            sys.exit("the feed failed")


def decode(stream):
    """Yields what is in the stream of a feed."""
    def take(dtype, count):
        return numpy.frombuffer(stream.read(count * numpy.dtype(dtype).itemsize), dtype).copy()
    while len(head := take("<i4", 5)):
        training, n, *shape = map(int, head)
        pixels = take("<f4", n * math.prod(shape)).reshape(n, *shape)
        labels, targets = take("<i4", n), take("<f4", 4 * n).reshape(n, 4)
        instances = [take("<f8", 4 * int(take("<i4", 1)[0])).reshape(-1, 4) for _ in range(n)]
        yield bool(training), torch.from_numpy(pixels), torch.from_numpy(labels).long(), torch.from_numpy(targets), instances


def chosen(outputs, labels):
    """The boxes of the labels, (N, 4); of one box for all classes, that one."""
    if outputs.shape[1] == 4:
        return outputs
    return outputs.unflatten(1, (-1, 4))[torch.arange(len(labels)), labels.clamp(min=0)]


def loss_of(outputs, labels, targets, factor):
    rows = labels >= 0
    return factor * (chosen(outputs, labels)[rows] - targets[rows]).square().sum() / max(1, int(rows.sum()))


def right(box, instances):
    """Test 1: an overlap above a half with any instance."""
    x, y, w, h = map(float, box)
    for x0, y0, x1, y1 in instances:
        both = max(0, min(x + w / 2, x1) - max(x - w / 2, x0)) * max(0, min(y + h / 2, y1) - max(y - h / 2, y0))
        if w > 0 and h > 0 and both / (w * h + (x1 - x0) * (y1 - y0) - both) > 0.5:
            return True
    return False


def optimiser(net, training):
    return torch.optim.SGD(net.parameters(), training["learning_rate"], training["momentum"], weight_decay=training["weight_decay"])


def settings(run):
    recipe = tomllib.loads(Path(run, "recipe.toml").read_text())
    return recipe, 0.25 if recipe["boxes"]["loss"] == "mean" else 0.5


def steps(run, feed, count, bound):
    count, bound = int(count), float(bound)
    recipe, factor = settings(run)
    start = {n: t for n, t in read(next(iter(sorted(Path(run, "checkpoint").glob("000000000-*.safetensors"))))).items() if not n.startswith("velocity.")}
    ours = [json.loads(line)["loss"] for line in Path(run, "log.jsonl").read_text().splitlines()][:count]
    nets = {torch.float32: VGG(recipe["config"], start), torch.float64: VGG(recipe["config"], start).double()}
    solvers = {dtype: optimiser(net, recipe["training"]) for dtype, net in nets.items()}
    losses = {dtype: [] for dtype in nets}
    for training, pixels, labels, targets, _ in batches(feed, run, 1, recipe["training"]["seed"]):
        if not training or len(losses[torch.float64]) == count:
            continue  # the feed is read to its end, else it fails
        for dtype, net in nets.items():
            loss = loss_of(net(pixels.to(dtype))[0], labels, targets.to(dtype), factor)
            losses[dtype].append(float(loss))
            solvers[dtype].zero_grad()
            loss.backward()
            solvers[dtype].step()

    def most(found, of):
        return max(abs(a - b) / b for a, b in zip(found, of, strict=True))
    theirs, exact = losses[torch.float32], losses[torch.float64]
    difference = most(ours, theirs)
    print(f"losses of {len(ours)} steps, from {ours[0]:.5f} to {ours[-1]:.5f}: at most {difference:.1e} from PyTorch's; "
          f"from PyTorch's in float64 ours {most(ours, exact):.1e}, its own {most(theirs, exact):.1e}")
    sys.exit(not (len(ours) == count and difference <= bound))


def train(run, feed, classifier, seed, epochs):
    torch.manual_seed(int(seed))
    recipe, factor = settings(run)
    start = read(classifier)
    classes, features = start["classifier.6.weight"].shape
    outputs = 4 if recipe["boxes"]["regression"] == "single" else 4 * classes
    start["classifier.6.weight"] = torch.randn(outputs, features) * math.sqrt(2 / features)  # net.init = "he"
    start["classifier.6.bias"] = torch.zeros(outputs)
    net = VGG(recipe["config"], start)
    for layer in net.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = recipe["net"]["dropout"]
    solver = optimiser(net, recipe["training"])
    schedule = recipe["schedule"]
    best, stall, divisions, lowest = math.inf, 0, 0, math.inf
    wrong = pictures = 0

    def end_of_epoch():
        """The schedule of section 3.1, as our trainer has it; False ends training."""
        nonlocal best, stall, divisions, lowest, wrong, pictures
        error = 100 * wrong / pictures
        lowest, wrong, pictures = min(lowest, error), 0, 0
        if error < best - schedule["min_improvement"]:
            best, stall = error, 0
            return True
        stall += 1
        if stall >= schedule["patience"]:
            if divisions == schedule["max_divisions"]:
                return False
            divisions, stall = divisions + 1, 0
            for group in solver.param_groups:
                group["lr"] /= schedule["factor"]
        return True

    for training, pixels, labels, targets, instances in batches(feed, run, epochs, seed):
        if training:
            if pictures and not end_of_epoch():
                break
            net.train()
            loss = loss_of(net(pixels)[0], labels, targets, factor)
            solver.zero_grad()
            loss.backward()
            solver.step()
            continue
        net.eval()
        with torch.no_grad():
            boxes = chosen(net(pixels)[0], labels)
        for label, box, own in zip(labels, boxes, instances):
            if label >= 0:
                pictures += 1
                wrong += not right(box, own)
    if pictures:
        end_of_epoch()
    print(f"{lowest:.2f}")


def compare(ours, theirs):
    """The difference of two means with Welch's interval; t is that of the Welch–Satterthwaite degrees of freedom, rounded down."""
    student = [math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]  # two-sided, 95 %
    samples = [numpy.array(text.split(), float) for text in (ours, theirs)]
    squares = [s.var(ddof=1) / len(s) if len(s) > 1 else math.nan for s in samples]
    freedom = sum(squares) ** 2 / sum(q ** 2 / (len(s) - 1) for q, s in zip(squares, samples)) if min(map(len, samples)) > 1 and sum(squares) else 0
    half = student[min(int(freedom), len(student) - 1)] * math.sqrt(sum(squares)) if freedom >= 1 else math.nan
    difference = samples[0].mean() - samples[1].mean()
    print(f"means: ours {samples[0].mean():.2f} %, PyTorch {samples[1].mean():.2f} %; difference {difference:+.2f} ± {half:.2f} points")


{"steps": steps, "train": train, "compare": compare}[sys.argv[1]](*sys.argv[2:])
