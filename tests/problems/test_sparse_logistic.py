import numpy as np
import pytest

from optim_scratch import Parameter, descend
from optim_scratch.optimizers import SGD, Adagrad, Adam
from optim_scratch.problems import SparseLogistic

PARTS = ("train", "validation", "test")


def small(**arguments):
    return SparseLogistic(**{"features": 6, "examples": 50, "batch_size": 8, **arguments})


def test_features_are_as_frequent_as_they_are_said_to_be():
    problem = SparseLogistic(examples=50_000)
    assert problem.frequencies[[0, 1, 127]].tolist() == [0.5, 0.25, 1 / 256]
    assert set(np.unique(problem.inputs)) == {0.0, 1.0}
    found, n = problem.inputs.mean(axis=0), len(problem.inputs)
    spread = np.sqrt(problem.frequencies / n)
    assert np.abs((found - problem.frequencies) / spread).max() < 4.5


def test_without_imbalance_there_are_as_many_features_but_none_is_rarer():
    even, zipf = SparseLogistic(imbalance=0.0), SparseLogistic()
    assert np.ptp(even.frequencies) == 0
    assert even.frequencies.sum() == pytest.approx(zipf.frequencies.sum(), rel=1e-12)


def test_labels_are_drawn_from_the_model_at_the_planted_weights():
    problem = SparseLogistic(features=8, examples=50_000)
    assert set(np.unique(problem.labels)) == {0.0, 1.0}
    slope = problem.gradient(problem.truth, np.arange(50_000))
    assert np.abs(slope).max() < 4 * 0.5 / np.sqrt(50_000), "the truth is the expected minimum"
    assert problem.loss(problem.truth) < problem.loss(problem.start) - 0.05


def test_gradient_equals_central_differences(rng):
    problem, step = small(batch_size=None), 1e-5
    theta = rng.normal(size=6)
    shifts = step * np.eye(6)
    slopes = (problem.value(theta + shifts) - problem.value(theta - shifts)) / (2 * step)
    np.testing.assert_allclose(problem.gradient(theta), slopes, atol=1e-9)


def test_gradient_and_loss_equal_torchs(rng):
    torch = pytest.importorskip("torch")
    problem = small()
    theta, batch = 3 * rng.normal(size=6), next(problem.batches())
    leaf = torch.tensor(theta, requires_grad=True)

    def loss(inputs, labels):
        z = torch.tensor(inputs) @ leaf
        return torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(labels))

    loss(problem.inputs[batch], problem.labels[batch]).backward()
    theirs = leaf.grad.numpy()
    np.testing.assert_allclose(problem.gradient(theta, batch), theirs, rtol=1e-12, atol=1e-12)
    for part in PARTS:
        assert problem.loss(theta, part) == pytest.approx(loss(*problem.part(part)).item(), 1e-12)


def test_a_feature_that_is_not_in_the_batch_has_no_slope(rng):
    problem = SparseLogistic()
    batch = next(problem.batches())
    absent = problem.inputs[batch].sum(axis=0) == 0
    assert absent.sum() > 64
    slope = problem.gradient(rng.normal(size=128), batch)
    assert np.array_equal(slope == 0, absent)


def test_the_row_sparse_gradient_is_the_same_and_has_the_rows_of_the_batch(rng):
    problem = SparseLogistic()
    theta = rng.normal(size=128)
    for batch in [*problem.batches()][:5]:
        sparse, dense = problem.row_sparse_gradient(theta, batch), problem.gradient(theta, batch)
        np.testing.assert_allclose(sparse.dense(), dense, rtol=0, atol=1e-15)
        present = np.flatnonzero(problem.inputs[batch].any(axis=0))
        assert sparse.coalesced().rows.tolist() == present.tolist()
        assert len(sparse.rows) == problem.inputs[batch].sum() < 128
    with pytest.raises(ValueError, match=r"seed must be one for a row-sparse gradient, got \[0, 1"):
        small(seed=[0, 1]).row_sparse_gradient(theta[:6])


