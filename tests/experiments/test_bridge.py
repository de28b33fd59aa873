import copy

import numpy as np
import pytest
import torch

from optim_scratch import Parameter, schedulers
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import EMA, SGD

STEPS = 60
SETTINGS = [
    {"momentum": 0.9, "weight_decay": 0.01},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.5, "dampening": 0.3, "maximize": True},
    {},
]


@pytest.fixture
def gradients():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=(3, 2)), rng.normal(size=5)) for _ in range(STEPS)]


@pytest.fixture
def start():
    rng = np.random.default_rng(1)
    return [rng.normal(size=(3, 2)), rng.normal(size=5)]


def ours_of(arrays, **settings):
    params = [Parameter(array) for array in arrays]
    return params, SGD(
        [{"params": params[:1]}, {"params": params[1:], "lr": 0.05}], 0.1, **settings
    )


def torchs_of(arrays, **settings):
    params = [torch.tensor(array, requires_grad=True) for array in arrays]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.05}]
    return params, torch.optim.SGD(groups, 0.1, **settings)


def run(params, optimizer, gradients):
    for pair in gradients:
        for p, gradient in zip(params, pair, strict=True):
            p.grad = torch.tensor(gradient) if isinstance(p, torch.Tensor) else gradient
        optimizer.step()


def values(params):
    arrays = [p.detach().numpy() if isinstance(p, torch.Tensor) else p.data for p in params]
    return [array.copy() for array in arrays]


def assert_same(a, b):
    for x, y in zip(values(a), values(b), strict=True):
        assert np.abs(x - y).max() <= 1e-12 * np.abs(y).max()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_run_crosses_to_torch_and_back(start, gradients, settings):
    straight, optimizer = torchs_of(start, **settings)
    run(straight, optimizer, gradients)

    here, ours = ours_of(start, **settings)
    run(here, ours, gradients[:20])
    there, theirs = torchs_of(values(here))
    theirs.load_state_dict(bridge.to_torch(ours.state_dict()))
    run(there, theirs, gradients[20:40])
    back, again = ours_of(values(there))
    again.load_state_dict(bridge.from_torch(theirs.state_dict()))
    run(back, again, gradients[40:])
    assert_same(back, straight)


def test_what_crosses_is_a_copy(start, gradients):
    params, ours = ours_of(start, momentum=0.9)
    run(params, ours, gradients[:2])
    before = copy.deepcopy(ours.state_dict())
    there, theirs = torchs_of(values(params))
    theirs.load_state_dict(bridge.to_torch(ours.state_dict()))
    run(there, theirs, gradients[2:4])
    after = ours.state_dict()
    for index, entry in before["state"].items():
        np.testing.assert_array_equal(
            entry["momentum_buffer"], after["state"][index]["momentum_buffer"]
        )
    crossed = bridge.to_torch(before)
    crossed["state"][0]["momentum_buffer"].zero_()
    assert np.all(before["state"][0]["momentum_buffer"] != 0)
    assert "optimizer" not in crossed


def test_from_torch_leaves_no_tensor(start, gradients):
    params, theirs = torchs_of(start, momentum=0.9)
    run(params, theirs, gradients[:2])
    state = bridge.from_torch(theirs.state_dict())
    assert {type(entry["momentum_buffer"]) for entry in state["state"].values()} == {np.ndarray}


def test_before_the_first_step_there_is_no_state(start):
    _, ours = ours_of(start, momentum=0.9)
    assert bridge.to_torch(ours.state_dict())["state"] == {}


def test_numbers_of_the_state_become_tensors_and_hyper_parameters_plain():
    ours = {
        "state": {
            0: {"step": 3, "buffer": None, "mean": np.ones(2, np.float32)},
            1: {"eta": 0.1, "rows": np.ones((2, 1)), "pairs": [np.ones(3), 0.3], "square": [[2]]},
        },
        "param_groups": [{"lr": np.float64(0.1), "nesterov": False, "params": [0]}],
        "optimizer": "SGD",
    }
    theirs = bridge.to_torch(ours)
    entry = theirs["state"][0]
    assert entry["step"].item() == 3
    assert entry["step"].dtype == torch.get_default_dtype()
    assert entry["buffer"] is None
    assert entry["mean"].dtype == torch.float32
    other = theirs["state"][1]
    assert other["eta"] == torch.tensor(0.1, dtype=torch.float64), "to the last digit"
    assert other["rows"].shape == (2, 1)
    assert other["pairs"][0].shape == (3,)
    assert other["pairs"][1] == torch.tensor(0.3, dtype=torch.float64)
    assert other["square"][0][0] == torch.tensor(2.0)
    assert type(theirs["param_groups"][0]["lr"]) is float
    assert theirs["param_groups"][0]["nesterov"] is False


