"""What the chapter on why one warms up claims."""

import copy

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, descend, schedulers
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import Digits, SpiralMLP


def two_weights(rates, seed=1, runs=100, quiet_from=1000):
    """Train two weights in a row, on noisy targets; return a and b before and after each update."""
    rng, points = np.random.default_rng(seed), []
    a, b = np.full(runs, 3.0), np.full(runs, 1 / 3)
    with np.errstate(all="ignore"):
        for t, eta in enumerate(rates):
            points.append((a, b))
            sigma = 0.05 if t < quiet_from else 0
            g = a * b - (1 + sigma * rng.standard_normal(runs))
            a, b = a - eta * g * b, b - eta * g * a
    return np.array([*points, (a, b)])


def lost(points):
    """Return the share of runs that diverge."""
    return np.mean(~(np.abs(points[-1]).max(axis=0) < 1e3))


def test_the_sharpness_where_two_weights_are_right_is_the_sum_of_their_squares():
    for a in (1.0, 3.0):
        b = 1 / a
        H = np.array([[b * b, 2 * a * b - 1], [2 * a * b - 1, a * a]])
        assert np.linalg.eigvalsh(H)[-1] == pytest.approx(a * a + b * b)


def test_an_update_multiplies_the_inequality_by_one_less_the_square_of_rate_and_error():
    rng = np.random.default_rng(0)
    a, b, eta = rng.standard_normal((3, 50))
    r = a * b - 1
    new_a, new_b = a - eta * r * b, b - eta * r * a
    assert new_a**2 - new_b**2 == pytest.approx((a**2 - b**2) * (1 - eta**2 * r**2))


def test_a_rising_rate_leads_to_a_flatter_place_and_waiting_does_not():
    t = np.arange(1, 401)
    assert lost(two_weights(np.full(400, 0.6))) == 1
    assert lost(two_weights(np.where(t <= 200, 0.06, 0.6))) == 1
    rates = 0.6 * np.minimum(1, t / 200)
    points = two_weights(rates)
    assert lost(points) == 0
    sharpness = np.median(np.sum(points**2, axis=1), axis=1)
    assert sharpness[49] > 9
    for k in (119, 159, 199):  # once it has met the limit it stays a little below
        assert 0.8 * 2 / rates[k] < sharpness[k] < 2 / rates[k]


def test_after_the_rise_it_is_the_noise_that_flattens_further():
    rates = 0.6 * np.minimum(1, np.arange(1, 401) / 200)
    noisy, quiet = two_weights(rates), two_weights(rates, quiet_from=200)
    sharpness = [np.median(np.sum(p**2, axis=1), axis=1) for p in (noisy, quiet)]
    assert sharpness[0][200] > sharpness[0][400] + 0.5
    assert sharpness[1][400] == pytest.approx(sharpness[1][200], rel=0.05)


@pytest.mark.parametrize(
    ("size", "swaps", "less"), [(0.9, False, False), (1.2, True, False), (1.5, True, True)]
)
def test_a_bounce_beyond_1_swaps_the_weights_and_beyond_root_2_makes_them_less_equal(
    size, swaps, less
):
    a, b = 3.0, 0.5
    r = a * b - 1
    eta = size / r
    new_a, new_b = a - eta * r * b, b - eta * r * a
    assert (abs(new_a) < abs(new_b)) == swaps
    assert (abs(new_a**2 - new_b**2) > a**2 - b**2) == less


