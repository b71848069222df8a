"""Runs ours and the peers in turn, several rounds, and prints the ratios of the medians: compare.py HERE CACHE (see run)."""
import json, os, statistics, subprocess, sys

here, cache = sys.argv[1:]
threads, rounds = os.environ.get("THREADS", "2"), int(os.environ.get("ROUNDS", "3"))


def output(command, **env):
    """The standard output of a command, None if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": threads, "NODE_PATH": cache + "/node_modules", **env})
    return done.stdout if done.returncode == 0 and done.stdout else None


def ours(net, mode, batch, n=threads, **env):
    text = output([cache + "/bench", "--config", net, "--mode", mode, "--batch", str(batch), "--threads", str(n), "--json"], **env)
    result = json.loads(text)
    ours.of_peak.append(result["effective_gflops"] / result["peak_gflops"])
    return result["images_per_second"]


ours.of_peak = []


def onednn(net, mode, batch):
    """The best of its settings."""
    rates = []
    for layout in ("keep", "any") if mode == "train" else ("keep",):
        if text := output([cache + "/onednn", mode, net, str(batch), "mixed", "1", layout, "5"]):
            rates.append(float(text.split("\n")[0].split("\t")[7]))
    return max(rates, default=None)


def torch(net, mode, batch):
    text = output(["/usr/bin/python3", here + "/torch_vgg.py", "--config", net, "--mode", mode, "--batch", str(batch), "--threads", threads, "--steps", "3"])
    return text and json.loads(text)["images_per_s"]


def onnxruntime(net, mode, batch):
    text = output(["node", here + "/ort_vgg.js", f"{cache}/{net}.onnx", str(batch), threads, "7"])
    return text and json.loads(text)["images_per_second"]


def stock(net, mode, batch):
    text = output([cache + "/stock", "--batch", str(batch)])
    return text and json.loads(text)["images_per_second"]


TASKS = {  # name: (what, ours, [(peer, run)])
    "train-A-16": ("net A, training step, batch 16", lambda: ours("A", "train", 16), [("oneDNN", lambda: onednn("A", "train", 16)), ("PyTorch", lambda: torch("A", "train", 16))]),
    "train-D-16": ("net D, training step, batch 16", lambda: ours("D", "train", 16), [("oneDNN", lambda: onednn("D", "train", 16)), ("PyTorch", lambda: torch("D", "train", 16))]),
    "infer-D-8": ("net D, inference, batch 8", lambda: ours("D", "infer", 8), [("oneDNN", lambda: onednn("D", "infer", 8)), ("onnxruntime", lambda: onnxruntime("D", "infer", 8))]),
    "infer-D-1": ("net D, inference, batch 1", lambda: ours("D", "infer", 1), [("oneDNN", lambda: onednn("D", "infer", 1)), ("onnxruntime", lambda: onnxruntime("D", "infer", 1))]),
    "avx2-A-16": ("net A, training step, batch 16, ours with AVX2 alone", lambda: ours("A", "train", 16, VGG_CPU="avx2"), [("PyTorch", lambda: torch("A", "train", 16))]),
    "stock-A-1": ("net A, training step, batch 1", lambda: ours("A", "train", 1), [("stock Gorgonia", lambda: stock("A", "train", 1))]),
    "threads": ("net D, training step, batch 8, two threads against one", lambda: ours("D", "train", 8, 2), [("one thread", lambda: ours("D", "train", 8, 1))]),
}

print(f"| 224×224, {threads} threads, {rounds} rounds | of the measured peak | " + "pictures/s against |\n|---|---|---|", flush=True)
for name in os.environ.get("TASKS", " ".join(TASKS)).split():
    what, us, peers = TASKS[name]
    rates = {"": [], **{peer: [] for peer, _ in peers}}
    ours.of_peak, of_peak = [], []
    for _ in range(1 if name == "stock-A-1" else rounds):
        for peer, run in peers:
            rates[""].append(us())
            of_peak.append(ours.of_peak[-1])
            rates[peer].append(run())
    mine = statistics.median(rates.pop(""))
    against = []
    for peer, measured in rates.items():
        measured = [m for m in measured if m]
        against.append(f"{mine / statistics.median(measured):.2f} × {peer}" if measured else f"({peer} could not be run)")
    print(f"| {what} | {statistics.median(of_peak):.2f} | {', '.join(against)} |", flush=True)
