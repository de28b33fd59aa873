"""What the chapter on Nesterov momentum claims."""

from types import SimpleNamespace

import numpy as np
import pytest

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD
from optim_scratch.problems import Digits, NoisyQuadratic


def factor(eta, mu, h, ahead=1.0):
    """Return the larger root's modulus of a step that looks a share of the way ahead."""
    # (θ, v) → (θ + v', v') with v' = μ v − η h (θ + ahead μ v)
    eta, mu, h = np.broadcast_arrays(eta, mu, h)
    kept, pull = mu * (1 - ahead * eta * h), -eta * h
    rows = [[1 + pull, kept], [pull, kept]]
    return np.abs(np.linalg.eigvals(np.moveaxis(np.array(rows), (0, 1), (-2, -1)))).max(axis=-1)


def look_ahead(gradient, start, rates, mu):
    """Return the points and the places of the look of Sutskever et al.'s form."""
    theta, v, points, looks = np.array(start, dtype=float), 0.0, [], []
    for eta in rates:
        looks.append(theta + mu * v)
        v = mu * v - eta * gradient(looks[-1])
        theta = theta + v
        points.append(theta)
    return np.array(points), np.array(looks)


@pytest.mark.parametrize(
    ("rates", "same"), [([0.02] * 60, True), ([0.02] * 30 + [0.002] * 30, False)]
)
def test_torchs_form_is_where_the_paper_looks_while_the_rate_is_constant(rates, same) -> None:
    ravine = surfaces.ravine(20)
    looks = look_ahead(ravine.gradient, ravine.start, rates, 0.9)[1]
    w = Parameter(ravine.start)
    sgd = SGD([w], lr=rates[0], momentum=0.9, nesterov=True)
    for eta in rates[:-1]:
        sgd.param_groups[0]["lr"] = eta
        w.grad = ravine.gradient(w.data)
        sgd.step()
    assert np.allclose(w.data, looks[-1], rtol=0, atol=1e-12) == same


def test_the_brake() -> None:
    """The product of the roots is μ (1 − ηh), and complex ones have its root as modulus."""
    h = np.linspace(0.1, 0.95, 20)
    np.testing.assert_allclose(factor(1.0, 0.9, h), np.sqrt(0.9 * (1 - h)))
    np.testing.assert_allclose(factor(1.0, 0.9, h, ahead=0), np.sqrt(0.9))


def test_where_it_brakes_fully_the_error_is_gone_in_two_steps() -> None:
    points = look_ahead(lambda x: 20 * x, [3.0], [0.05] * 4, 0.9)[0]
    assert np.abs(points[1:]).max() < 1e-12


def test_stable_where_the_closed_form_says() -> None:
    lrs, mus = np.linspace(0.002, 0.208, 100), np.linspace(0.01, 0.99, 100)
    grid = {"lr": lrs[None, :, None], "momentum": mus[:, None, None]}
    run = descend(surfaces.ravine(20), SGD, 1000, every=1000, nesterov=True, **grid)
    limit = 2 * (1 + mus) / (1 + 2 * mus) / 20
    assert np.array_equal(run.final_loss < run.losses[0], lrs[None] < limit[:, None])


@pytest.mark.parametrize("ahead", [0.0, 0.5, 1.0])
def test_the_limit_is_where_the_look_is_as_far_up_the_wall_as_the_argument_says(ahead) -> None:
    for mu in (0.3, 0.9):
        limit = 2 * (1 + mu) / (1 + 2 * ahead * mu)
        assert factor(limit * 0.999, mu, 1.0, ahead) < 1 < factor(limit * 1.001, mu, 1.0, ahead)


def test_nesterov_at_its_best_on_quadratics() -> None:
    """The setting of Lessard, Recht & Packard has its factor, and none of a grid does better."""
    h, root = np.linspace(1, 20, 96), np.sqrt(61)
    best = 1 - 2 / root
    assert factor(4 / 61, (root - 2) / (root + 2), h).max() == pytest.approx(best, abs=1e-6)
    etas, mus = np.linspace(0.03, 0.1, 60)[:, None, None], np.linspace(0.3, 0.95, 60)[:, None]
    assert factor(etas, mus, h).max(axis=-1).min() >= best
    assert (np.sqrt(20) - 1) / (np.sqrt(20) + 1) < best


