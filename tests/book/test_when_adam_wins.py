"""What the chapter on when Adam wins claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, descend
from optim_scratch.experiments import results
from optim_scratch.optimizers import SGD, Adam, SignSGD
from optim_scratch.problems import Digits, ZipfClasses

Q = 0.2


def gradient(z, shares):
    """The slope of each class's own score, and of each of the others."""
    others = z.shape[-1] - 1
    p = 1 / (1 + others * np.exp(np.clip(z[..., 1, :] - z[..., 0, :], -500, 500)))
    return np.stack([shares * (p - 1 + Q), shares * (1 - Q - p) / others], axis=-2)


def losses(z):
    """The cross-entropy of each class with its labels."""
    others = z.shape[-1] - 1
    top = z.max(axis=-2)
    total = np.exp(z[..., 0, :] - top) + others * np.exp(z[..., 1, :] - top)
    return top + np.log(total) - (1 - Q) * z[..., 0, :] - Q * z[..., 1, :]


def learn(method, rates, K=10_000, steps=100, **hyper):
    """The excess of each class, and the shares of the classes."""
    shares = 1 / np.arange(1, K + 1)
    shares /= shares.sum()
    z = Parameter(np.zeros((len(rates), 2, K)))
    optimizer = method([z], lr=np.array(rates)[:, None, None], **hyper)
    for _ in range(steps):
        z.grad = gradient(z.data, shares)
        optimizer.step()
    least = -(1 - Q) * np.log(1 - Q) - Q * np.log(Q / (K - 1))
    return losses(z.data) - least, shares


def best(method, rates, **hyper):
    end, shares = learn(method, rates, **hyper)
    at = (end @ shares).argmin()
    assert 0 < at < len(rates) - 1, "the best rate lies within"
    return end[at], shares


def test_the_gradient_of_the_table_is_its_loss_differentiated(rng) -> None:
    z, shares, step = rng.standard_normal((2, 6)), rng.uniform(size=6), 1e-6
    found = gradient(z, shares)
    for k in range(6):
        up, down = z.copy(), z.copy()
        up[0, k] += step
        down[0, k] -= step
        slope = shares[k] * (losses(up) - losses(down))[k] / (2 * step)
        assert found[0, k] == pytest.approx(slope, rel=1e-6)
        up[:, k], down[:, k] = (z[0, k], z[1, k] + step), (z[0, k], z[1, k] - step)
        slope = shares[k] * (losses(up) - losses(down))[k] / (2 * step)
        assert 5 * found[1, k] == pytest.approx(slope, rel=1e-6)


def test_gradient_descent_reaches_hundreds_momentum_thousands_signs_all() -> None:
    plain, shares = best(SGD, 2.0 ** np.arange(5, 12))
    heavy, _ = best(SGD, 2.0 ** np.arange(5, 12), momentum=0.9)
    half = plain.max() / 2
    assert 300 < np.sum(plain < half) < 3000
    assert 7 < np.sum(heavy < half) / np.sum(plain < half) < 12
    assert shares[plain > 1].sum() > 0.25
    for method in (SignSGD, Adam):
        assert best(method, 2.0 ** np.arange(-8, 3))[0].max() < 0.05


def test_the_most_frequent_overshoot_at_the_best_rate() -> None:
    for momentum in (0.0, 0.9):
        end, _ = best(SGD, 2.0 ** np.arange(5, 12), momentum=momentum)
        assert end[:3].max() > 0.2
        assert end[10:100].max() < 0.01


def test_only_the_product_of_rate_share_and_steps_counts() -> None:
    """A class at rank 10 after t steps is where one at rank 100 is after 10 t."""
    for steps in (20, 60, 200):
        early, _ = learn(SGD, [8.0], steps=steps)
        late, _ = learn(SGD, [8.0], steps=10 * steps)
        assert early[0, 9] == pytest.approx(late[0, 99], rel=0.03)


def test_signs_know_no_shares() -> None:
    end, _ = learn(SignSGD, [0.0625], steps=60)
    assert np.ptp(end) < 1e-9


def test_a_large_epsilon_leaves_the_tail_behind() -> None:
    behind = []
    for eps in (1e-8, 1e-4, 1e-3):
        end, shares = learn(Adam, [0.5], eps=eps)
        behind.append(shares[end[0] > 1].sum())
    assert behind[0] < 0.01 < 0.05 < behind[1] < 0.15 < 0.25 < behind[2]


def test_half_of_all_examples_lie_beyond_the_root() -> None:
    shares = 1 / np.arange(1, 10_001)
    assert shares[100:].sum() / shares.sum() == pytest.approx(0.47, abs=0.01)


@pytest.fixture(scope="module")
def zipf():
    return ZipfClasses(seed=range(3))


def tuned(problem, method, rates, share=1.0, **hyper):
    path = descend(problem, method, 50, lr=rates[:, None] / share, every=50, **hyper)
    at = np.nan_to_num(path.final_loss.mean(axis=0), nan=np.inf).argmin()
    assert 0 < at < len(rates) - 1, "the best rate lies within"
    end = path.end[:, at : at + 1]
    parts = [problem.loss_by_group(end, 4, part)[:, 0].mean(axis=0) for part in ("train", "test")]
    return path.final_loss[:, at], *parts


