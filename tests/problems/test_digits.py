import hashlib
import itertools

import numpy as np
import pytest

from optim_scratch import Parameter, descend
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import Digits
from optim_scratch.problems.curvature import largest_eigenvalue
from optim_scratch.problems.digits import PARTS, load

DATA = "428ad214e900fe9343f94d9fedc8a16d461db8cd1bc0f61eecf448b8c5f16b35"
"""Of the bytes of all pictures, then of what they show."""
HIDDEN = pytest.mark.parametrize("hidden", [None, 1, 5])


def somewhere(digits, rng, *lead):
    return rng.normal(size=(*lead, digits.size))


def test_the_data_are_all_digits_of_the_source_in_the_committed_order():
    images, labels = load()
    told = (16 * images).astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert hashlib.sha256(told).hexdigest() == DATA
    assert (images.min(), images.max()) == (0, 1)


def test_the_parts_are_all_pictures_each_once_and_share_none():
    found = [list(range(1797))[part] for part in PARTS.values()]
    assert [len(part) for part in found] == [1024, 373, 400]
    assert list(itertools.chain(*found)) == list(range(1797))
    images, _ = load()
    assert len(np.unique(images, axis=0)) == 1797


def test_every_part_has_every_digit():
    for part in PARTS:
        _, labels = Digits().part(part)
        assert np.bincount(labels, minlength=10).min() > 0.07 * len(labels)


def test_the_data_are_for_reading_only():
    for array in load():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@HIDDEN
def test_gradient_equals_central_differences(hidden, rng):
    digits, step = Digits(hidden, None), 1e-5
    theta = somewhere(digits, rng)
    some = rng.choice(digits.size, 40, replace=False)
    shifts = step * np.eye(digits.size)[some]
    slopes = (digits.value(theta + shifts) - digits.value(theta - shifts)) / (2 * step)
    np.testing.assert_allclose(digits.gradient(theta)[some], slopes, atol=1e-9)


@HIDDEN
def test_gradient_equals_torchs(hidden, rng):
    torch = pytest.importorskip("torch")
    digits = Digits(hidden)
    theta, batch = somewhere(digits, rng), next(digits.batches())
    leaf = torch.tensor(theta, requires_grad=True)
    pieces = torch.split(leaf, [int(np.prod(shape)) for shape in digits.weights.shapes])
    layers = [p.reshape(s) for p, s in zip(pieces, digits.weights.shapes, strict=True)]
    z = torch.tensor(digits.images[batch]) @ layers[0] + layers[1]
    if hidden:
        z = torch.tanh(z) @ layers[2] + layers[3]
    loss = torch.nn.functional.cross_entropy(z, torch.tensor(digits.labels[batch]))
    loss.backward()
    theirs = leaf.grad.numpy()
    np.testing.assert_allclose(digits.gradient(theta, batch), theirs, rtol=1e-12, atol=1e-12)


def test_loss_equals_torchs_on_each_part(rng):
    torch = pytest.importorskip("torch")
    digits = Digits(None)
    theta = 10 * somewhere(digits, rng)
    for part in PARTS:
        images, labels = digits.part(part)
        z = torch.tensor(digits.scores(theta, images))
        theirs = torch.nn.functional.cross_entropy(z, torch.tensor(labels)).item()
        assert digits.loss(theta, part) == pytest.approx(theirs, rel=1e-12)
        assert digits.accuracy(theta, part) == (z.argmax(1).numpy() == labels).mean()


def test_an_epoch_holds_each_picture_once_in_an_order_of_its_own():
    digits = Digits(seed=3)
    epochs = [list(digits.batches(first=epoch)) for epoch in (0, 1)]
    for batches in epochs:
        assert [len(batch) for batch in batches] == [32] * 32
        assert sorted(np.concatenate(batches)) == list(range(1024))
    assert not np.array_equal(epochs[0], epochs[1])
    assert np.array_equal(list(digits.batches(2)), [*epochs[0], *epochs[1]])


def test_a_last_batch_is_smaller_and_no_batch_size_means_everything():
    assert [len(batch) for batch in Digits(batch_size=1000).batches()] == [1000, 24]
    assert [len(batch) for batch in Digits(batch_size=None).batches(2)] == [1024, 1024]


