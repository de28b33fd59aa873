import numpy as np
import pytest

from optim_scratch import descend
from optim_scratch.optimizers import SGD, Adam
from optim_scratch.problems import ZipfClasses
from optim_scratch.problems.zipf import zipf, zipf_counts

PARTS = ("train", "validation", "test")


def small(**arguments):
    return ZipfClasses(**{"classes": 5, "inputs": 3, "examples": 40, **arguments})


def test_zipfs_law():
    np.testing.assert_allclose(zipf(3), np.array([6, 3, 2]) / 11, rtol=1e-15)
    np.testing.assert_allclose(zipf(4, 0.0), 0.25, rtol=1e-15)
    assert zipf_counts(3, 11).tolist() == [6, 3, 2]
    assert zipf_counts(3, 12).tolist() == [7, 3, 2], "6.5, 3.3 and 2.2"
    assert zipf_counts(4, 10, 0.0).tolist() == [3, 3, 2, 2]


def test_every_part_has_the_same_number_of_each_class():
    problem = ZipfClasses()
    assert problem.counts[[0, 1, 9, 63]].tolist() == [216, 108, 22, 3]
    for part in PARTS:
        inputs, labels = problem.part(part)
        assert np.bincount(labels).tolist() == problem.counts.tolist()
        assert inputs.shape == (1024, 16)
    assert len(np.unique(problem.inputs, axis=0)) == 3 * 1024
    assert set(ZipfClasses(imbalance=0.0).counts.tolist()) == {16}


def test_inputs_lie_around_the_centre_of_their_class():
    problem = ZipfClasses(2, 400, 50, spread=2.0)
    centres = [problem.inputs[problem.labels == k].mean(axis=0) for k in range(2)]
    around = problem.inputs - np.array(centres)[problem.labels]
    assert around.std() == pytest.approx(1.0, rel=0.03)
    assert np.std(centres) == pytest.approx(2.0, rel=0.1)


def test_gradient_equals_central_differences(rng):
    problem, step = small(), 1e-5
    theta = rng.normal(size=problem.size)
    shifts = step * np.eye(problem.size)
    slopes = (problem.value(theta + shifts) - problem.value(theta - shifts)) / (2 * step)
    np.testing.assert_allclose(problem.gradient(theta), slopes, atol=1e-9)


def test_gradient_and_loss_equal_torchs(rng):
    torch = pytest.importorskip("torch")
    problem = small(batch_size=7)
    theta, batch = rng.normal(size=problem.size), next(problem.batches())
    leaf = torch.tensor(theta, requires_grad=True)
    w, b = leaf[:15].reshape(3, 5), leaf[15:]

    def loss(inputs, labels):
        z = torch.tensor(inputs) @ w + b
        return torch.nn.functional.cross_entropy(z, torch.tensor(labels))

    loss(problem.inputs[batch], problem.labels[batch]).backward()
    theirs = leaf.grad.numpy()
    np.testing.assert_allclose(problem.gradient(theta, batch), theirs, rtol=1e-12, atol=1e-12)
    for part in PARTS:
        assert problem.loss(theta, part) == pytest.approx(loss(*problem.part(part)).item(), 1e-12)


def test_an_epoch_holds_each_training_example_once():
    batches = list(small(batch_size=16, seed=[0, 1]).batches(2))
    assert [batch.shape for batch in batches] == [(2, 16), (2, 16), (2, 8)] * 2
    for seed in range(2):
        epochs = [np.concatenate([b[seed] for b in half]) for half in (batches[:3], batches[3:])]
        assert all(sorted(epoch) == list(range(40)) for epoch in epochs)
        assert not np.array_equal(*epochs)


@pytest.mark.parametrize("batch_size", [None, 16])
def test_many_runs_are_the_runs_one_by_one(batch_size):
    seeds, rates = [4, 0, 7], np.array([0.1, 1.0])
    many = small(batch_size=batch_size, seed=seeds)
    together = descend(many, Adam, 6, lr=rates[:, None])
    for part in PARTS:
        losses, classes = many.loss(together.end, part), many.loss_by_class(together.end, part)
        groups, right = many.loss_by_group(together.end, 2, part), many.accuracy(together.end, part)
        for i, seed in enumerate(seeds):
            for j, rate in enumerate(rates):
                alone = small(batch_size=batch_size, seed=seed)
                end = descend(alone, Adam, 6, lr=rate).end
                np.testing.assert_allclose(together.end[i, j], end, rtol=0, atol=1e-12)
                np.testing.assert_allclose(losses[i, j], alone.loss(end, part), rtol=1e-12)
                np.testing.assert_allclose(classes[i, j], alone.loss_by_class(end, part), 1e-12)
                np.testing.assert_allclose(groups[i, j], alone.loss_by_group(end, 2, part), 1e-12)
                assert right[i, j] == alone.accuracy(end, part)


