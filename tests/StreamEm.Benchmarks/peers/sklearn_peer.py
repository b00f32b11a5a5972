"""scikit-learn's GaussianMixture on the benchmark's data: check DIR D K ROWS | time DIR D K ROWS REPETITIONS."""
import os
import sys
import time

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky

verb, folder, d, k, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])
threads = int(os.environ["OMP_NUM_THREADS"])
clock = time.process_time if threads == 1 else time.perf_counter


def read(name, *shape):
    return np.fromfile(f"{folder}/{d}_{k}.{name}.bin").reshape(*shape)


x = read("x", -1, d)[:rows]
weights, means, covariances = read("w", k), read("m", k, d), read("c", k, d, d)
for kind in ("full", "diag"):
    model = GaussianMixture(k, covariance_type=kind)

    def reset():
        model.weights_, model.means_ = weights, means
        model.covariances_ = covariances if kind == "full" else np.array([np.diag(c) for c in covariances])
        model.precisions_cholesky_ = _compute_precision_cholesky(model.covariances_, kind)

    def iteration(data):
        _, log_r = model._e_step(data)
        model._m_step(data, log_r)

    reset()
    if verb == "check":
        mean_log_likelihood, log_r = model._e_step(x)
        r = np.exp(log_r)
        second = np.stack([(x * r[:, [c]]).T @ x for c in range(k)]) if kind == "full" else r.T @ (x * x)
        model._m_step(x, log_r)
        parts = [[mean_log_likelihood], r.ravel(), r.sum(0), (r.T @ x).ravel(), second.ravel(), model.means_.ravel(), model.covariances_.ravel()]
        np.concatenate(parts).tofile(f"{folder}/{d}_{k}.{kind}.reference.bin")
        continue
    repetitions = int(sys.argv[6])

    def rate(data, calls, samples):
        taken = []
        for _ in range(samples + 1):
            start = clock()
            for _ in range(calls):
                iteration(data)
            taken.append((clock() - start) / calls)
        return len(data) / np.median(taken[1:])

    whole = rate(x, 1, repetitions)
    blocks = [rate(x[:size], max(1, 20000 // size), repetitions) for size in (256, 1000, 4096)]
    print(f"RESULT {kind} fit {whole:.0f}")
    print(f"RESULT {kind} best {max([whole, *blocks]):.0f}")
    print(f"RESULT {kind} block1000 {blocks[1]:.0f}", flush=True)
if verb == "time" and threads == 1:
    def single(call):
        taken = []
        for _ in range(7):
            start = time.perf_counter()
            for _ in range(50):
                call()
            taken.append((time.perf_counter() - start) / 50)
        return np.median(taken)

    print(f"RESULT diag one_row_ns {1e9 * single(lambda: (model.score_samples(x[:1]), model.predict_proba(x[:1]))):.0f}")
