"""Online LDA of gensim and scikit-learn, CPU time and held-out perplexity: lda_peer.py FOLDER TOPICS ITERATIONS.

FOLDER has texts.txt and held.txt (a text a line, term:count) and components.txt (lambda, a topic a line). All perplexities are by
scikit-learn's bound, whose inner iterations are 100 at most."""
import os
import sys
import time

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import LatentDirichletAllocation

FOLDER, TOPICS, ITERATIONS, SIZE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 256
ALPHA, ETA = 0.1, 0.05
ours = np.loadtxt(os.path.join(FOLDER, "components.txt"))
V = ours.shape[1]


def read(name):
    with open(os.path.join(FOLDER, name)) as file:
        return [[(int(t), int(c)) for t, c in (pair.split(":") for pair in line.split())] for line in file]


def sparse(texts):
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    pairs = np.array([pair for text in texts for pair in text])
    return csr_matrix((pairs[:, 1].astype(float), (rows, pairs[:, 0])), shape=(len(texts), V))


texts, held = read("texts.txt"), sparse(read("held.txt"))
tokens = sum(count for text in texts for _, count in text)


def perplexity(components):
    model = LatentDirichletAllocation(TOPICS, doc_topic_prior=ALPHA, topic_word_prior=ETA, total_samples=len(texts))
    model.partial_fit(held[:2])
    model.components_ = components
    from scipy.special import psi

    model.exp_dirichlet_component_ = np.exp(psi(components) - psi(components.sum(1))[:, None])
    return model.perplexity(held)


print(f"RESULT ours_perplexity {perplexity(ours):.3f}", flush=True)
start = time.process_time()
model = LatentDirichletAllocation(
    TOPICS, doc_topic_prior=ALPHA, topic_word_prior=ETA, learning_method="online", learning_decay=0.7, learning_offset=1,
    batch_size=SIZE, max_iter=1, total_samples=len(texts), max_doc_update_iter=ITERATIONS, mean_change_tol=1e-3, random_state=1)
model.fit(sparse(texts))
print(f"RESULT sklearn {tokens / (time.process_time() - start):.0f}", flush=True)
print(f"RESULT sklearn_perplexity {perplexity(model.components_):.3f}", flush=True)
try:
    from gensim.models import LdaModel
except ImportError:
    sys.exit(0)
start = time.process_time()
model = LdaModel(
    texts, num_topics=TOPICS, id2word={t: str(t) for t in range(V)}, alpha=[ALPHA] * TOPICS, eta=ETA, chunksize=SIZE, passes=1,
    update_every=1, decay=0.7, offset=1, iterations=ITERATIONS, gamma_threshold=1e-3, eval_every=None, random_state=1)
print(f"RESULT gensim {tokens / (time.process_time() - start):.0f}", flush=True)
print(f"RESULT gensim_perplexity {perplexity(model.state.get_lambda()):.3f}", flush=True)
