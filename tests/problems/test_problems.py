import numpy as np
import pytest

from optim_scratch import descend
from optim_scratch.optimizers import SGD
from optim_scratch.problems import NoisyQuadratic, SpiralMLP, spirals

CURVATURES, NOISE = [0.1, 1.0, 10.0], [1.0, 2.0, 0.5]
BOWL, NETWORK = NoisyQuadratic([1.0], 1.0), SpiralMLP(5, 2)


def test_quadratic_gradient_without_noise_is_the_slope_of_the_value(rng):
    problem, width = NoisyQuadratic(CURVATURES, 0.0), 1e-6
    points = rng.normal(size=(5, 3))
    slopes = [
        (problem.value(points + shift) - problem.value(points - shift)) / (2 * width)
        for shift in width * np.eye(3)
    ]
    np.testing.assert_allclose(problem.gradient(points), np.stack(slopes, -1), atol=1e-8)


def test_quadratic_noise_has_the_chosen_spread():
    problem = NoisyQuadratic(CURVATURES, NOISE)
    draws = problem.gradient(np.zeros((200_000, 3)))
    assert draws.std(axis=0) == pytest.approx(NOISE, rel=0.01)


@pytest.mark.parametrize(("lr", "momentum"), [(0.02, 0.0), (0.15, 0.0), (0.02, 0.9), (0.28, 0.5)])
def test_closed_form_is_what_the_recursion_settles_at(lr, momentum):
    problem = NoisyQuadratic(CURVATURES, NOISE)
    settled = problem.expected_losses(np.full(20_000, lr), momentum)[-1]
    assert settled == pytest.approx(problem.stationary_loss(lr, momentum), rel=1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_recursion_is_the_mean_of_many_runs(momentum):
    problem = NoisyQuadratic(CURVATURES, NOISE, start=[3.0, -1.0, 1.0], seed=1)
    many = descend(
        problem, SGD, 60, start=np.tile(problem.start, (40_000, 1)), lr=0.05, momentum=momentum
    )
    means = many.losses.mean(axis=1)
    spread = many.losses.std(axis=1) / np.sqrt(40_000)
    expected = problem.expected_losses(np.full(60, 0.05), momentum)
    assert (np.abs(means - expected) <= 4.5 * spread + 1e-12).all()


def test_recursion_follows_a_schedule():
    problem = NoisyQuadratic(CURVATURES, NOISE)
    rates = np.r_[np.full(2000, 0.1), np.full(2000, 0.02)]
    losses = problem.expected_losses(rates)
    assert losses[2000] == pytest.approx(problem.stationary_loss(0.1), rel=1e-9)
    assert losses[4000] == pytest.approx(problem.stationary_loss(0.02), rel=1e-2)


@pytest.mark.parametrize(("lr", "momentum"), [(0.2, 0.0), (0.3, 0.0), (0.39, 0.9), (0.3, 0.5)])
def test_stationary_loss_is_infinite_exactly_beyond_the_limit(lr, momentum):
    stable = lr * max(CURVATURES) < 2 * (1 + momentum)
    assert np.isfinite(NoisyQuadratic(CURVATURES, NOISE).stationary_loss(lr, momentum)) == stable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([-1.0], 1.0), "curvatures must be"),
        (([0.0], 1.0), "curvatures must be"),
        (([[1.0]], 1.0), "curvatures must be"),
        (([np.nan], 1.0), "curvatures must be"),
        (([np.inf], 1.0), "curvatures must be finite and > 0, got"),
        (([], 1.0), r"curvatures must hold at least one number, got \[\]"),
        (([1.0], -1.0), "noise must be finite and >= 0"),
        (([1.0], np.inf), "noise must be finite and >= 0, got inf"),
        (([1.0], [1.0, 2.0]), r"noise must be one number or of shape \(1,\)"),
    ],
    ids=str,
)
def test_quadratic_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        NoisyQuadratic(*arguments)


def test_quadratic_refuses_a_start():
    with pytest.raises(ValueError, match="start must be one number or of shape"):
        NoisyQuadratic([1.0], 1.0, start=[1.0, 2.0])


