"""What the chapter on Adam claims."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, descend, surfaces
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import Digits, NoisyQuadratic


def updates(gradients, beta1=0.9, beta2=0.999, **hyper) -> np.ndarray:
    """Return the package's steps for a row of gradients, in units of the rate."""
    w = Parameter(np.zeros_like(gradients[0]))
    adam, places = Adam([w], lr=1.0, betas=(beta1, beta2), **{"eps": 1e-30, **hyper}), []
    for g in gradients:
        w.grad = g
        adam.step()
        places.append(w.data.copy())
    return -np.diff(np.array(places), axis=0, prepend=0)


def bound(beta1, beta2) -> float:
    """Return what Cauchy and Schwarz say, summed term by term."""
    a, b = (1 - beta1, beta1), (1 - beta2, beta2)
    terms = a[0] ** 2 / b[0] * (a[1] ** 2 / b[1]) ** np.arange(5000)
    return np.sqrt(np.sum(terms))


@pytest.mark.parametrize("size", [1e3, 1e-3, 1e-9])
def test_a_gradient_that_stays_makes_steps_of_the_rate(size) -> None:
    assert updates(np.full(200, size)) == pytest.approx(np.ones(200))


def test_alternating_and_rare_gradients() -> None:
    u = updates((-1.0) ** np.arange(8000))
    assert np.abs(u[-100:]) == pytest.approx(np.full(100, 0.1 / 1.9), rel=1e-2)
    for n in (10, 100):
        u = updates((np.arange(30_000) % n == 0) * 1.0)
        assert u[20_000:].mean() == pytest.approx(1 / np.sqrt(n), rel=0.03)


@pytest.mark.parametrize("beta1", [0.0, 0.8, 0.9, 0.98])
@pytest.mark.parametrize("agreement", [0.0, 0.3, 0.8])
def test_the_length_of_the_update(beta1, agreement) -> None:
    r, rng = agreement, np.random.default_rng(0)
    g = r + np.sqrt(1 - r**2) * rng.standard_normal((3000, 200))
    u = updates(g, beta1, 0.9999)[1000:]
    expected = np.sqrt(r**2 + (1 - r**2) * (1 - beta1) / (1 + beta1))
    assert np.sqrt(np.mean(u**2)) == pytest.approx(expected, rel=0.03)


def test_the_formula_holds_on_the_digits() -> None:
    digits = Digits(seed=1)
    g = np.array([digits.gradient(digits.start) for _ in range(320)])
    used = g.any(axis=0)
    g = g[:, used]
    r = np.abs(g.mean(axis=0)) / np.sqrt(np.mean(g**2, axis=0))
    ratio = np.sqrt(np.mean(updates(g)[50:] ** 2, axis=0)) / np.sqrt(r**2 + (1 - r**2) / 19)
    assert np.median(ratio) == pytest.approx(0.97, abs=0.02)
    assert np.median(r) == pytest.approx(0.5, abs=0.08)
    # an epoch's batches share no picture: drawn with replacement, noise alone gives 0.23
    rng, free = np.random.default_rng(0), np.flatnonzero(r < 0.05)
    batches = rng.integers(0, 1024, (320, 32))
    drawn = np.array([digits.gradient(digits.start, batch)[used] for batch in batches])
    inside, outside = (np.sqrt(np.mean(updates(x)[50:, free] ** 2)) for x in (g, drawn))
    assert inside < 0.2 < 0.22 < outside


def uncorrected(t, beta1=0.9, beta2=0.999, m=True, v=True) -> float:
    """Return a step's length for a constant gradient, with corrections left out."""
    top = 1 - beta1**t if m else 1
    return top / np.sqrt(1 - beta2**t if v else 1)


