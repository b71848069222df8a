"""Times our nets and other frameworks in turn, several rounds, and prints the ratios of the median pictures/s.

compare.py CACHE FRAMEWORK…: the folder with the programs that peers/speed built, and the frameworks that can be run."""
import json, os, statistics, subprocess, sys


def number(name, default):
    text = os.environ.get(name) or default
    if text is not None and not (str(text).isdecimal() and int(text) > 0):
        sys.exit(f"{name}={text}: want a positive number")
    return text and int(text)


HERE = os.path.dirname(os.path.abspath(__file__))
CACHE, *HAVE = sys.argv[1:]
THREADS, ROUNDS, BATCH, STEPS = number("THREADS", 2), number("ROUNDS", 3), number("BATCH", None), number("STEPS", None)


class Failed(Exception):
    """A run without a result; the message is one line."""


def run(command, parse, **env):
    """Runs a command and returns its standard output, parsed."""
    command = [str(word) for word in command]
    env = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS), "NODE_PATH": CACHE + "/node_modules", **env}
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env)
    except OSError as e:
        raise Failed(f"{command[0]}: {e.strerror}")
    if done.returncode:
        said = (done.stderr.strip() or "no message").split("\n")[-1]
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}: {said}")
    try:
        return parse(done.stdout)
    except (ValueError, LookupError):
        raise Failed(f"{' '.join(command)}: no result in its output: {done.stdout[:80]!r}")


def rate(text):
    return json.loads(text)["images_per_second"]


def ours(net, mode, batch, threads=THREADS, **env):
    """Our pictures/s, and the fraction of the measured peak."""
    command = [CACHE + "/bench", "--config", net, "--mode", mode, "--batch", batch, "--threads", threads, "--steps", STEPS or 5, "--json"]
    r = run(command, json.loads, **env)
    return r["images_per_second"], r["effective_gflops"] / r["peak_gflops"]


# Each function below takes (net, mode, batch) and returns pictures/s per setting; the setting with the best median counts.
def onednn(net, mode, batch, **env):
    # Winograd except for the 3-channel layer, ReLU fused; the weight layout only affects the gradients.
    layouts = ("keep", "any") if mode == "train" else ("keep",)
    return {w: run([CACHE + "/onednn", mode, net, batch, "mixed", 1, w, STEPS or 5], lambda text: float(text.split("\t")[7]), **env) for w in layouts}


def torch(net, mode, batch, **env):
    return {"": run([sys.executable, HERE + "/torch_vgg.py", "--config", net, "--mode", mode, "--batch", batch, "--threads", THREADS, "--steps", STEPS or 3], rate, **env)}


def onnxruntime(net, mode, batch, **env):
    return {"": run(["node", HERE + "/ort_vgg.js", f"{CACHE}/{net}.onnx", batch, THREADS, STEPS or 7], rate, **env)}


def stock(net, mode, batch, **env):
    return {"": run([CACHE + "/stock", "--batch", batch, "--steps", STEPS or 2], rate, **{**env, "GOMAXPROCS": str(THREADS)})}


def one_thread(net, mode, batch, **env):
    return {"": ours(net, mode, batch, 1, **env)[0]}


PEERS = {"oneDNN": onednn, "PyTorch": torch, "onnxruntime": onnxruntime, "stock Gorgonia": stock, "one thread": one_thread}
# What keeps our program and the others to AVX2. onnxruntime has no such switch; oneDNN has no Winograd then.
AVX2 = {"VGG_CPU": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "OPENBLAS_CORETYPE": "Haswell"}
TASKS = {  # name: (net, mode, batch, frameworks, environment of all programs)
    "train-A-16": ("A", "train", 16, ["oneDNN", "PyTorch"], {}),
    "train-D-16": ("D", "train", 16, ["oneDNN", "PyTorch"], {}),
    "infer-D-8": ("D", "infer", 8, ["oneDNN", "onnxruntime"], {}),
    "infer-D-1": ("D", "infer", 1, ["oneDNN", "onnxruntime"], {}),
    "avx2-train-A-16": ("A", "train", 16, ["oneDNN", "PyTorch"], AVX2),
    "avx2-train-D-16": ("D", "train", 16, ["oneDNN", "PyTorch"], AVX2),
    "avx2-infer-D-8": ("D", "infer", 8, ["oneDNN"], AVX2),
    "avx2-infer-D-1": ("D", "infer", 1, ["oneDNN"], AVX2),
    "stock-A-1": ("A", "train", 1, ["stock Gorgonia"], {}),
    "threads": ("D", "train", 8, ["one thread"], {}),
}


def compare(name):
    """The cells of a task's row, and whether every run gave a result."""
    net, mode, batch, peers, env = TASKS[name]
    batch = BATCH or batch
    what = f"net {net}, {'training step' if mode == 'train' else 'inference'}, batch {batch}" + (", all with AVX2 alone" if env else "")
    absent = [p for p in peers if p != "one thread" and p not in HAVE]
    measured, failed, rates = [], [], {}  # rates: framework → setting → pictures/s of each round
    for _ in range(ROUNDS):
        for peer in [p for p in peers if p not in absent + failed]:
            try:
                measured.append(ours(net, mode, batch, **env))
            except Failed as e:
                print(e, file=sys.stderr)
                return (what, "-", "(ours failed)"), False
            try:
                for setting, r in PEERS[peer](net, mode, batch, **env).items():
                    rates.setdefault(peer, {}).setdefault(setting, []).append(r)
            except Failed as e:  # not tried again: the next round would fail in the same way
                print(f"{name}, {peer}: {e}", file=sys.stderr)
                failed.append(peer)
    if not measured:
        return (what, "-", ", ".join(f"({p} is not installed)" for p in absent)), True
    mine, of_peak = map(statistics.median, zip(*measured))
    against = []
    for p in peers:
        if p in absent or p in failed:
            against.append(f"({p} is not installed)" if p in absent else f"({p} failed)")
        else:
            against.append(f"{mine / max(map(statistics.median, rates[p].values())):.2f} × {p}")
    return (what, f"{of_peak:.2f}", ", ".join(against)), not failed


names = os.environ.get("TASKS", "").split() or list(TASKS)
for name in names:
    if name not in TASKS:
        sys.exit(f"TASKS: unknown task {name}; want some of {' '.join(TASKS)}")
print(f"| 224×224, threads: {THREADS}, rounds: {ROUNDS} | our speed as a fraction of the measured peak | pictures/s against |\n|---|---|---|", flush=True)
sound = True
for name in names:
    cells, fine = compare(name)
    sound = sound and fine
    print("| " + " | ".join(cells) + " |", flush=True)
sys.exit(not sound)
