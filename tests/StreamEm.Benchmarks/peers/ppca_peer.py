"""scikit-learn's IncrementalPCA.partial_fit, minibatches of 1024, CPU time: ppca_peer.py FACTORS D [D ...]."""
import sys
import time

import numpy as np
from sklearn.decomposition import IncrementalPCA

SIZE, MINIBATCHES = 1024, 8
factors = int(sys.argv[1])
for d in (int(number) for number in sys.argv[2:]):
    chance = np.random.default_rng(d)
    x = chance.normal(size=(SIZE * MINIBATCHES, factors)) @ chance.normal(size=(factors, d)) + chance.normal(size=(SIZE * MINIBATCHES, d))
    model = IncrementalPCA(factors, batch_size=SIZE)
    model.partial_fit(x[:SIZE])
    taken = []
    for _ in range(5):
        start = time.process_time()
        for first in range(0, len(x), SIZE):
            model.partial_fit(x[first : first + SIZE])
        taken.append((time.process_time() - start) / len(x))
    print(f"RESULT {d} {1 / np.median(taken):.0f}", flush=True)
