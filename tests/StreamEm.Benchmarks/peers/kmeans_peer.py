"""scikit-learn's MiniBatchKMeans.partial_fit, minibatches of 1024, CPU time: kmeans_peer.py D,K [D,K ...]."""
import sys
import time

import numpy as np
from sklearn.cluster import MiniBatchKMeans

SIZE, MINIBATCHES = 1024, 50
for shape in sys.argv[1:]:
    d, k = (int(number) for number in shape.split(","))
    chance = np.random.default_rng(1000 * d + k)
    centres = chance.normal(size=(k, d)) * 4 / np.sqrt(2 * d)
    x = centres[chance.integers(k, size=SIZE * MINIBATCHES)] + chance.normal(size=(SIZE * MINIBATCHES, d))
    model = MiniBatchKMeans(k, n_init=1, batch_size=SIZE, compute_labels=False)
    model.partial_fit(x[:SIZE])
    taken = []
    for _ in range(5):
        start = time.process_time()
        for first in range(0, len(x), SIZE):
            model.partial_fit(x[first : first + SIZE])
        taken.append((time.process_time() - start) / len(x))
    print(f"RESULT {shape} {1 / np.median(taken):.0f}", flush=True)
