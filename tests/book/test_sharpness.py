"""What the chapter on sharpness claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, ladder
from optim_scratch.optimizers import SAM, SGD
from optim_scratch.problems import Digits


def run(slope, start, lr, rho, steps, **settings) -> np.ndarray:
    w, points = Parameter(start), []
    sam = SAM(SGD([w], lr=lr), rho=rho, **settings)

    def closure() -> float:
        w.grad = slope(w.data)
        return 0.0  # nothing depends on it

    for _ in range(steps):
        sam.step(closure)
        points.append(w.data.copy())
    return np.array(points)


@pytest.mark.parametrize(("h", "lr", "rho"), [(1, 0.5, 1), (4, 0.1, 0.05), (20, 0.02, 0.3)])
def test_how_far_it_bounces(h, lr, rho) -> None:
    last = run(lambda x: h * x, [0.77], lr, rho, 400)[-2:, 0]
    a = lr * h * rho / (2 - lr * h)
    np.testing.assert_allclose(np.sort(last), [-a, a], rtol=1e-6)


def test_no_neighbour_is_worse_to_first_order() -> None:
    rng = np.random.default_rng(0)
    g = rng.standard_normal(5)
    others = rng.standard_normal((1000, 5))
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    assert (others @ g).max() < np.linalg.norm(g)


def in_valley(p) -> np.ndarray:
    return (p[0] * p[1] - 1) * p[::-1]


def gap(points) -> np.ndarray:
    return points[:, 0] ** 2 - points[:, 1] ** 2


@pytest.mark.parametrize(("lr", "rho"), [(0.01, 0.2), (0.005, 0.3)])
def test_in_the_valley_it_is_weight_decay_of_rho_squared(lr, rho) -> None:
    steps = int(0.6 / (lr * rho**2))
    found = gap(run(in_valley, [2.5, 0.1], lr, rho, steps))
    third = steps // 3
    measured = np.log(found[third] / found[2 * third]) / third
    assert measured == pytest.approx(2 * lr * rho**2, rel=0.08)
    w = Parameter([2.5, 0.1])
    sgd = SGD([w], lr=lr, weight_decay=rho**2)
    decayed = []
    for _ in range(steps):
        w.grad = in_valley(w.data)
        sgd.step()
        decayed.append(w.data.copy())
    decayed = gap(np.array(decayed))
    assert decayed[2 * third] == pytest.approx(found[2 * third], rel=0.1)


def test_the_excess_over_the_formula_is_the_bounces() -> None:
    found = gap(run(in_valley, [2.5, 0.1], 0.1, 0.1, 600))
    measured = np.log(found[200] / found[400]) / 200
    across = np.sum(run(in_valley, [2.5, 0.1], 0.1, 0.1, 300)[-1] ** 2)
    assert measured == pytest.approx(0.002 * (2 / (2 - 0.1 * across)) ** 2, rel=0.1)


def test_the_sharpness_of_the_valley() -> None:
    for u in (1.0, 2.0, 4.0):
        v = 1 / u
        hessian = np.array([[v**2, 2 * u * v - 1], [2 * u * v - 1, u**2]])
        assert np.linalg.eigvalsh(hessian)[1] == pytest.approx(u**2 + v**2)


def test_the_adaptive_form_has_nearly_no_pull_on_the_floor() -> None:
    sam = gap(run(in_valley, [2.5, 0.1], 0.005, 0.2, 4000))
    other = gap(run(in_valley, [2.5, 0.1], 0.005, 0.2, 4000, adaptive=True))
    assert sam[-1] < 0.3 * sam[100]
    assert other[-1] > 0.97 * other[100]


def test_it_hangs_beside_a_hole_that_is_narrower_than_rho() -> None:
    def slope(x):
        return x / 2 + (x - 1.5) / 0.04 * np.exp(-((x - 1.5) ** 2) / 0.08)

    assert run(slope, [2.5], 0.01, 0.2, 3000)[-1, 0] == pytest.approx(1.47, abs=0.1)
    assert run(slope, [2.5], 0.01, 0.6, 3000)[-1, 0] == pytest.approx(0.87, abs=0.03)
    assert slope(np.array(0.87)) > 0.2, "on a slope"


def accuracy(rate, seeds, *, rho=0.0, decay=0.0, epochs=40, spoilt=False) -> np.ndarray:
    """In per cent, with a rate that falls in a line to 0."""
    digits = Digits(seed=seeds)
    if spoilt:
        rng, labels = np.random.default_rng(0), digits.labels.copy()
        wrong = np.flatnonzero(rng.random(1024) < 0.2)
        labels[wrong] = rng.integers(0, 10, len(wrong))
        digits.labels = labels
    w = Parameter(digits.start)
    sgd = SGD([w], lr=rate, momentum=0.9, weight_decay=decay)
    for t, batch in enumerate(digits.batches(epochs)):
        sgd.param_groups[0]["lr"] = rate * (1 - t / (32 * epochs))
        g = digits.gradient(w.data, batch)
        if rho:
            way = g / np.linalg.norm(g, axis=-1, keepdims=True)
            g = digits.gradient(w.data + rho * way, batch)
        w.grad = g
        sgd.step()
    return 100 * digits.accuracy(w.data)[:, 0]


def test_a_gain_on_wrong_labels_and_none_on_clean_ones_at_equal_gradients() -> None:
    """With other seeds than the page's."""
    seeds = range(40, 60)
    clean = accuracy(0.2, seeds), accuracy(0.2, seeds, rho=0.2, epochs=20)
    assert abs(clean[1].mean() - clean[0].mean()) < 0.35
    spoilt = accuracy(0.05, seeds, spoilt=True)
    sam = accuracy(0.2, seeds, rho=0.5, epochs=20, spoilt=True)
    decay = accuracy(0.2, seeds, decay=0.003, spoilt=True)
    assert sam.mean() > spoilt.mean() + 0.5
    assert decay.mean() > spoilt.mean() + 0.2


def test_the_ladders_lines() -> None:
    rows = [ladder.row(name) for name in ("SAM", "SGD momentum 0.9")]
    sam, sgd = (row.accuracies[-1].mean() for row in rows)
    assert 0 < sam - sgd < 0.004
    assert rows[0].time > 1.8 * rows[1].time


def test_at_equal_rate_and_steps_sam_ends_flatter_at_the_same_loss() -> None:
    """With other seeds than the page's."""
    seeds, found = range(40, 43), {}
    for rho in (0, 0.2):
        digits = Digits(seed=seeds)
        w = Parameter(digits.start)
        sgd = SGD([w], lr=0.2, momentum=0.9)
        for t, batch in enumerate(digits.batches(20)):
            sgd.param_groups[0]["lr"] = 0.2 * (1 - t / (32 * 20))
            g = digits.gradient(w.data, batch)
            climb = rho * g / np.linalg.norm(g, axis=-1, keepdims=True)
            w.grad = digits.gradient(w.data + climb, batch)
            sgd.step()
        sharp = [Digits(seed=0).sharpness(each, 20) for each in w.data[:, 0]]
        found[rho] = digits.loss(w.data).mean(), np.mean(sharp)
    assert found[0.2][0] == pytest.approx(found[0][0], rel=0.3)
    assert found[0.2][1] < 0.7 * found[0][1]