def test_it_arrives_where_momentum_runs_in_a_circle() -> None:
    def slope(x):
        return np.select([x < 1, x < 2], [25 * x, x + 24], 25 * x - 24)

    kinked = SimpleNamespace(value=lambda x: abs(x[..., 0]), gradient=slope, start=[3.3])
    assert descend(kinked, SGD, 300, lr=1 / 9, momentum=4 / 9).losses[-3:].min() > 0.6
    hyper = {"lr": 1 / 25, "momentum": 2 / 3, "nesterov": True}
    assert descend(kinked, SGD, 300, **hyper).final_loss < 1e-12


def test_the_bound_and_what_never_grows_in_its_proof() -> None:
    """On a convex loss that is no quadratic: a sum of softplus, whose curvature is at most L."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((40, 5))
    labels = np.sign(rows @ rng.standard_normal(5) + rng.standard_normal(40))

    def loss(x):
        return np.logaddexp(0, -labels * (rows @ x)).sum()

    def gradient(x):
        return rows.T @ (-labels / (1 + np.exp(labels * (rows @ x))))

    def run(steps):
        x, before, a, sums, losses = np.zeros(5), np.zeros(5), 0.0, [], []
        for _ in range(steps):
            following = (1 + np.sqrt(1 + 4 * a**2)) / 2
            look = x + (a - 1) / following * (x - before)
            before, x, a = x, look - gradient(look) / top, following
            losses.append(loss(x))
            sums.append((a, a * x - (a - 1) * before))
        return x, losses, sums

    top = np.linalg.eigvalsh(rows.T @ rows)[-1] / 4
    best, losses, _ = run(20000)
    _, losses, sums = run(300)
    gaps = np.array(losses) - loss(best)
    t = np.arange(1, 301)
    assert (gaps <= 2 * top * (best @ best) / (t + 1) ** 2).all()
    kept = [
        a**2 * gap + top / 2 * np.sum((z - best) ** 2)
        for (a, z), gap in zip(sums, gaps, strict=True)
    ]
    assert (np.diff([top / 2 * (best @ best), *kept]) < 1e-7).all()


@pytest.mark.parametrize("steepness", [0.1, 0.3, 1.0])
def test_the_noise_floor(steepness) -> None:
    """By summing the squares of what a kick does later, which knows nothing of the formula."""
    mu, eta, h, q = 0.9, steepness / 2, 2.0, 1 - steepness
    kicks = {}
    for ahead in (0.0, 1.0):
        theta, v, later = 0.0, 0.0, []
        for t in range(3000):
            v = mu * v - eta * (h * (theta + ahead * mu * v) + float(t == 0))
            theta += v
            later.append((theta, theta + ahead * mu * v))
        kicks[ahead] = np.square(later).sum(axis=0)
    plain = eta * (1 + mu) / (h * (1 - mu) * (2 * (1 + mu) - steepness))
    braked = eta * (1 + mu * q) / (h * (1 - mu * q) * (2 * (1 + mu) - (1 + 2 * mu) * steepness))
    assert kicks[0.0][0] == pytest.approx(plain)
    assert kicks[1.0][0] == pytest.approx(braked)
    if q:
        assert kicks[1.0][1] == pytest.approx((braked - eta**2) / q**2)
    assert NoisyQuadratic([h], 1.0).stationary_loss(eta, mu) == pytest.approx(h * plain / 2)
    assert kicks[1.0][1] < 0.7 * kicks[0.0][0]


@pytest.mark.parametrize(("decay", "gains"), [(False, True), (True, False)])
def test_on_the_digits_it_gains_at_a_constant_rate_and_not_at_one_that_decays(decay, gains) -> None:
    ends = {}
    for nesterov in (False, True):
        digits = Digits(seed=range(12))
        w = Parameter(digits.start[:, 0])
        sgd = SGD([w], lr=0.226, momentum=0.9, nesterov=nesterov)
        for t, batch in enumerate(digits.batches(epochs=5)):
            if decay:
                sgd.param_groups[0]["lr"] = 0.226 * (1 - t / 160)
            w.grad = digits.gradient(w.data, batch)
            sgd.step()
        ends[nesterov] = np.array([digits.loss(x, "train") for x in w.data])
    ratio = ends[True].mean() / ends[False].mean()
    assert ratio < 0.8 if gains else 0.93 < ratio < 1.05


def test_a_rate_that_momentum_bears_and_nesterov_does_not() -> None:
    whole = Digits(seed=0, batch_size=None)
    worst = [
        descend(whole, SGD, 60, lr=1.28, momentum=0.9, nesterov=n).losses.max()
        for n in (False, True)
    ]
    assert worst[0] < 2.5 < 10 < worst[1]
