import numpy as np
import pytest

from optim_scratch import surfaces

SURFACES = [
    surfaces.ravine(),
    surfaces.ravine(1.0),
    surfaces.ravine(300.0, angle=45.0),
    surfaces.ravine(20.0, angle=-30.0),
    surfaces.rosenbrock(),
    surfaces.beale(),
    surfaces.himmelblau(),
    surfaces.rastrigin(),
    surfaces.saddle(),
]
every = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def points_in(surface, rng, count=200):
    low, high = np.transpose(surface.bounds)
    return rng.uniform(low, high, size=(count, 2))


@every
def test_gradient_equals_central_differences(surface, rng):
    points, width = points_in(surface, rng), 1e-5
    slopes = [
        (surface(points + shift) - surface(points - shift)) / (2 * width)
        for shift in width * np.eye(2)
    ]
    exact = surface.gradient(points)
    assert np.abs(np.stack(slopes, axis=-1) - exact).max() <= 1e-8 * np.abs(exact).max()


@every
def test_minima_are_minima(surface, rng):
    for minimum in np.array(surface.minima):
        assert np.abs(surface.gradient(minimum)).max() < 1e-12 * max(
            1, np.abs(surface.gradient(np.array(surface.start))).max()
        )
        around = minimum + 1e-3 * rng.normal(size=(200, 2))
        assert (surface(around) > surface(minimum)).all()
        assert (minimum >= np.transpose(surface.bounds)[0]).all()
        assert (minimum <= np.transpose(surface.bounds)[1]).all()


@every
def test_nothing_in_the_picture_lies_below_the_minima(surface, rng):
    lowest = min(surface(np.array(minimum)) for minimum in surface.minima)
    assert (surface(points_in(surface, rng, 20_000)) >= lowest).all()


@every
def test_broadcasts(surface, rng):
    points = points_in(surface, rng, 24).reshape(2, 3, 4, 2)
    values, gradients = surface(points), surface.gradient(points)
    assert values.shape == (2, 3, 4)
    assert gradients.shape == points.shape
    for index in np.ndindex(2, 3, 4):
        assert values[index] == pytest.approx(surface(points[index]), rel=1e-13)
        assert gradients[index] == pytest.approx(surface.gradient(points[index]), rel=1e-12)


@every
def test_the_start_lies_in_the_picture_and_is_no_critical_point(surface):
    low, high = np.transpose(surface.bounds)
    start = np.array(surface.start)
    assert ((low < start) & (start < high)).all()
    assert np.abs(surface.gradient(start)).max() > 1e-3


@pytest.mark.parametrize("condition", [1.0, 20.0, 1000.0])
@pytest.mark.parametrize("angle", [0.0, 30.0, 45.0, 200.0])
def test_ravine_has_the_chosen_curvatures_along_the_chosen_axes(condition, angle):
    hessian = surfaces.ravine(condition, angle).gradient(np.eye(2))
    flat = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [1, condition], rtol=1e-12)
    np.testing.assert_allclose(hessian @ flat, flat, atol=1e-12 * condition)


def test_the_origin_of_the_saddle_is_one():
    hessian = surfaces.saddle().gradient(1e-6 * np.eye(2)) / 1e-6
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian), [-1, 1], rtol=1e-9)


def test_noise_has_the_chosen_spread_and_leaves_the_value_alone():
    plain = surfaces.rosenbrock()
    loud = surfaces.noisy(plain, sigma=2.0, seed=1)
    points = np.tile(plain.start, (100_000, 1))
    noise = loud.gradient(points) - plain.gradient(points)
    assert noise.std(axis=0) == pytest.approx([2.0, 2.0], rel=0.02)
    assert np.abs(noise.mean(axis=0)).max() < 0.03
    assert abs(np.corrcoef(noise.T)[0, 1]) < 0.02
    assert np.array_equal(loud(points), plain(points))


def test_noise_is_fixed_by_its_seed():
    draws = [
        surfaces.noisy(surfaces.ravine(), 1.0, seed).gradient(np.zeros((3, 2)))
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


@pytest.mark.parametrize("condition", [0.5, -1.0, np.nan, np.inf])
def test_ravine_refuses(condition):
    with pytest.raises(ValueError, match="condition must be finite and >= 1, got"):
        surfaces.ravine(condition)


@pytest.mark.parametrize("sigma", [-1.0, np.nan, np.inf])
def test_noisy_refuses(sigma):
    with pytest.raises(ValueError, match="sigma must be finite and >= 0, got"):
        surfaces.noisy(surfaces.ravine(), sigma)


def test_refuses_an_angle():
    with pytest.raises(ValueError, match="angle must be finite, got nan"):
        surfaces.ravine(20.0, np.nan)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: surfaces.ravine(np.ones(2)), TypeError, "condition must be a real number, got"),
        (lambda: surfaces.ravine("5"), TypeError, "condition must be a real number, got '5'"),
        (lambda: surfaces.ravine(5, [1, [2, 3]]), TypeError, "angle must be a real number, got"),
        (lambda: surfaces.noisy(3, 1.0), TypeError, "surface must be a Surface, got int"),
        (lambda: surfaces.noisy(SURFACES[0], np.ones(2)), TypeError, "sigma must be a real number"),
        (lambda: surfaces.noisy(SURFACES[0], 1.0, -1), ValueError, "seed must be >= 0, got -1"),
        (lambda: surfaces.noisy(SURFACES[0], 1.0, 0.5), TypeError, "seed must be an integer, got"),
    ],
)
def test_refuses_what_is_of_another_kind(make, error, message):
    with pytest.raises(error, match=message):
        make()
