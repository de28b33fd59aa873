"""Make `optim_scratch/problems/digits.npz` from scikit-learn's copy of the data set.

    pip install scikit-learn && python tests/problems/make_digits.py

The pictures are shuffled once, so that a part of the file is a sample of all writers.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "optim_scratch" / "problems" / "digits.npz"

if __name__ == "__main__":
    from sklearn.datasets import load_digits  # not among what the tests need

    bunch = load_digits()
    order = np.random.default_rng(0).permutation(len(bunch.target))
    np.savez_compressed(
        FILE,
        images=bunch.images[order].astype(np.uint8),
        labels=bunch.target[order].astype(np.uint8),
    )
