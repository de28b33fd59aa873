"""What is Adam's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
import torch
from methods import STEPS, Ours, Theirs, assert_equal_paths, assert_follows, record

from optim_scratch import Parameter, descend, registry, surfaces
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import Adam

pytestmark = pytest.mark.usefixtures("float64")


def both(rows, options):
    """Our Adam and torch's from one start."""
    return [kind(registry.find("Adam"), rows[0], [{}], options) for kind in (Ours, Theirs)]


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e6])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_equals_torch_for_gradients_of_any_size_that_shrink(scale, amsgrad):
    """Where eps counts, and where the largest mean square is an old one."""
    rows = record(STEPS)
    for t, row in enumerate(rows[1:]):
        row[:] = [scale * 0.97**t * gradient for gradient in row]
    assert_follows("Adam", {"lr": 0.01, "amsgrad": amsgrad}, rows)


def test_the_first_step_is_the_rate_whatever_the_gradient():
    p = Parameter([0.0, 0.0, 0.0])
    p.grad = np.array([1e-3, -7.0, 1e8])
    Adam([p], lr=0.1, eps=0.0).step()
    np.testing.assert_allclose(p.data, [-0.1, 0.1, -0.1], rtol=1e-14)


def test_eps_stands_beside_the_root_after_the_bias_is_corrected():
    p = Parameter([0.0])
    adam = Adam([p], lr=1.0, eps=0.25)
    for t in range(1, 4):
        p.grad = np.array([0.25])
        adam.step()
        # m̂ = g and v̂ = g² at each step, so each is g / (g + ε) = 1/2
        np.testing.assert_allclose(p.data, [-t / 2], rtol=1e-13)


def test_eps_may_be_0_as_in_torch():
    rows = record(20)
    ours, theirs = both(rows, {"eps": 0.0})
    for row in rows[1:]:
        for a, b in zip(ours.step(row), theirs.step(row), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)
    assert np.isnan(ours.parameters[0].data).tolist() == [True, False, False]


def test_amsgrad_may_be_switched_on_in_mid_run():
    p = Parameter([0.0])
    adam = Adam([p], lr=0.1)
    p.grad = np.ones(1)
    adam.step()
    assert adam.state[p]["max_exp_avg_sq"] is None
    adam.param_groups[0]["amsgrad"] = True
    adam.step()
    assert adam.state[p]["max_exp_avg_sq"] == adam.state[p]["exp_avg_sq"]


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("shape", [(5, 1), (5, 2)])
def test_arrays_of_hyper_parameters_are_runs_of_their_own(shape, amsgrad, rng):
    arrays = {
        "lr": rng.uniform(0.01, 0.1, shape),
        "betas": (rng.uniform(0, 0.9, shape), rng.uniform(0.9, 0.999, shape)),
        "eps": rng.uniform(0, 0.1, shape),
        "weight_decay": rng.uniform(0, 0.1, shape),
    }
    start, gradients = rng.normal(size=(5, 2)), rng.normal(size=(50, 5, 2))
    end = run(start, gradients, **arrays, amsgrad=amsgrad)
    for index in np.ndindex(5, 2):
        chosen = {name: entry(value, index) for name, value in arrays.items()}
        one = run(start[index], gradients[:, *index], **chosen, amsgrad=amsgrad)
        assert one == pytest.approx(end[index], rel=1e-12)


def entry(value, index):
    """The hyper-parameter of one of many runs."""
    if isinstance(value, tuple):
        return tuple(entry(each, index) for each in value)
    return float(np.broadcast_to(value, (5, 2))[index])


def run(start, gradients, **options):
    p = Parameter(start)
    adam = Adam([p], **options)
    for gradient in gradients:
        p.grad = gradient
        adam.step()
    return p.data


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_the_betas_may_be_an_array(which, rng):
    start, gradients = rng.normal(size=(3, 2)), rng.normal(size=(20, 3, 2))
    betas = [0.9, 0.99]
    values = np.array([0.0, 0.5, 0.95])
    ends = []
    for value in values:
        betas[which] = value
        ends.append(run(start, gradients, betas=tuple(betas)))
    betas[which] = values[:, None]
    together = run(start, gradients, betas=tuple(betas))
    for i, end in enumerate(ends):
        np.testing.assert_allclose(together[i], end[i], rtol=1e-13)


def test_arrays_of_betas_keep_their_digits_whatever_the_parameters_dtype():
    """1 − 0.9999 is 0 in half precision."""
    p = Parameter(np.zeros((2, 1), np.float16))
    adam = Adam([p], lr=0.5, betas=(0.9, np.array([[0.9999], [0.99]])))
    p.grad = np.ones((2, 1), np.float16)
    adam.step()
    np.testing.assert_allclose(p.data, -0.5, rtol=1e-3)


@pytest.mark.parametrize("which", [0, 1])
def test_arrays_of_betas_are_cut_into_tiles_with_the_rest(which, rng, monkeypatch):
    monkeypatch.setattr("optim_scratch.optimizers.tiles.TILE", 3)
    betas = [0.9, 0.99]
    start, gradients = rng.normal(size=(4, 2)), rng.normal(size=(5, 4, 2))
    plain = run(start, gradients, betas=tuple(betas))
    betas[which] = np.full((4, 1), betas[which])
    np.testing.assert_allclose(run(start, gradients, betas=tuple(betas)), plain, rtol=1e-13)