@pytest.mark.parametrize("width", [1, 5])
def test_spiral_gradient_equals_central_differences(width, rng):
    problem, step = SpiralMLP(points=11, width=width), 1e-5
    theta = rng.normal(size=problem.start.size)
    shifts = step * np.eye(theta.size)
    slopes = (problem.value(theta + shifts) - problem.value(theta - shifts)) / (2 * step)
    np.testing.assert_allclose(problem.gradient(theta), slopes, atol=1e-9)


def test_spiral_gradient_equals_torchs(rng):
    torch = pytest.importorskip("torch")
    problem = SpiralMLP()
    theta = rng.normal(size=problem.start.size)
    leaf = torch.tensor(theta, requires_grad=True)
    pieces = torch.split(leaf, [int(np.prod(shape)) for shape in problem.shapes])
    w1, b1, w2, b2, w3, b3 = (p.reshape(s) for p, s in zip(pieces, problem.shapes, strict=True))
    hidden = torch.tanh(torch.tanh(torch.tensor(problem.inputs) @ w1 + b1) @ w2 + b2)
    errors = (hidden @ w3 + b3)[:, 0] - torch.tensor(problem.targets)
    loss = 0.5 * (errors**2).mean()
    loss.backward()
    assert problem.value(theta) == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(problem.gradient(theta), leaf.grad.numpy(), rtol=1e-9, atol=1e-13)


def test_spiral_broadcasts(rng):
    problem = SpiralMLP(points=10, width=3)
    thetas = rng.normal(size=(2, 4, problem.start.size))
    values, gradients = problem.value(thetas), problem.gradient(thetas)
    assert values.shape == (2, 4)
    for index in np.ndindex(2, 4):
        assert values[index] == pytest.approx(problem.value(thetas[index]))
        np.testing.assert_allclose(gradients[index], problem.gradient(thetas[index]), atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_a_batchs_gradient_is_unbiased_and_its_variance_falls_with_its_size(batch_size):
    full = SpiralMLP(points=20, width=3)
    batched = SpiralMLP(points=20, width=3, batch_size=batch_size, seed=5)
    draws = batched.gradient(np.tile(full.start, (60_000, 1)))
    single = SpiralMLP(points=20, width=3, batch_size=1).gradient(np.tile(full.start, (60_000, 1)))
    exact = full.gradient(full.start)
    assert np.abs(draws.mean(axis=0) - exact).max() < 0.02
    assert draws.var(axis=0).sum() == pytest.approx(single.var(axis=0).sum() / batch_size, rel=0.05)


def test_hessian_is_symmetric_and_sharpness_its_top_eigenvalue(rng):
    problem = SpiralMLP(points=12, width=3)
    theta = rng.normal(size=problem.start.size)
    hessian = problem.hessian(theta)
    assert np.array_equal(hessian, hessian.T)
    top = np.linalg.eigh(hessian)[1][:, -1]
    step = 1e-3
    along = problem.value(theta + step * np.array([[-1], [0], [1]]) * top)
    assert (along[0] - 2 * along[1] + along[2]) / step**2 == pytest.approx(
        problem.sharpness(theta), rel=1e-4
    )


@pytest.mark.parametrize("lr", [0.1, 0.2, 0.4, 0.8])
def test_sharpness_settles_at_two_over_the_rate(lr):
    problem = SpiralMLP(points=59)
    path = descend(problem, SGD, 4000, lr=lr, every=200)
    late = [problem.sharpness(theta) for theta in path.points[-5:]]
    assert problem.sharpness(path.points[0]) < 0.9 * 2 / lr
    assert np.mean(late) == pytest.approx(2 / lr, rel=0.03)
    assert path.final_loss < 0.01 * path.losses[0]


def test_spirals_are_each_others_mirror_images():
    inputs, targets = spirals(40, 0.75)
    assert np.array_equal(inputs[:20], -inputs[20:])
    assert np.array_equal(targets[:20], -targets[20:])
    assert len(spirals(7, 1.0)[0]) == len(spirals(7, 1.0)[1]) == 7


def test_spiral_start_is_fixed_by_its_seed():
    a, b, c = (SpiralMLP(seed=seed).start for seed in (0, 0, 1))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"points": 1}, ValueError, "points must be >= 2"),
        ({"points": 9.5}, TypeError, "points must be an integer"),
        ({"width": 0}, ValueError, "width must be >= 1"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"turns": 0.0}, ValueError, "turns must be finite and > 0"),
        ({"turns": np.nan}, ValueError, "turns must be finite and > 0"),
    ],
    ids=str,
)
def test_spiral_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        SpiralMLP(**arguments)


