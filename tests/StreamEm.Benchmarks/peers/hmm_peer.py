"""One EM iteration of a Gaussian hidden Markov model, CPU seconds: hmm_peer.py STATES D STEPS.

hmmlearn where it can be imported, and the scaled forward-backward recursions in NumPy, a step a time with the states as vectors."""
import sys
import time

import numpy as np

STATES, D, STEPS, LENGTH = (int(a) for a in (*sys.argv[1:4], 1000))
chance = np.random.default_rng(3)
means = 4 * chance.random((STATES, D))
transmat = np.full((STATES, STATES), 0.1 / (STATES - 1))
np.fill_diagonal(transmat, 0.9)
z = np.empty(STEPS, int)
for t in range(STEPS):
    z[t] = chance.integers(STATES) if t % LENGTH == 0 else chance.choice(STATES, p=transmat[z[t - 1]])
x = means[z] + chance.normal(size=(STEPS, D))


def iteration(start, a, mean, var):
    counts, passages = np.zeros(STATES), np.zeros((STATES, STATES))
    first, square, initial = np.zeros((STATES, D)), np.zeros((STATES, D)), np.zeros(STATES)
    log_norm = -0.5 * (np.log(2 * np.pi * var).sum(1) + (mean**2 / var).sum(1))
    for begin in range(0, STEPS, LENGTH):
        y = x[begin : begin + LENGTH]
        log_b = log_norm + y @ (mean / var).T - 0.5 * (y**2) @ (1 / var).T
        b = np.exp(log_b - log_b.max(1, keepdims=True))
        n = len(y)
        alpha, scale, beta = np.empty((n, STATES)), np.empty(n), np.ones((n, STATES))
        p = start
        for t in range(n):
            p = p * b[t]
            scale[t] = p.sum()
            alpha[t] = p / scale[t]
            p = alpha[t] @ a
        for t in range(n - 2, -1, -1):
            beta[t] = a @ (b[t + 1] * beta[t + 1]) / scale[t + 1]
        gamma = alpha * beta
        passages += a * (alpha[:-1].T @ (b[1:] * beta[1:] / scale[1:, None]))
        initial += gamma[0]
        counts += gamma.sum(0)
        first += gamma.T @ y
        square += gamma.T @ y**2
    m = first / counts[:, None]
    return initial / initial.sum(), passages / passages.sum(1, keepdims=True), m, square / counts[:, None] - m**2


def rate(call):
    call()
    taken = []
    for _ in range(5):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return STEPS / np.median(taken)


uniform = np.full(STATES, 1 / STATES)
print(f"RESULT numpy {rate(lambda: iteration(uniform, transmat, means, np.ones((STATES, D)))):.0f}", flush=True)
try:
    from hmmlearn.hmm import GaussianHMM
except ImportError:
    sys.exit(0)


def fit():
    model = GaussianHMM(STATES, covariance_type="diag", n_iter=1, init_params="", tol=0)
    model.startprob_, model.transmat_, model.means_, model.covars_ = uniform, transmat, means, np.ones((STATES, D))
    model.fit(x, [LENGTH] * (STEPS // LENGTH))


print(f"RESULT hmmlearn {rate(fit):.0f}", flush=True)