def test_without_correction_the_start_is_a_burst() -> None:
    t = np.arange(1, 2000)
    u = uncorrected(t)
    assert u[0] == pytest.approx(np.sqrt(10))
    assert (t[u.argmax()], u.max()) == (12, pytest.approx(6.57, abs=0.01))
    assert u[99] == pytest.approx(3.24, abs=0.01)
    assert uncorrected(1, m=False) == pytest.approx(np.sqrt(1000))
    burst = updates(np.r_[np.full(2000, 1e-3), np.ones(300)])[2000:]
    assert (burst.argmax() + 1, burst.max()) == (12, pytest.approx(6.12, abs=0.01))
    assert np.abs(burst[:300] / u[:300] - 1).max() < 0.08


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.9, 0.95), (0.5, 0.9)])
def test_the_longest_step(beta1, beta2) -> None:
    closed = (1 - beta1) / np.sqrt((1 - beta2) * (1 - beta1**2 / beta2))
    assert bound(beta1, beta2) == pytest.approx(closed)
    rng = np.random.default_rng(0)
    assert np.abs(updates(rng.standard_cauchy((2000, 100)), beta1, beta2)).max() < closed
    m = v = 0.0  # the gradient that grows reaches it, once the start is far behind
    for _ in range(6000):
        m, v = beta1 / (beta2 / beta1) * m + 1 - beta1, beta2 / (beta2 / beta1) ** 2 * v + 1 - beta2
    assert m / np.sqrt(v) == pytest.approx(closed, rel=1e-3)


def test_the_papers_bound_is_passed_and_equal_memories_have_1() -> None:
    paper = 0.1 / np.sqrt(0.001)
    assert bound(0.9, 0.999) == pytest.approx(7.27, abs=0.01)
    assert updates(np.r_[np.full(2000, 1e-6), np.ones(20)]).max() > 1.9 * paper
    assert np.abs(updates(np.random.default_rng(0).standard_cauchy(3000), 0.9, 0.9)).max() <= 1
    assert bound(0.9, 0.81 + 1e-9) > 10, "no bound where the square of β₁ reaches β₂"


def test_without_memories_it_is_the_sign() -> None:
    g = np.random.default_rng(0).standard_normal((50, 3))
    assert updates(g, 0.0, 0.0) == pytest.approx(np.sign(g))


def test_a_large_epsilon_makes_momentum() -> None:
    rng = np.random.default_rng(0)
    a, b = Parameter(np.zeros(4)), Parameter(np.zeros(4))
    adam, sgd = Adam([a], lr=2.0, eps=1e4), SGD([b], lr=0.1 * 2.0 / 1e4, momentum=0.9)
    early = None
    for t in range(400):
        a.grad = b.grad = 3 + rng.standard_normal(4)
        before = a.data.copy(), b.data.copy()
        adam.step()
        sgd.step()
        early = (a.data - before[0]) / (b.data - before[1]) if t == 0 else early
    assert (a.data - before[0]) / (b.data - before[1]) == pytest.approx(np.ones(4), rel=1e-2)
    assert early == pytest.approx(np.full(4, 10.0), rel=1e-2), "the mean is corrected"


def test_scaling_the_loss_changes_nothing() -> None:
    ends = []
    for factor in (1, 1000, 1e-3):
        digits = Digits(seed=0)
        w = Parameter(digits.start)
        adam = Adam([w], lr=0.01, eps=1e-20)
        for batch in digits.batches(1):
            w.grad = factor * digits.gradient(w.data, batch)
            adam.step()
        ends.append(w.data)
    assert ends[1] == pytest.approx(ends[0], abs=1e-9)
    assert ends[2] == pytest.approx(ends[0], abs=1e-9)


def power(method, **hyper) -> float:
    """Return the exponent by which the distance moved goes with the gradient's size."""
    digits = Digits(seed=1)
    w, squares = Parameter(digits.start), 0
    optimizer = method([w], **hyper)
    for batch in digits.batches(5):
        w.grad = digits.gradient(w.data, batch)
        squares = squares + w.grad**2
        optimizer.step()
    used = squares > 0
    path = np.abs(w.data - digits.start)[used]
    assert np.divide(*np.quantile(np.sqrt(squares[used]), [0.99, 0.01])) > 500
    return np.polyfit(np.log(squares[used]) / 2, np.log(path), 1)[0]


def test_momentum_moves_by_the_size_and_adam_does_not() -> None:
    assert power(SGD, lr=0.08, momentum=0.9) == pytest.approx(0.9, abs=0.1)
    assert power(Adam, lr=0.01) == pytest.approx(0, abs=0.05)


