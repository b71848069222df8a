"""Compares the curves and average precisions of a file that precision writes with scikit-learn's."""
import collections
import fractions
import json
import sys

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

names = ["curve", "2010", "2007", "average_precision_score"]
worst = collections.defaultdict(lambda: dict.fromkeys(names, 0.0))
agreeing = collections.Counter()
for line in open(sys.argv[1]):
    case = json.loads(line)
    scores, truth = np.array(case["scores"]), np.array(case["truth"]) == 1
    # scikit-learn begins at the lowest score and ends with an artificial point at recall 0.
    precision, recall, threshold = precision_recall_curve(truth, scores)
    precision, recall, threshold = precision[-2::-1], recall[-2::-1], threshold[::-1]
    points = case["points"]
    # Some versions leave out the lowest scores, below the first at which the recall is 1.
    ours = points[: len(precision)]
    assert len(points) >= len(precision) and all(p["Recall"] == 1 for p in points[len(precision) - 1:])
    differences = dict.fromkeys(names, 0.0)
    differences["curve"] = max(
        np.abs(precision - [p["Precision"] for p in ours]).max(),
        np.abs(recall - [p["Recall"] for p in ours]).max(),
        np.abs(threshold - [p["Score"] for p in ours]).max())
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    ap2010 = float(np.sum(np.diff(np.concatenate([[0], recall])) * envelope))
    differences["2010"] = abs(100 * ap2010 - case["ap2010"])
    positives = int(truth.sum())
    exact = [fractions.Fraction(round(r * positives), positives) for r in recall]
    at = [max(p for p, r in zip(precision, exact) if r >= fractions.Fraction(t, 10)) for t in range(11)]
    differences["2007"] = abs(100 * float(np.mean(at)) - case["ap2007"])
    if np.all(np.diff(precision) <= 0):
        agreeing[case["kind"]] += 1
        differences["average_precision_score"] = abs(100 * average_precision_score(truth, scores) - case["ap2010"])
    for name in names:
        worst[case["kind"]][name] = max(worst[case["kind"]][name], differences[name])

print(f"{'scores':10}" + "".join(f"{name:>26}" for name in names) + f"{'cases where they agree':>26}")
for kind, row in worst.items():
    print(f"{kind:10}" + "".join(f"{row[name]:26.1e}" for name in names) + f"{agreeing[kind]:26d}")
bad = any(v > 1e-9 for row in worst.values() for v in row.values()) or agreeing["monotone"] == 0
sys.exit(1 if bad else 0)