def test_seeds_fix_everything():
    a, b, c = (small(seed=seed, batch_size=8) for seed in (0, 0, 1))
    assert np.array_equal(a.inputs, b.inputs)
    assert np.array_equal(next(a.batches()), next(b.batches()))
    assert not np.array_equal(a.inputs, c.inputs)
    assert np.array_equal(a.labels, c.labels)


def test_groups_have_as_many_examples_each_and_keep_the_order():
    problem = ZipfClasses()
    groups = problem.groups(4)
    assert (np.diff(groups) >= 0).all()
    assert set(groups) == {0, 1, 2, 3}
    shares = np.bincount(groups, problem.counts) / 1024
    np.testing.assert_allclose(shares, 0.25, atol=0.07)
    assert np.bincount(groups).tolist() == [1, 5, 13, 45]


def test_the_loss_of_the_groups_is_the_loss(rng):
    problem = small()
    theta = rng.normal(size=(2, problem.size))
    by_group, by_class = problem.loss_by_group(theta, 2), problem.loss_by_class(theta)
    members, counts = problem.groups(2), problem.counts
    np.testing.assert_allclose(by_class @ counts / 40, problem.loss(theta), rtol=1e-12)
    for g in range(2):
        own = members == g
        mean = by_class[:, own] @ counts[own] / counts[own].sum()
        np.testing.assert_allclose(by_group[:, g], mean, rtol=1e-12)


def test_a_class_without_examples_has_no_loss():
    problem = small(examples=3)
    assert problem.counts.tolist() == [1, 1, 1, 0, 0]
    assert np.isnan(problem.loss_by_class(problem.start)).tolist() == [False] * 3 + [True] * 2


def tuned(problem, method, rates, **hyper):
    """The lowest mean loss over the seeds that one of the rates leads to, and that by group."""
    path = descend(problem, method, 50, lr=rates[:, None], every=50, **hyper)
    losses = np.where(np.isfinite(path.final_loss), path.final_loss, np.inf)
    best = losses.mean(axis=0).argmin()
    assert 0 < best < len(rates) - 1, "the best rate lies within"
    return losses[:, best], problem.loss_by_group(path.end)[:, best].mean(axis=0)


def test_adam_learns_the_rare_classes_and_gradient_descent_does_not():
    """And with classes of one size there is little between them."""
    gaps, rare = {}, {}
    for imbalance in (1.0, 0.0):
        problem = ZipfClasses(imbalance=imbalance, seed=range(3))
        plain, by_plain = tuned(problem, SGD, 2.0 ** np.arange(1, 6))
        adam, by_adam = tuned(problem, Adam, 2.0 ** np.arange(-4, 1))
        gaps[imbalance], rare[imbalance] = plain - adam, (by_plain - by_adam)[-1]
    assert gaps[1.0].min() > 0.1
    assert np.abs(gaps[0.0]).max() < 0.04
    assert rare[1.0] > 0.25
    assert abs(rare[0.0]) < 0.05


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"classes": 1}, ValueError, "classes must be >= 2"),
        ({"inputs": 0}, ValueError, "inputs must be >= 1"),
        ({"examples": 0}, ValueError, "examples must be >= 1"),
        ({"examples": 9.5}, TypeError, "examples must be an integer"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"imbalance": -1.0}, ValueError, "imbalance must be finite and >= 0"),
        ({"spread": np.inf}, ValueError, "spread must be finite and >= 0"),
        ({"seed": []}, ValueError, "seed must be an integer or hold at least one"),
        ({"seed": -1}, ValueError, "seed must be >= 0"),
    ],
    ids=str,
)
def test_zipf_classes_refuse(arguments, error, message):
    with pytest.raises(error, match=message):
        ZipfClasses(**arguments)


def test_what_is_asked_for_wrongly_is_named():
    problem = small()
    with pytest.raises(ValueError, match="part must be one of train, validation, test, got 'tset'"):
        problem.loss(problem.start, "tset")
    with pytest.raises(ValueError, match="groups must be >= 1"):
        problem.groups(0)
    many = small(seed=range(2))
    with pytest.raises(ValueError, match="theta must have 2 seeds in its first axis"):
        many.gradient(many.start[:1])
