"""What the chapter on matrices claims."""

import numpy as np
import pytest

from optim_scratch import Parameter, ladder
from optim_scratch.optimizers import SOAP, Adafactor, Adam, AdamW, Muon, Shampoo, SignSGD
from optim_scratch.optimizers.muon import COEFFICIENTS, orthogonalized, scale
from optim_scratch.problems import Digits


def singular(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


def repeated(s, coefficients, steps):
    a, b, c = coefficients
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return s


def test_no_step_within_the_spectral_norm_falls_further() -> None:
    rng = np.random.default_rng(0)
    g = rng.standard_normal((4, 6))
    u, s, v = np.linalg.svd(g, full_matrices=False)
    assert np.sum(g * (u @ v)) == pytest.approx(s.sum())
    for other in rng.standard_normal((500, 4, 6)):
        assert np.sum(g * other) / singular(other)[0] < s.sum()


def test_an_odd_polynomial_acts_on_singular_values_alone() -> None:
    x = np.random.default_rng(0).standard_normal((5, 7))
    x /= np.linalg.norm(x)
    u, s, v = np.linalg.svd(x, full_matrices=False)
    expected = u @ np.diag(repeated(s, COEFFICIENTS, 5)) @ v
    np.testing.assert_allclose(orthogonalized(x), expected, atol=1e-10)


def test_where_the_iterations_lead() -> None:
    s = np.geomspace(1e-5, 1, 300_001)
    for coefficients, first in ((COEFFICIENTS, 1 / 650), ((1.5, -0.5, 0), 0.1)):
        end = repeated(s, coefficients, 5)
        found = np.argmax(end >= 0.68)
        assert s[found] == pytest.approx(first, rel=0.06)
        assert end[found:].min() >= 0.68
    assert repeated(s, COEFFICIENTS, 5).max() == pytest.approx(1.2, abs=0.01)
    assert COEFFICIENTS[0] ** 5 == pytest.approx(485, abs=1)
    assert repeated(1.5, COEFFICIENTS, 2) > 1000
    classical = [repeated(0.003, (1.5, -0.5, 0), steps) for steps in (12, 15)]
    assert classical[0] < 0.68 < classical[1]


def test_momentums_and_adams_directions_differ_hundredfold_and_muons_do_not() -> None:
    """With another seed than the page's."""
    digits = Digits(seed=3)
    w, m = Parameter(digits.start), 0
    adam = Adam([w], lr=0.016)
    for batch in digits.batches(5):
        w.grad, before = digits.gradient(w.data, batch), w.data.copy()
        m = 0.95 * m + 0.05 * w.grad[:2048].reshape(64, 32)
        adam.step()
    for matrix in (m, (w.data - before)[:2048].reshape(64, 32)):
        s = singular(matrix)
        assert s[0] > 80 * s[-1]
    s = singular(orthogonalized(m))
    assert s[0] < 3 * s[-1]


@pytest.mark.parametrize("method", [Shampoo, SOAP, Muon])
def test_three_ways_to_one_first_step(method) -> None:
    g = np.random.default_rng(4).standard_normal((6, 6))
    u, _, v = np.linalg.svd(g)
    w = Parameter(np.zeros((6, 6)))
    optimizer = method([w], lr=1.0, **({} if method is Shampoo else {"weight_decay": 0}))
    for _ in range(2 if method is SOAP else 1):
        w.grad = g
        optimizer.step()
    step = -w.data
    cosine = np.sum(step * (u @ v)) / np.linalg.norm(step) / 6**0.5
    assert cosine > (0.97 if method is Muon else 0.999)


def left_over(method, angle, rate, **hyper):
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    q = np.array([[c, -s], [s, c]])
    a, left = q @ np.diag([1.0, 10.0]) @ q.T, []
    for start in np.random.default_rng(7).standard_normal((8, 2, 2)):
        w, losses = Parameter(q @ start @ q.T), []
        optimizer = method([w], lr=rate, **hyper)
        for t in range(61):
            w.grad = a @ w.data @ a
            losses.append(np.sum(w.data * w.grad))
            optimizer.param_groups[0]["lr"] = rate * (1 - t / 60)
            optimizer.step()
        left.append(losses[-1] / losses[0])
    return np.median(left)


def test_a_turn_costs_signs_and_not_matrices() -> None:
    rates = np.geomspace(0.02, 0.5, 8)
    best = {angle: min(left_over(SignSGD, angle, rate) for rate in rates) for angle in (0, 45)}
    assert best[45] > 50 * best[0]
    for method, hyper in (
        (Muon, {"weight_decay": 0, "momentum": 0}), (SOAP, {"weight_decay": 0}), (Shampoo, {}),
    ):  # fmt: skip
        along, turned = (left_over(method, angle, 0.1, **hyper) for angle in (0, 30))
        # the wiggles of Muon's polynomial magnify rounding errors
        assert turned == pytest.approx(along, rel=0.3 if method is Muon else 1e-3)


def test_adafactors_estimate_is_exact_where_squares_factor() -> None:
    squares = np.outer([1.0, 4.0, 9.0], [1.0, 100.0])
    guess = squares.mean(1, keepdims=True) * squares.mean(0, keepdims=True) / squares.mean()
    np.testing.assert_allclose(guess, squares)


@pytest.mark.parametrize("shape", [(8, 20), (20, 8)])
def test_what_each_keeps(shape) -> None:
    m, n = shape
    sides = m * m + n * n
    kept = {
        Adam: 2 * m * n, Adafactor: m + n, Muon: m * n, Shampoo: 2 * sides,
        SOAP: 2 * m * n + 2 * sides,
    }  # fmt: skip
    for method, count in kept.items():
        w = Parameter(np.zeros(shape))
        w.grad = np.ones(shape)
        optimizer = method([w], lr=0.1)
        optimizer.step()
        assert sum(np.size(x) for x in optimizer.state[w].values() if np.ndim(x)) == count


@pytest.mark.parametrize("shape", [(64, 32), (32, 64), (50, 50)])
def test_the_matched_step_has_a_fifth_of_the_rate_in_each_entry(shape) -> None:
    u, _, v = np.linalg.svd(np.random.default_rng(0).standard_normal(shape), full_matrices=False)
    step = scale(shape, "match_rms_adamw") * u @ v
    assert np.sqrt(np.mean(step**2)) == pytest.approx(0.2)


def final_loss(use_muon, rate, falling, seed, epochs=10):
    digits = Digits(seed=seed)
    split, join = digits.weights.split, digits.weights.join
    w = [Parameter(piece) for piece in split(digits.start)]
    optimizers = [AdamW(w[1::2] if use_muon else w, lr=rate)]
    if use_muon:
        optimizers.append(Muon(w[::2], lr=rate, adjust_lr_fn="match_rms_adamw"))
    for t, batch in enumerate(digits.batches(epochs)):
        gradient = digits.gradient(join([p.data for p in w], ()), batch)
        for p, piece in zip(w, split(gradient), strict=True):
            p.grad = piece
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate * (1 - falling * t / (32 * epochs))
            optimizer.step()
    return digits.loss(join([p.data for p in w], ()), "test")


def test_muon_leads_at_a_constant_rate_and_by_less_at_a_falling_one() -> None:
    """At the page's rates, with other seeds."""
    leads = [
        np.mean([final_loss(0, rate, falling, i) - final_loss(1, muons, falling, i)
                 for i in range(30, 38)])
        for rate, muons, falling in ((0.016, 0.016, 0), (0.064, 0.032, 1))
    ]  # fmt: skip
    assert leads[0] > leads[1] > 0


def test_noise_shows_more_in_the_orthogonalised_gradient() -> None:
    digits, draw = Digits(seed=1), np.random.default_rng(1)
    w = Parameter(digits.start)
    adam = Adam([w], lr=0.004)
    for batch in digits.batches(3):
        w.grad = digits.gradient(w.data, batch)
        adam.step()

    def gradient(pictures):
        return digits.gradient(w.data, pictures)[:2048].reshape(64, 32)

    def cosine(a, b):
        return np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b)

    whole = gradient(np.arange(1024))
    for size in (32, 256):
        some = [gradient(draw.permutation(1024)[:size]) for _ in range(20)]
        level = [cosine(orthogonalized(g), orthogonalized(whole)) for g in some]
        assert np.mean(level) < np.mean([cosine(g, whole) for g in some])


def test_the_ladders_leads() -> None:
    adam, sgd = ladder.row("Adam"), ladder.row("SGD momentum 0.9")
    for name, over in (("SOAP", 0.0065), ("Muon", 0.005)):
        lead, half = ladder.row(name).lead(adam)
        assert lead == pytest.approx(over, abs=0.001)
        assert lead > half
    assert ladder.row("SOAP").lead(sgd)[0] > ladder.row("SOAP").lead(sgd)[1]
    for name in ("Muon", "Shampoo", "Adafactor"):
        lead, half = ladder.row(name).lead(sgd)
        assert abs(lead) < half
    for name in ("Shampoo", "Adafactor"):
        lead, half = ladder.row(name).lead(adam)
        assert abs(lead) < half
    assert ladder.row("Shampoo").time > 10