def trained(rates, seeds, steps=160, **hyper):
    """Train the digits with Adam; return the mean loss of each rate."""
    digits = Digits(seed=seeds)
    w = Parameter(np.broadcast_to(digits.start, (len(seeds), len(rates), digits.size)).copy())
    adam = Adam([w], lr=np.reshape(rates, (-1, 1)), **hyper)
    for _ in range(steps):
        w.grad = digits.gradient(w.data)
        adam.step()
    return digits.loss(w.data).mean(axis=0)


def test_one_knob_each() -> None:
    rates, fresh = 2e-3 * 2.0 ** np.arange(7), range(10, 13)
    usual = trained(rates, fresh).min()
    assert trained(rates, fresh, betas=(0.9, 0.8)).min() < 1.2 * usual
    assert trained(rates / 16, fresh, betas=(0.9, 0.0)).min() > 0.5
    assert trained(rates, fresh, betas=(0.0, 0.999)).min() > 1.25 * usual
    small, large = (trained(k * rates, fresh, eps=e) for k, e in ((1, 1e-3), (16, 1.0)))
    assert small.min() < 1.2 * usual
    assert large.min() < 1.3 * usual
    assert 16 * rates[large.argmin()] > 8 * rates[small.argmin()]
    wide = 0.032 * 2.0 ** np.arange(8)
    tenth, one = (trained(wide, fresh, eps=e).argmin() for e in (0.1, 1.0))
    assert 0 < tenth < one < len(wide) - 1, "both valleys have two sides"
    assert one - tenth in (2, 3), "nearly in proportion"


def test_half_precision_divides_by_nothing() -> None:
    w = torch.nn.Parameter(torch.ones(3, dtype=torch.float16))
    adam = torch.optim.Adam([w])
    w.grad = torch.tensor([1, 1e-4, 0], dtype=torch.float16)
    adam.step()
    moved = w.detach().numpy()
    assert np.isfinite(moved[0])
    assert np.isinf(moved[1])
    assert np.isnan(moved[2])