def test_an_array_of_rates_is_refused():
    p = Parameter(np.zeros((4, 2)))
    ours = SGD([p], lr=np.full((4, 1), 0.1))
    with pytest.raises(
        ValueError, match=r"lr must be one number for torch, got an array of \(4, 1\)"
    ):
        bridge.to_torch(ours.state_dict())


def test_a_wrappers_state_is_refused():
    ours = EMA(SGD([Parameter([0.0])]))
    with pytest.raises(ValueError, match="state_dict must be no wrapper's, got one of EMA"):
        bridge.to_torch(ours.state_dict())


def test_tensors_that_numpy_lacks_or_that_need_a_gradient_come_from_torch():
    torchs = {
        "state": {0: {"mean": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}},
        "param_groups": [{"lr": torch.tensor(0.1, requires_grad=True), "params": [0]}],
    }
    ours = bridge.from_torch(torchs)
    assert ours["state"][0]["mean"].tolist() == [1.5, -2.0]
    assert ours["state"][0]["mean"].dtype == np.float32
    assert ours["param_groups"][0]["lr"] == np.float32(0.1)
    rate = torch.tensor([0.5], dtype=torch.bfloat16, requires_grad=True)
    assert bridge.scheduler_from_torch({"base_lrs": [rate]})["base_lrs"][0].tolist() == [0.5]


SCHEDULERS = [
    (schedulers.StepLR, {"step_size": 2}),
    (schedulers.ReduceLROnPlateau, {"patience": 0}),
]


@pytest.mark.parametrize("lr", [0.1, np.array([0.1, 0.2])], ids=["number", "array"])
@pytest.mark.parametrize(("kind", "arguments"), SCHEDULERS)
def test_torch_saves_and_loads_a_schedule(kind, arguments, lr, tmp_path):
    def walk(scheduler, optimizer, steps):
        rates = []
        for t in range(steps):
            optimizer.step()
            scheduler.step(*([float(t)] if scheduler._needs_metric() else []))
            rates.append(np.copy(optimizer.param_groups[0]["lr"]).tolist())
        return rates

    optimizers = [SGD([Parameter([1.0, 2.0])], lr=lr) for _ in range(2)]
    first, other = (kind(optimizer, **arguments) for optimizer in optimizers)
    walk(first, optimizers[0], 3)
    saved = {"optimizer": optimizers[0].state_dict(), "scheduler": first.state_dict()}
    torch.save(bridge.with_tensors(saved), tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt")
    optimizers[1].load_state_dict(loaded["optimizer"])
    other.load_state_dict(loaded["scheduler"])
    assert walk(other, optimizers[1], 5) == walk(first, optimizers[0], 5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("StepLR", {"step_size": 3, "gamma": 0.5}),
        ("MultiStepLR", {"milestones": [4, 9, 11], "gamma": 0.2}),
        ("ExponentialLR", {"gamma": 0.9}),
    ],
)
def test_a_schedule_crosses_to_torch_and_back(start, gradients, name, arguments):
    ours_kind, torchs_kind = getattr(schedulers, name), getattr(torch.optim.lr_scheduler, name)
    params, optimizer = torchs_of(start)

    def walk(scheduler, steps):
        rates = []
        for gradient in gradients[:steps]:
            run(params, optimizer, [gradient])
            scheduler.step()
            rates.append([group["lr"] for group in optimizer.param_groups])
        return rates

    found = walk(ours := ours_kind(optimizer, **arguments), 5)
    saved = [group["lr"] for group in optimizer.param_groups]
    theirs = torchs_kind(optimizer, **arguments)
    theirs.load_state_dict(bridge.scheduler_to_torch(ours.state_dict()))
    assert theirs._step_count == 6, "torch counts its constructor's step too"
    set_rates(optimizer, saved)
    found += walk(theirs, 3)
    saved = [group["lr"] for group in optimizer.param_groups]
    ours = ours_kind(optimizer, **arguments)
    ours.load_state_dict(bridge.scheduler_from_torch(theirs.state_dict()))
    set_rates(optimizer, saved)
    found += walk(ours, 5)

    _, optimizer = torchs_of(start)
    expected = ours_kind(optimizer, **arguments).preview(14)[1:]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def set_rates(optimizer, rates):
    """The rates are the optimizer's to load, not the scheduler's."""
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate


def test_a_state_with_tensors_is_the_same_and_a_copy():
    state = {"betas": (0.9, np.float64(0.5)), "lists": [np.ones(2, np.float32), None], 3: "word"}
    found = bridge.with_tensors(state)
    assert list(found) == ["betas", "lists", 3]
    assert repr(found["betas"]) == "(0.9, 0.5)"
    assert found["lists"][0].dtype == torch.float32
    assert found["lists"][1] is None
    assert found[3] == "word"
    found["lists"][0].zero_()
    assert state["lists"][0].all()