def test_on_the_digits_waiting_flattens_too_but_not_enough():
    digits = Digits(batch_size=None, seed=range(8, 12))

    def run(factor):
        how = {"lr": 2.4, "start": 3 * digits.start, "every": 10}
        return descend(digits, SGD, 200, **how, scheduler=lambda o: schedulers.LambdaLR(o, factor))

    def sharpness(run, update):
        return np.median([Digits().sharpness(w[0]) for w in run.points[update // 10][:3]])

    warm = run(lambda t: min(1.0, (t + 1) / 100))
    assert np.median(warm.final_loss) < 0.1
    assert sharpness(warm, 50) > 2 / (2.4 * 0.51)  # above the limit while it rises
    assert sharpness(warm, 200) < 2 / 2.4
    wait = run(lambda t: 0.1 if t < 100 else 1.0)
    assert 2 / 2.4 < sharpness(wait, 100) < 0.4 * sharpness(wait, 0)
    for other in (run(lambda t: 1.0), wait):
        assert np.median(other.losses.max(axis=0) / other.losses[0]) > 3
        assert np.median(other.final_loss) > 0.1


def first_weights(width, seeds=20):
    return np.stack([SpiralMLP(61, width, seed=seed).start for seed in range(seeds)])


def adam(gradient, theta, rates, memory=(0.0, 0.0, 0, 0), squares=True):
    """Yield weights, update and memory: m, v, and how many gradients each has seen."""
    m, v, of_m, of_v = memory
    for eta in rates:
        g, of_m, of_v = gradient(theta), of_m + 1, of_v + 1
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        u = m / (1 - 0.9**of_m) / (np.sqrt(v / (1 - 0.999**of_v)) + 1e-8) if squares else m
        yield theta, u, (m, v, of_m, of_v)
        theta = theta - eta * u


def test_the_chapters_adam_is_the_packages_and_torchs():
    gradients = np.random.default_rng(0).standard_normal((30, 8))
    stream = iter(gradients)
    steps = [theta for theta, *_ in adam(lambda _: next(stream), np.ones(8), [0.01] * 30)]
    w, x = Parameter(np.ones(8)), torch.nn.Parameter(torch.ones(8).double())
    mine, theirs = Adam([w], lr=0.01), torch.optim.Adam([x], lr=0.01)
    for g in gradients[:-1]:
        w.grad, x.grad = g.copy(), torch.tensor(g)
        mine.step()
        theirs.step()
    assert np.abs(steps[-1] - w.data).max() < 1e-12
    assert np.abs(steps[-1] - x.detach().numpy()).max() < 1e-12


def test_adams_first_step_is_the_rate_for_every_weight():
    w = Parameter(np.zeros(3))
    w.grad = np.array([1e3, -1.0, 1e-4])
    Adam([w], lr=0.2).step()
    assert w.data == pytest.approx([-0.2, 0.2, -0.2], rel=1e-3)


def highest(data, whole, theta, memory, peak, unit, squares=True):
    """Return the median over runs of the highest loss in 20 updates, in the unit."""
    steps = adam(data, theta, np.full(21, peak), memory, squares)
    losses = np.array([whole(point) for point, *_ in steps]).reshape(21, -1)
    return np.median(losses.max(axis=0) / unit.ravel())


SPIRALS = (SpiralMLP(61, 32, batch_size=16, seed=7).gradient, SpiralMLP(61, 32).value)
NONE = (0.0, 0.0, 0, 0)


def networks():
    """Return batches' gradients, the loss, first weights and a high rate, for two networks."""
    many = Digits(seed=range(30, 50))
    return [
        (*SPIRALS, first_weights(32), 0.2),
        (many.gradient, many.value, many.start, 0.2),
    ]


def swap(data, whole, fresh, peak, length=20, squares=True):
    """Return the highest losses: fresh, warmed, only the memory fresh, only the weights fresh."""
    steps = [*adam(data, fresh, peak * np.arange(1, length + 2) / length, squares=squares)]
    moved, memory = steps[length][0], steps[length - 1][2]
    mixes = [(fresh, NONE), (moved, memory), (moved, NONE), (fresh, memory)]
    return [highest(data, whole, *mix, peak, whole(fresh), squares) for mix in mixes]


@pytest.mark.parametrize("network", [0, 1])
def test_with_adam_the_memory_makes_the_full_rate_bearable_and_not_the_place(network):
    fresh, warmed, fresh_memory, fresh_weights = swap(*networks()[network])
    assert fresh > 1.8
    assert warmed < 1.3
    assert fresh_memory == pytest.approx(fresh, rel=0.4)  # in the same unit: about the same height
    assert fresh_weights < 0.5 * fresh + 0.1


def test_with_momentum_at_a_sharp_start_it_is_the_place():
    many = Digits(seed=range(30, 50))
    case = many.gradient, many.value, 3 * many.start, 8.0
    fresh, warmed, fresh_memory, fresh_weights = swap(*case, length=100, squares=False)
    assert min(fresh, fresh_weights) > 1.8
    assert max(warmed, fresh_memory) < 0.8


@pytest.mark.parametrize("network", [0, 1])
def test_known_squares_make_it_worse_and_an_uncorrected_mean_makes_it_good(network):
    data, whole, fresh, peak = networks()[network]
    looks = [memory for *_, memory in adam(data, fresh, np.zeros(300))]
    memories = NONE, (0.0, looks[-1][1], 0, 300), (0.0, 0.0, np.inf, 0), looks[19]
    losses = [highest(data, whole, fresh, memory, peak, whole(fresh)) for memory in memories]
    jump, known, uncorrected, waited = losses
    assert known > 3 * jump
    assert uncorrected < 1.6
    assert (waited < 1.5) == (network == 1)  # to wait at the rate 0 helps on the digits alone


def test_on_the_digits_the_first_steps_raise_the_loss_for_several_updates():
    many = Digits(seed=range(30, 50))
    steps = adam(many.gradient, many.start, np.full(8, 0.2))
    losses = np.array([np.median(many.value(w)) for w, *_ in steps])
    assert (np.diff(losses[:4]) > 0).all()
    assert losses[-1] < losses.max()


def test_the_swap_in_torch_gives_the_chapters_answer():
    """Run the recipe of the chapter: fresh weights with a warmed memory are calm."""
    digits, peak = Digits(seed=50), 0.2
    model = torch.nn.Module()
    model.w = torch.nn.Parameter(torch.tensor(digits.start))
    optimizer, highest = torch.optim.Adam(model.parameters(), lr=peak), {}

    def train(n, rate, name=""):
        losses = []
        for k in range(n):
            for group in optimizer.param_groups:
                group["lr"] = rate(k)
            model.w.grad = torch.tensor(digits.gradient(model.w.detach().numpy()))
            optimizer.step()
            losses.append(digits.value(model.w.detach().numpy()))
        highest[name] = max(losses)

    fresh = copy.deepcopy(model.state_dict())
    train(20, lambda k: peak * (k + 1) / 20)
    warm = copy.deepcopy(model.state_dict())
    model.load_state_dict(fresh)
    train(20, lambda k: peak, "fresh weights, warmed memory")
    model.load_state_dict(warm)
    optimizer.state.clear()
    train(20, lambda k: peak, "warmed weights, fresh memory")
    assert highest["fresh weights, warmed memory"] < 1.05 * digits.value(digits.start)
    assert highest["warmed weights, fresh memory"] > 1.4 * digits.value(digits.start)


def test_momentum_as_a_mean_bears_38_over_the_rate():
    """The limit of m ← 0.9 m + 0.1 h θ, θ ← θ − η m, from the eigenvalues of its matrix."""
    for h, stable in ((37.9, True), (38.1, False)):
        step = np.array([[1 - 0.1 * h, -0.9], [0.1 * h, 0.9]])  # of (θ, m), η = 1
        assert (np.abs(np.linalg.eigvals(step)).max() < 1) == stable


@pytest.mark.parametrize("gradient", [SPIRALS[0], SpiralMLP(61, 32).gradient])
def test_updates_get_shorter_with_batches_and_without(gradient):
    rates = 0.2 * np.minimum(1, np.arange(1, 41) / 20)
    sizes = [
        np.median(np.sqrt(np.mean(u * u, axis=-1)))
        for _, u, _ in adam(gradient, first_weights(32), rates)
    ]
    assert sizes[0] == pytest.approx(1, abs=0.01)
    assert sizes[4] < 0.5
    assert sizes[19] < 0.2


def longest_steps(width):
    net, starts = SpiralMLP(61, width), first_weights(width)
    g = net.gradient(starts)
    u, lengths, found = np.sign(g), np.geomspace(3e-3, 3, 200), []
    slope = net.gradient(starts + 1e-4 * u) - net.gradient(starts - 1e-4 * u)
    predicted = 2 * np.abs(g).sum(axis=-1) / np.sum(u * slope / 2e-4, axis=-1)
    for start, sign in zip(starts, u, strict=True):
        rises = net.value(start - lengths[:, None] * sign) > net.value(start)
        found.append(lengths[rises.argmax()])
    return np.median(predicted), np.median(found)


def test_the_longest_first_step_is_predicted_and_falls_with_the_width():
    (narrow, _), (predicted, found) = longest_steps(16), longest_steps(32)
    assert found == pytest.approx(predicted, rel=0.1)
    assert 1.7 < narrow / predicted < 3


def accuracy(method, peak, warmup, seeds=range(40, 52), updates=160):
    """Return the mean validation accuracy in the end, in points."""
    data = Digits(seed=seeds)
    run = descend(
        data, method, updates, lr=peak, every=updates,
        scheduler=lambda o: schedulers.WarmupLinearSchedule(o, warmup, updates),
    )  # fmt: skip
    return 100 * data.accuracy(run.end, "validation").mean()


def test_adam_needs_a_short_warmup_and_sgd_a_long_one():
    assert accuracy(Adam, 0.2, 8) > accuracy(Adam, 0.2, 0) + 1.5
    assert accuracy(Adam, 0.2, 8) > accuracy(Adam, 0.2, 80)
    none, short, long = (accuracy(SGD, 1.6, warmup) for warmup in (0, 8, 80))
    assert long > short + 1.5 > none


def test_a_fall_as_short_costs_adam_nearly_as_much_as_the_long_warmup():
    short, long, cut = (accuracy(Adam, 0.2, *how) for how in ((8,), (80,), (8, range(40, 52), 88)))
    assert short - cut > 0.5 * (short - long) > 0.3


@pytest.mark.parametrize(("method", "peak"), [(Adam, 0.02), (SGD, 0.8)])
def test_at_a_low_rate_a_warmup_makes_no_difference(method, peak):
    assert abs(accuracy(method, peak, 8) - accuracy(method, peak, 0)) < 0.5


def test_warmup_can_do_harm():
    def diverge(warmup):
        run = descend(
            SpiralMLP(61, 16), SGD, 300, start=first_weights(16), lr=0.8, every=50,
            scheduler=lambda o: schedulers.LambdaLR(o, lambda t: min(1, (t + 1) / warmup)),
        )  # fmt: skip
        return np.sum(run.diverged_at >= 0)

    assert diverge(50) > diverge(1) + 10