def test_a_rate_per_class_takes_most_of_the_gap_and_momentum_nearly_all(zipf) -> None:
    plain, by_plain, new_plain = tuned(zipf, SGD, 2.0 ** np.arange(1, 5))
    adam, by_adam, new_adam = tuned(zipf, Adam, 2.0 ** np.arange(-3, 1))
    share = np.tile(zipf.counts / zipf.examples, 17)
    each, by_each, _ = tuned(zipf, SGD, 2.0 ** np.arange(-4, 0), share)
    heavy, _, _ = tuned(zipf, SGD, 2.0 ** np.arange(1, 5), momentum=0.9)
    gap = (plain - adam).mean()
    assert ((plain - adam) > 0.1).all()
    assert 0.65 < (plain - each).mean() / gap < 0.85
    assert (plain - heavy).mean() / gap > 0.85
    assert (by_plain - by_each)[-1] > 0.8 * (by_plain - by_adam)[-1]
    assert new_adam[-1] > np.log(64) + 1.5
    assert new_plain[-1] < np.log(64)


def test_adams_squares_are_proportional_to_the_numbers_of_examples() -> None:
    problem = ZipfClasses()
    w = Parameter(problem.start)
    adam = Adam([w], lr=0.05)
    for _ in range(50):
        w.grad = problem.gradient(w.data)
        adam.step()
    root = np.sqrt(adam.state[w]["exp_avg_sq"] / (1 - 0.999**50))[:1024].reshape(16, 64)
    each = root.mean(axis=0) / problem.counts
    groups = [each[a:b].mean() for a, b in ((0, 4), (4, 16), (16, 64))]
    assert max(groups) < 1.25 * min(groups)


def test_in_small_batches_adams_roots_go_with_the_root_of_the_examples() -> None:
    problem = ZipfClasses(batch_size=32)
    w = Parameter(problem.start)
    adam = Adam([w], lr=0.05)
    for batch in problem.batches(2):
        w.grad = problem.gradient(w.data, batch)
        adam.step()
    root = np.sqrt(adam.state[w]["exp_avg_sq"] / (1 - 0.999**64))[:1024].reshape(16, 64)
    for power, least, most in ((0.5, 1.0, 1.25), (1.0, 3.0, 7.0)):
        each = root.mean(axis=0) / problem.counts**power
        groups = [each[a:b].mean() for a, b in ((0, 4), (4, 16), (16, 64))]
        assert least < max(groups) / min(groups) < most


def test_in_batches_adam_leaves_the_tail_too_but_less_than_momentum() -> None:
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 10_001)
    shares /= shares.sum()
    drawn = [rng.multinomial(256, shares) / 256 for _ in range(100)]
    means = []
    for method, rate, hyper in ((SGD, 128.0, {"momentum": 0.9}), (Adam, 1.0, {})):
        z = Parameter(np.zeros((2, 10_000)))
        optimizer = method([z], lr=rate, **hyper)
        for seen in drawn:
            z.grad = gradient(z.data, seen)
            optimizer.step()
        least = -(1 - Q) * np.log(1 - Q) - Q * np.log(Q / 9999)
        means.append((losses(z.data) - least) @ shares)
    assert 0.5 < means[1] < means[0] - 0.2


@pytest.mark.parametrize("imbalance", [1.0, 0.0])
def test_on_the_digits_sizes_of_classes_are_not_what_sgd_lacks(imbalance) -> None:
    found = {}
    settings = {"plain": (1.0, {}), "momentum": (0.25, {"momentum": 0.9})}
    for name, (rate, hyper) in settings.items():
        found[name] = right(imbalance, SGD, rate, **hyper)
    found["adam"] = right(imbalance, Adam, 2.0**-5)
    assert found["adam"] - found["plain"] > 0.03
    assert abs(found["adam"] - found["momentum"]) < 0.025


def right(imbalance, method, lr, **hyper):
    digits = Digits(seed=range(10), imbalance=imbalance)
    w = Parameter(digits.start)
    optimizer = method([w], lr=lr, **hyper)
    for batch in digits.batches(5):
        w.grad = digits.gradient(w.data, batch)
        optimizer.step()
    return digits.accuracy(w.data, "test").mean()


def test_the_code_for_groups_in_torch_is_that_of_the_problem() -> None:
    torch = pytest.importorskip("torch")
    problem = ZipfClasses()
    shuffled = np.random.default_rng(0).permutation(64)
    counts = torch.tensor(problem.counts[shuffled])
    order = counts.argsort(descending=True)
    group = torch.empty_like(order)
    group[order] = ((counts[order].cumsum(0) - counts[order] / 2) * 4 / counts.sum()).long()
    assert group.tolist() == problem.groups(4)[shuffled].tolist()


def test_on_balanced_pictures_momentum_ends_two_to_three_points_ahead_of_adam():
    last = results.read("optimizers").query("epoch == 10").groupby("recipe").validation_accuracy
    assert 100 * (last.mean()["sgd-0.03"] - last.mean()["adam-0.001"]) == pytest.approx(
        2.5, abs=0.5
    )