def test_seeds_fix_start_and_batches():
    a, b, c = (Digits(seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(a.start, b.start)
    assert not np.array_equal(a.start, c.start)
    assert np.array_equal(next(a.batches()), next(b.batches()))
    assert not np.array_equal(next(a.batches()), next(c.batches()))


def test_the_endless_row_is_the_epochs_one_after_the_other():
    digits = Digits(seed=1)
    w = digits.start
    for batch in digits.batches(2):
        assert np.array_equal(digits.gradient(w), digits.gradient(w, batch))


def trained(digits, start, rates, epochs=2):
    w = Parameter(start.copy())
    adam = Adam([w], lr=rates)
    for batch in digits.batches(epochs):
        w.grad = digits.gradient(w.data, batch)
        adam.step()
    return w.data


@HIDDEN
def test_many_runs_are_the_runs_one_by_one(hidden):
    seeds, rates = [4, 0, 7], np.array([0.003, 0.03])
    many = Digits(hidden, seed=seeds)
    assert many.start.shape == (3, 1, many.size)
    start = np.broadcast_to(many.start, (3, 2, many.size))
    together = trained(many, start, rates[:, None])
    losses = many.loss(together, "validation")
    for i, seed in enumerate(seeds):
        for j, rate in enumerate(rates):
            alone = Digits(hidden, seed=seed)
            end = trained(alone, alone.start, rate)
            np.testing.assert_allclose(together[i, j], end, rtol=0, atol=1e-12)
            assert losses[i, j] == pytest.approx(alone.loss(end, "validation"), rel=1e-12)


def test_descend_takes_it_for_a_problem():
    many = Digits(seed=range(2))
    path = descend(many, SGD, 64, lr=np.array([[0.1], [0.5]]), every=64)
    assert path.points.shape == (2, 2, 2, many.size)
    assert (path.final_loss < 0.6 * path.losses[0]).all()


def test_a_run_that_diverges_is_a_result_not_a_warning():
    digits = Digits()
    beyond = np.where(np.arange(digits.size) % 3, np.inf, -np.inf)
    assert np.isnan(digits.loss(beyond))
    assert np.isnan(digits.gradient(beyond)).any()
    assert digits.accuracy(np.full(digits.size, np.nan)) == 0


def test_sharpness_is_the_hessians_largest_eigenvalue():
    digits = Digits(1, None)
    step, theta = 1e-5, digits.start
    shifts = step * np.eye(digits.size)
    hessian = (digits.gradient(theta + shifts) - digits.gradient(theta - shifts)) / (2 * step)
    assert digits.sharpness(theta) == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=1e-4)


def test_largest_eigenvalue_finds_it_among_larger_negative_ones(rng):
    rotation = np.linalg.qr(rng.normal(size=(30, 30)))[0]
    matrix = rotation @ np.diag(np.r_[-50.0, np.linspace(0, 7, 29)]) @ rotation.T
    assert largest_eigenvalue(lambda v: matrix @ v, 30, 30) == pytest.approx(7)


@pytest.mark.parametrize(
    ("imbalance", "counts"),
    [
        (1.0, [87, 44, 29, 22, 17, 15, 12, 11, 10, 9]),
        (0.0, [26, 26, 26, 26, 26, 26, 25, 25, 25, 25]),
    ],
)
def test_some_digits_may_be_rarer_than_others(imbalance, counts):
    all_of_them, digits = Digits(), Digits(imbalance=imbalance)
    images, labels = digits.part("train")
    assert np.bincount(labels).tolist() == counts
    assert sum(counts) == digits.examples == 256
    where = digits.chosen
    assert where.max() < 1024, "none of validation and test"
    assert np.array_equal(images, all_of_them.images[where])
    assert sorted(np.concatenate(list(digits.batches()))) == where.tolist()
    for part in ("validation", "test"):
        assert np.array_equal(digits.part(part)[0], all_of_them.part(part)[0])


def test_the_gradient_of_all_that_are_left_is_that_of_their_loss(rng):
    digits, step = Digits(None, None, imbalance=1.0), 1e-5
    theta = somewhere(digits, rng)
    some = rng.choice(digits.size, 40, replace=False)
    shifts = step * np.eye(digits.size)[some]
    slopes = (digits.value(theta + shifts) - digits.value(theta - shifts)) / (2 * step)
    np.testing.assert_allclose(digits.gradient(theta)[some], slopes, atol=1e-9)


def test_the_loss_by_digit_is_the_mean_over_its_pictures(rng):
    digits = Digits(seed=range(2), imbalance=1.0)
    theta = somewhere(digits, rng, 2, 3)
    for part in PARTS:
        labels, by_class = digits.part(part)[1], digits.loss_by_class(theta, part)
        assert by_class.shape == (2, 3, 10)
        for k in range(10):
            mean = digits.losses(theta, part)[..., labels == k].mean(axis=-1)
            np.testing.assert_allclose(by_class[..., k], mean, rtol=1e-12)
        whole = by_class @ np.bincount(labels) / len(labels)
        np.testing.assert_allclose(whole, digits.loss(theta, part), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"imbalance": 1.5}, ValueError, r"imbalance must be finite and in \[0, 1\] or None"),
        ({"imbalance": "1"}, TypeError, "imbalance must be a real number or None"),
        ({"hidden": 0}, ValueError, "hidden must be >= 1"),
        ({"hidden": 2.5}, TypeError, "hidden must be an integer or None"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"seed": -1}, ValueError, "seed must be >= 0"),
        ({"seed": [0, 1.5]}, TypeError, "seed must be an integer"),
        ({"seed": []}, ValueError, "seed must be an integer or hold at least one"),
    ],
    ids=str,
)
def test_digits_refuse(arguments, error, message):
    with pytest.raises(error, match=message):
        Digits(**arguments)


def test_unknown_parts_and_points_without_seeds_are_refused():
    with pytest.raises(ValueError, match="part must be one of train, validation, test, got 'tset'"):
        Digits().loss(Digits().start, "tset")
    many = Digits(seed=range(2))
    for wrong in (many.start[0, 0], many.start[:1]):
        with pytest.raises(ValueError, match="theta must have 2 seeds in its first axis"):
            many.gradient(wrong)