def reading(rates, seeds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the agreement after 300 noisy steps, then in 60 exact ones, and the loss between."""
    data = Digits(seed=seeds), Digits(batch_size=None, seed=seeds)
    w = Parameter(np.broadcast_to(data[0].start, (len(seeds), len(rates), data[0].size)).copy())
    adam, m, q, found, losses = Adam([w], lr=np.reshape(rates, (-1, 1))), 0.0, 0.0, [], []
    for t in range(1, 361):
        w.grad = g = data[t > 300].gradient(w.data)
        m, q = 0.9 * m + 0.1 * g, 0.9 * q + 0.1 * np.sum(g**2, axis=-1)
        adam.step()
        found.append(np.sqrt(np.sum(m**2, axis=-1) / q / (1 - 0.9**t)))
        losses.append(data[0].loss(w.data) if t == 300 else 0.0)
    return np.mean(found[260:300], axis=0), np.mean(found[320:], axis=0), losses[299]


def test_the_meter_reads_the_rate() -> None:
    rates = np.array([2.5e-4, 1e-3, 0.016, 0.032, 0.256, 0.5])
    noisy, exact, loss = reading(rates, range(4, 8))
    assert np.all(exact[:, :2] > 0.85), "too small"
    assert np.all((exact[:, 2:4] > 0.17) & (exact[:, 2:4] < 0.5)), "the best"
    assert np.all(exact[:, 4:] < 0.19), "too large"
    assert np.all(exact[:, 5] < 0.15)
    assert np.all(noisy[:, 0] > 0.5)
    assert np.all(np.abs(noisy[:, 2:5] - 0.19) < 0.04), "small batches cannot tell these apart"
    assert np.all(loss.mean(axis=0)[[0, 1, 4, 5]] > 10 * loss.mean(axis=0)[2:4].max())


def steps_needed(angle, method, rates, **hyper) -> int:
    """Return the fewest steps after which the loss stays below a ten-thousandth."""
    run = descend(surfaces.ravine(100, angle), method, 1000, lr=rates[:, None], **hyper)
    low = run.losses <= 1e-4 * run.losses[0]
    return min(int(np.flatnonzero(~one)[-1]) + 1 for one in low.T)


def test_division_helps_along_the_axes_alone() -> None:
    plain = steps_needed(0, SGD, np.geomspace(1e-3, 0.02, 60))
    heavy = steps_needed(45, SGD, np.geomspace(1e-4, 0.038, 90), momentum=0.9)
    rates = np.geomspace(0.01, 10, 91)
    bare = [steps_needed(angle, Adam, rates / 10, betas=(0, 0.999)) for angle in (0, 5, 45)]
    assert bare[0] < heavy < bare[1] < plain < bare[2] / 2
    for angle in (0, 45):
        assert steps_needed(angle, Adam, rates) == pytest.approx(heavy, rel=0.12)


@pytest.mark.parametrize(("rate", "sigma"), [(0.02, 1.0), (0.01, 4.0)])
def test_the_floor_is_a_quarter_of_rate_times_sigma(rate, sigma) -> None:
    task = NoisyQuadratic(np.ones(200), noise=sigma, seed=0)
    w, losses = Parameter(np.zeros(200)), []
    adam = Adam([w], lr=rate)
    for _ in range(5000):
        w.grad = task.gradient(w.data)
        adam.step()
        losses.append(task.value(w.data))
    assert np.mean(losses[2500:]) / 200 == pytest.approx(rate * sigma / 4, rel=0.08)


def test_five_batches_with_wrong_labels_after_a_calm() -> None:
    digits = Digits(seed=range(20, 26))
    right, batches = digits.labels, list(digits.batches(epochs=22))
    calm = Parameter(digits.start)

    def step(w, adam, batch, wrong, limit):
        digits.labels = (right + 1) % 10 if wrong else right
        g = digits.gradient(w.data, batch)
        digits.labels = right
        w.grad = g * np.minimum(1, limit / np.linalg.norm(g, axis=-1, keepdims=True))
        before = w.data.copy()
        adam.step()
        u = np.sqrt(np.mean(((w.data - before) / 0.008) ** 2, axis=-1))
        return np.sum(w.grad**2, axis=-1), np.median(u), np.median(digits.value(w.data))

    adam = Adam([calm], lr=0.008)
    for batch in batches[:640]:
        usual = step(calm, adam, batch, False, np.inf)
    assert usual[1] < 0.2
    assert usual[2] < 0.05
    saved = adam.state[calm]
    ratio, longest, highest = {}, {}, {}
    for name, beta2, limit in (
        ("as before", 0.999, np.inf),
        ("short", 0.95, np.inf),
        ("clipped", 0.999, 0.5),
    ):
        w = Parameter(calm.data.copy())
        again = Adam([w], lr=0.008, betas=(0.9, beta2))
        same = (1 - beta2**640) / (1 - 0.999**640)
        again.state[w] = {
            "step": 640,
            "exp_avg": saved["exp_avg"].copy(),
            "exp_avg_sq": saved["exp_avg_sq"] * same,
        }
        u, losses = [], []
        for k in range(30):
            squares, size, loss = step(w, again, batches[640 + k], 1 <= k <= 5, limit)
            if k == 1:
                v = np.sum(again.state[w]["exp_avg_sq"], axis=-1) / (1 - beta2**642)
                ratio[name] = np.median(squares / v)
            u.append(size)
            losses.append(loss)
        longest[name], highest[name] = max(u), max(losses)
    assert ratio["as before"] > 30
    assert 1.5 < longest["as before"] < 2.5, "above 1: a burst"
    assert max(longest["short"], longest["clipped"]) < 0.8
    assert highest["as before"] > 4 * max(highest["short"], highest["clipped"])


def test_noise_walks_by_the_rate_times_the_root_of_the_steps() -> None:
    g = np.random.default_rng(0).standard_normal((1000, 400))
    u = updates(g)
    assert np.sqrt(np.mean(u.sum(axis=0) ** 2)) == pytest.approx(np.sqrt(1000), rel=0.1)
    assert np.sqrt(np.mean(u[200:] ** 2)) == pytest.approx(0.23, abs=0.01)


def test_a_gradient_that_shrinks_makes_short_steps() -> None:
    u = updates(0.99 ** np.maximum(np.arange(3000) - 2700, 0))[2940:]
    assert np.sqrt(np.mean(u**2)) == pytest.approx(0.1, abs=0.03)