@pytest.mark.parametrize("method", ["stationary_loss", "expected_losses"])
@pytest.mark.parametrize(
    ("rate", "momentum", "message"),
    [
        (-0.1, 0.0, "(lr|rates) must be finite and >= 0"),
        (np.nan, 0.0, "(lr|rates) must be finite and >= 0"),
        (0.1, -0.5, r"momentum must be finite and in \[0, 1"),
        (0.1, 1.5, r"momentum must be finite and in \[0, 1"),
    ],
)
def test_closed_forms_refuse(method, rate, momentum, message):
    rates = [rate] if method == "expected_losses" else rate
    with pytest.raises(ValueError, match=message):
        getattr(NoisyQuadratic([1.0], 1.0), method)(rates, momentum)


def test_expected_losses_of_a_diverging_schedule_are_a_result_not_a_warning():
    losses = NoisyQuadratic([1.0, 10.0], 0.1).expected_losses(np.full(2000, 1.0))
    assert losses[5] > 100 * losses[0]
    assert not np.isfinite(losses[-1])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: NoisyQuadratic("a", 1.0), TypeError, "curvatures must be a real number"),
        (lambda: NoisyQuadratic([[1.0], []], 1.0), TypeError, "curvatures must be a real number"),
        (lambda: NoisyQuadratic(1.0, 1.0), ValueError, "curvatures must be a list of numbers, got"),
        (lambda: NoisyQuadratic([1.0], None), TypeError, "noise must be a real number, got None"),
        (
            lambda: NoisyQuadratic([1.0], 1.0, start=np.inf),
            ValueError,
            "start must be finite, got inf",
        ),
        (lambda: NoisyQuadratic([1.0], 1.0, seed=-1), ValueError, "seed must be >= 0, got -1"),
        (lambda: BOWL.stationary_loss(np.ones(2)), TypeError, "lr must be a real number, got arr"),
        (lambda: BOWL.stationary_loss(0.1, "0"), TypeError, "momentum must be a real number, got"),
        (lambda: BOWL.expected_losses(0.1), ValueError, "rates must be a list of numbers, got 0.1"),
        (lambda: BOWL.expected_losses([[0.1]]), ValueError, "rates must be a list of numbers, got"),
        (lambda: SpiralMLP(seed=1.0), TypeError, "seed must be an integer, got 1.0"),
        (lambda: SpiralMLP(turns="1"), TypeError, "turns must be a real number, got '1'"),
        (lambda: spirals(1, 1.0), ValueError, "points must be >= 2, got 1"),
        (lambda: spirals(4, 0.0), ValueError, "turns must be finite and > 0, got 0.0"),
        (lambda: NETWORK.hessian(NETWORK.start, 0.0), ValueError, "width must be finite and > 0"),
    ],
)
def test_refuses_what_is_of_another_kind(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_tensors_are_arrays():
    torch = pytest.importorskip("torch")
    given = torch.tensor(CURVATURES, dtype=torch.float64, requires_grad=True)
    problem = NoisyQuadratic(given, given)
    assert problem.curvatures.tolist() == problem.noise.tolist() == CURVATURES


@pytest.mark.parametrize(("lr", "h"), [(0.1, 1.0), (0.01, 5.0), (1.0, 1.0)])
def test_with_momentum_one_the_expected_loss_grows_evenly(lr, h) -> None:
    """A buffer that never forgets takes up η σ² / (4 − η h) of loss in each step."""
    losses = NoisyQuadratic([h], noise=2.0).expected_losses(np.full(20_000, lr), momentum=1.0)
    slope = np.polyfit(np.arange(len(losses)), losses, 1)[0]
    assert slope == pytest.approx(lr * 4 / (4 - lr * h), rel=1e-3)