def test_parts_share_no_example_and_an_epoch_holds_each_of_the_first():
    problem = small()
    rows = np.concatenate([problem.part(part)[0] for part in PARTS])
    assert np.array_equal(rows, problem.inputs)
    epoch = np.concatenate(list(problem.batches()))
    assert sorted(epoch) == list(range(50))


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_many_runs_are_the_runs_one_by_one(lead, rng):
    seeds = [4, 0, 7]
    many, batch = small(seed=seeds), next(small(seed=seeds).batches())
    theta = rng.normal(size=(3, *lead, 6))
    slopes = many.gradient(theta, batch)
    for i, seed in enumerate(seeds):
        alone = small(seed=seed)
        assert np.array_equal(alone.truth, many.truth[i, 0])
        for at in np.ndindex(lead):
            one = theta[(i, *at)]
            np.testing.assert_allclose(
                slopes[(i, *at)], alone.gradient(one, batch[i]), rtol=1e-12, atol=1e-14
            )
            for part in PARTS:
                together = many.loss(theta, part)[(i, *at)]
                assert together == pytest.approx(alone.loss(one, part), rel=1e-12)
                assert many.accuracy(theta, part)[(i, *at)] == alone.accuracy(one, part)


def test_descend_takes_it_for_a_problem():
    path = descend(small(seed=range(2)), Adam, 60, lr=np.array([[0.05], [0.1]]), every=60)
    assert path.points.shape == (2, 2, 2, 6)
    assert (path.final_loss < path.losses[0]).all()


def tuned(problem, method, rates):
    """The lowest mean loss on validation after one epoch, and the weights there."""
    start = np.broadcast_to(problem.start, (len(problem.seeds), len(rates), 128))
    w = Parameter(start)
    optimizer = method([w], lr=rates[:, None])
    for batch in problem.batches():
        w.grad = problem.gradient(w.data, batch)
        optimizer.step()
    losses = problem.loss(w.data, "validation")
    best = losses.mean(axis=0).argmin()
    assert 0 < best < len(rates) - 1, "the best rate lies within"
    return losses[:, best], w.data[:, best]


def test_adagrad_finds_the_weights_of_rare_features_and_sgd_does_not():
    """Where all are equally rare, there is less between them, and no feature apart."""
    gaps = {}
    for imbalance in (1.0, 0.0):
        problem = SparseLogistic(imbalance=imbalance, seed=range(3))
        plain, by_plain = tuned(problem, SGD, 2.0 ** np.arange(0, 7))
        adagrad, by_adagrad = tuned(problem, Adagrad, 2.0 ** np.arange(-3, 3))
        gaps[imbalance] = plain - adagrad
        truth = problem.truth[:, 0]
        errors = [((w - truth)[:, 64:] ** 2).mean() for w in (by_plain, by_adagrad)]
        if imbalance:
            assert errors[0] > 1.5 * errors[1]
    assert gaps[1.0].min() > 0.01
    assert gaps[0.0].mean() < 0.5 * gaps[1.0].mean()


def test_a_run_that_diverges_is_a_result_not_a_warning():
    problem = small()
    far = np.where(np.arange(6) % 2, np.inf, -np.inf)
    assert not np.isfinite(problem.loss(far))
    assert np.isnan(problem.gradient(np.full(6, np.nan))).any()
    assert problem.accuracy(np.full(6, np.nan)) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"features": 0}, ValueError, "features must be >= 1"),
        ({"examples": 0}, ValueError, "examples must be >= 1"),
        ({"batch_size": 1.5}, TypeError, "batch_size must be an integer or None"),
        ({"imbalance": 2.0}, ValueError, r"imbalance must be finite and in \[0, 1\]"),
        ({"seed": [0, 1.5]}, TypeError, "seed must be an integer"),
    ],
    ids=str,
)
def test_sparse_logistic_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        SparseLogistic(**arguments)


def test_what_is_asked_for_wrongly_is_named():
    problem = small()
    with pytest.raises(ValueError, match="part must be one of train, validation, test, got 'tset'"):
        problem.loss(problem.start, "tset")
    many = small(seed=range(2))
    for wrong in (many.start[0, 0], many.start[:1]):
        with pytest.raises(ValueError, match="theta must have 2 seeds in its first axis"):
            many.gradient(wrong)
