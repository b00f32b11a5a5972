"""scikit-learn's IsolationForest on one file, a p-value a line: stream FILE (column value; learns the first 15 %) | table FILE (all of it)."""
import csv
import sys

import numpy as np
from sklearn.ensemble import IsolationForest

kind, path = sys.argv[1:3]
with open(path, newline="") as file:
    rows = list(csv.DictReader(file))
names = ["value"] if kind == "stream" else [name for name in rows[0] if name not in ("label", "timestamp")]
x = np.array([[float(row[name] or "nan") for name in names] for row in rows])
x = np.where(np.isnan(x), np.nanmedian(x, axis=0), x)
learned = x[: min(int(0.15 * len(x)), 750)] if kind == "stream" else x
forest = IsolationForest(random_state=1).fit(learned)
known = np.sort(forest.score_samples(learned))
p = (np.searchsorted(known, forest.score_samples(x), side="right") + 1) / (len(known) + 1)
print("\n".join(repr(float(value)) for value in p))