def test_a_descent_with_many_betas():
    beta1 = np.array([0.0, 0.5, 0.9])
    many = descend(surfaces.beale(), Adam, 40, lr=0.01, betas=(beta1[:, None], 0.99))
    for i, value in enumerate(beta1):
        one = descend(surfaces.beale(), Adam, 40, lr=0.01, betas=(value, 0.99))
        np.testing.assert_allclose(many.points[:, i], one.points, rtol=1e-12)
    rates = np.array([0.01, 0.1])[:, None, None]
    grid = descend(surfaces.beale(), Adam, 2, lr=rates, betas=(0.9, beta1[:, None]))
    assert grid.losses.shape == (3, 2, 3)


@pytest.mark.parametrize(
    ("betas", "error", "message"),
    [
        (
            (np.zeros(3), 0.9),
            ValueError,
            r"betas\[0\] of shape \(3,\) does not .* points .* \(2,\)",
        ),
        ((0.9, np.zeros((2, 3))), ValueError, r"betas\[1\] of shape \(2, 3\) does not broadcast"),
        (0.9, TypeError, r"betas must be a tuple of 2 numbers, got 0\.9"),
    ],
)
def test_a_descent_refuses_betas(betas, error, message):
    with pytest.raises(error, match=message):
        descend(surfaces.ravine(), Adam, 1, betas=betas)


@pytest.mark.parametrize(
    "betas",
    [
        [0.9, 0.99],
        (np.float64(0.9), np.array(0.99)),
        (torch.tensor(0.9, dtype=torch.float64), torch.tensor(0.99, dtype=torch.float64)),
    ],
    ids=["list", "numpy", "torch"],
)
def test_betas_become_a_tuple_of_pythons_numbers(betas):
    for optimizer in (
        Adam([Parameter(0.0)], betas=betas),
        Adam([{"params": Parameter(0.0), "betas": betas}]),
    ):
        found = optimizer.param_groups[0]["betas"]
        assert found == (0.9, 0.99)
        assert [type(found), *map(type, found)] == [tuple, float, float]


def test_arrays_of_betas_are_copied():
    beta1 = np.array([0.1, 0.2])
    adam = Adam([Parameter([0.0, 0.0])], betas=(beta1, 0.9))
    beta1[:] = 0.5
    assert adam.param_groups[0]["betas"][0].tolist() == [0.1, 0.2]
    adam.state_dict()["param_groups"][0]["betas"][0][:] = 0.5
    assert adam.param_groups[0]["betas"][0].tolist() == [0.1, 0.2]


def test_betas_that_a_scheduler_cycles_are_followed_as_torch_does():
    rows = record(STEPS)
    ours, theirs = both(rows, {"lr": 0.01})
    for t, row in enumerate(rows[1:]):
        for side in (ours, theirs):
            (group,) = side.optimizer.param_groups
            group["betas"] = (0.9 + 0.05 * np.sin(t), *group["betas"][1:])
        assert_equal_paths(ours, theirs, [row], 1e-12)


def test_the_count_of_steps_crosses():
    rows = record(3)
    ours, theirs = both(rows, {})
    for row in rows[1:]:
        ours.step(row)
        theirs.step(row)
    assert [s["step"] for s in ours.optimizer.state_dict()["state"].values()] == [3, 3, 3]
    into = both(rows, {})[0].optimizer
    into.load_state_dict(theirs.optimizer.state_dict())
    (count,) = {s["step"] for s in into.state.values()}
    assert (type(count), count) == (int, 3)
    crossed = bridge.to_torch(ours.optimizer.state_dict())["state"][0]["step"]
    assert (crossed.dtype, crossed.item()) == (torch.float64, 3)


def test_betas_in_tensors_are_loaded_and_arrays_do_not_cross_to_torch():
    adam = Adam([Parameter(0.0)])
    saved = adam.state_dict()
    saved["param_groups"][0]["betas"] = (torch.tensor(0.5), torch.tensor(0.75))
    plain = bridge.from_torch(saved)
    assert {type(beta) for beta in plain["param_groups"][0]["betas"]} == {np.ndarray}
    for state_dict in (saved, plain):
        adam.load_state_dict(state_dict)
        assert adam.param_groups[0]["betas"] == (0.5, 0.75)
    many = Adam([Parameter([0.0, 0.0])], betas=(0.9, np.full(2, 0.99)))
    with pytest.raises(ValueError, match=r"betas\[1\] must be one number for torch"):
        bridge.to_torch(many.state_dict())


def test_goes_on_from_the_state_of_torchs_adamw_as_torchs_adam_does():
    theirs = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))], weight_decay=0.1)
    ours = Adam([Parameter([0.0, 0.0])])
    ours.load_state_dict(theirs.state_dict())
    assert ours.param_groups[0]["decoupled_weight_decay"] is True


def test_infinities_and_nan_flow():
    p = Parameter([1.0, 1.0, 1.0])
    p.grad = np.array([np.inf, np.nan, 1.0])
    adam = Adam([p], lr=0.1, amsgrad=True)
    adam.step()
    assert np.isnan(p.data).tolist() == [True, True, False]
