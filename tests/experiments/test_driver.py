"""Our optimizers train torch's networks in the memory that these have."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from optim_scratch.experiments import bridge, models, train
from optim_scratch.experiments.driver import Driver
from optim_scratch.optimizers import EMA, LBFGS, SAM, SGD, Adam, AdamW, Lookahead, Muon
from optim_scratch.schedulers import StepLR

METHODS = [
    (SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4}),
    (Adam, {"lr": 1e-3}),
    (AdamW, {"lr": 1e-3, "weight_decay": 0.1}),
]


def batches(dtype, count=20):
    """Made-up images and labels."""
    random = torch.Generator().manual_seed(0)
    return [
        (
            torch.randn(4, 3, 32, 32, generator=random, dtype=dtype),
            torch.randint(10, (4,), generator=random),
        )
        for _ in range(count)
    ]


def relative(ours, theirs):
    """The greatest difference, over the greatest entry, of each parameter."""
    with torch.no_grad():
        return max(
            float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs, strict=True)
        )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("kind", "options"), METHODS, ids=["SGD", "Adam", "AdamW"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)])
def test_20_updates_of_the_vgg_equal_torchs(kind, options, layout, dtype, tolerance):
    """With the gradients of torch's run: a network makes much of the last digit of a weight."""
    network = models.build("vgg", 10, seed=0).to(dtype=dtype, memory_format=layout)
    twin = copy.deepcopy(network)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # torch keeps its counts so
    try:
        ours = Driver(network.parameters(), kind, **options)
        theirs = getattr(torch.optim, kind.__name__)(twin.parameters(), **options)
        for images, labels in batches(dtype):
            theirs.zero_grad()
            cross_entropy(twin(images), labels).backward()
            for p, q in zip(network.parameters(), twin.parameters(), strict=True):
                p.grad = q.grad.clone()
            ours.step()
            theirs.step()
            assert relative(network.parameters(), twin.parameters()) <= tolerance
    finally:
        torch.set_default_dtype(before)


def line(bias=True):
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2, bias=bias)


def test_groups_have_hyper_parameters_of_their_own():
    ours, theirs = line(), line()
    groups = [[{"params": [n.weight], "lr": 0.5}, {"params": n.bias}] for n in (ours, theirs)]
    driver = Driver(groups[0], SGD, lr=0.1)
    reference = torch.optim.SGD(groups[1], lr=0.1)
    for network, optimizer in ((ours, driver), (theirs, reference)):
        network(torch.ones(1, 3)).square().sum().backward()
        optimizer.step()
    assert relative(ours.parameters(), theirs.parameters()) <= 1e-6


def test_a_parameter_without_gradient_stays():
    network = line()
    network.bias.requires_grad_(False)
    before = network.bias.clone()
    driver = Driver(network.parameters(), Adam, lr=0.1, weight_decay=0.5)
    network(torch.ones(1, 3)).sum().backward()
    driver.step()
    driver.zero_grad(set_to_none=False)
    assert torch.equal(network.bias, before)
    assert network.bias.grad is None
    assert not network.weight.grad.any()


def test_a_gradient_of_another_layout_than_its_parameter():
    p = torch.nn.Parameter(torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last))
    p.grad = torch.arange(96.0).reshape(2, 3, 4, 4)
    Driver([p], SGD, lr=1.0).step()
    assert torch.equal(p, 1 - torch.arange(96.0).reshape(2, 3, 4, 4))
    assert p.is_contiguous(memory_format=torch.channels_last)


def test_memory_that_torch_put_elsewhere_is_found_again():
    network = line()
    driver = Driver(network.parameters(), SGD, lr=1.0)
    network.weight.data = torch.ones(2, 3)
    network(torch.ones(1, 3)).sum().backward()
    driver.step()
    assert torch.equal(network.weight, torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: torch.ones(3, 2), r"must stay of shape \(2, 3\) and float32, got \(3, 2\)"),
        (lambda p: p.double(), r"must stay of .* got \(2, 3\) and float64"),
        (lambda p: p.bfloat16(), "params must be of float16, .* got bfloat16"),
    ],
)
def test_a_parameter_that_became_another_is_refused(change, message):
    network = line(bias=False)
    driver = Driver(network.parameters(), SGD, lr=1.0)
    network.weight.data = change(network.weight.data)
    with pytest.raises((TypeError, ValueError), match=message):
        driver.step()


def test_a_scheduler_of_ours_drives_it():
    network = line()
    driver = Driver(network.parameters(), SGD, lr=1.0)
    scheduler = StepLR(driver, 1, 0.5)
    network(torch.ones(1, 3)).sum().backward()
    driver.step()
    scheduler.step()
    assert driver.optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize(
    "make",
    [
        lambda groups: LBFGS(groups, line_search_fn="strong_wolfe"),
        lambda groups: SAM(SGD(groups, lr=0.1)),
        lambda groups: Lookahead(Adam(groups, lr=0.1), k=2),
    ],
)
def test_methods_that_look_again_and_wrappers(make):
    network, inputs = line(), torch.eye(3)
    driver = Driver(network.parameters(), make)
    losses = []

    def closure():
        driver.zero_grad()
        loss = (network(inputs) - 1).square().sum()
        loss.backward()
        losses.append(float(loss.detach()))
        return loss

    first = driver.step(closure)
    for _ in range(10):
        driver.step(closure)
    assert float(first.detach()) == losses[0]
    assert losses[-1] < 0.2 * losses[0]


def test_at_the_point_the_network_is_the_average_and_back_afterwards():
    network = line(bias=False)
    driver = Driver(network.parameters(), lambda groups: EMA(SGD(groups, lr=1.0), decay=0.5))
    weights = []
    for _ in range(2):
        driver.zero_grad()
        network(torch.ones(1, 3)).sum().backward()
        driver.step()
        weights.append(network.weight.detach().clone())
    with driver.at_point():
        torch.testing.assert_close(network.weight.detach(), (weights[0] + weights[1]) / 2)
    assert torch.equal(network.weight, weights[1])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ([np.ones(2)], TypeError, "params must hold torch parameters, got numpy.ndarray"),
        (5, TypeError, "params must be torch parameters, or an iterable"),
        ([{"lr": 0.1}], TypeError, 'a parameter group must be a dict with "params"'),
        ([], ValueError, "at least one parameter, got an empty group"),
        (
            [torch.ones(2, dtype=torch.bfloat16)],
            TypeError,
            "of float16, .*, got bfloat16",
        ),
        ([torch.ones(2, dtype=torch.int64)], TypeError, "got int64"),
        ([torch.ones(2, device="meta")], ValueError, "params must be on a CPU, .* got meta"),
        (
            [torch.eye(2).to_sparse()],
            TypeError,
            r"params must be dense, got layout torch\.sparse",
        ),
    ],
)
def test_refuses_parameters(params, error, message):
    with pytest.raises(error, match=message):
        Driver(params, SGD, lr=0.1)


def test_refuses_a_sparse_gradient_and_torchs_optimizer():
    table = torch.nn.Embedding(5, 2, sparse=True)
    driver = Driver(table.parameters(), SGD, lr=0.1)
    table(torch.tensor([1])).sum().backward()
    with pytest.raises(TypeError, match=r"gradients must be dense, got layout torch\.sparse"):
        driver.step()
    with pytest.raises(TypeError, match=r"optimizer must make one of ours, got torch\.optim"):
        Driver([torch.ones(2)], lambda groups: torch.optim.SGD([torch.ones(2)]))
    with pytest.raises(TypeError, match="closure must be callable, got 3"):
        Driver([torch.ones(2)], SGD).step(3)


def test_state_crosses_from_torch_in_mid_run():
    ours, theirs = line(), line()
    data = torch.eye(3)
    driver, reference = Driver(ours.parameters(), Adam), torch.optim.Adam(theirs.parameters())
    for network, optimizer in ((theirs, reference),):
        for _ in range(3):
            optimizer.zero_grad()
            network(data).square().sum().backward()
            optimizer.step()
    ours.load_state_dict(theirs.state_dict())
    driver.load_state_dict(reference.state_dict())
    for network, optimizer in ((ours, driver), (theirs, reference)):
        optimizer.zero_grad()
        network(data).square().sum().backward()
        optimizer.step()
    assert relative(ours.parameters(), theirs.parameters()) < 1e-6


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_flattened_kernel_moves_as_the_matrix_would(layout):
    """torch's Muon takes matrices alone: it is given those, in the order in·k·k."""
    torch.manual_seed(0)
    kernel = torch.nn.Parameter(torch.randn(4, 3, 2, 2).to(memory_format=layout))
    matrix = torch.nn.Parameter(kernel.detach().reshape(4, 12).clone())
    options = {"lr": 0.1, "weight_decay": 0.1}
    driver = Driver([kernel], Muon, flattened=True, **options)
    reference = torch.optim.Muon([matrix], **options)
    for _ in range(3):
        gradient = torch.randn(4, 3, 2, 2)
        kernel.grad, matrix.grad = gradient.to(memory_format=layout), gradient.reshape(4, 12)
        driver.step()
        reference.step()
    assert kernel.is_contiguous(memory_format=layout)
    # torch iterates in bfloat16
    assert (kernel.detach().reshape(4, 12) - matrix).abs().max() < 0.01


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "make",
    [
        lambda groups: SAM(SGD(groups, lr=0.1), rho=0.5),
        lambda groups: EMA(SGD(groups, lr=0.1), decay=0.5),
        lambda groups: LBFGS(groups, lr=0.1),
    ],
    ids=["SAM", "EMA", "LBFGS"],
)
def test_an_elementwise_method_does_not_see_that_it_is_flattened(make, layout):
    """Those that look again or elsewhere put the copies back in between."""
    torch.manual_seed(0)
    start, seen = torch.randn(2, 3, 2, 2), []
    for flattened in (False, True):
        kernel = torch.nn.Parameter(start.clone().to(memory_format=layout))
        driver = Driver([kernel], make, flattened=flattened)

        def look(kernel=kernel, driver=driver):
            driver.zero_grad()
            loss = (kernel**4).sum() + kernel[0].sum()
            loss.backward()
            return loss

        losses = [float(driver.step(look)) for _ in range(4)]
        with driver.at_point():
            losses.append(kernel.detach().pow(4).sum().item())
        losses.append(kernel.detach().pow(4).sum().item())
        seen.append(losses)
    assert seen[1] == pytest.approx(seen[0], rel=1e-5)
    assert seen[0][0] != seen[0][3]


def test_vectors_and_matrices_are_flat_already():
    network = line()
    seen = []
    Driver(network.parameters(), lambda groups: seen.extend(groups) or SGD(groups), flattened=True)
    assert [p.shape for p in seen[0]["params"]] == [(2, 3), (2,)]
    with pytest.raises(TypeError, match="flattened must be True or False, got 1"):
        Driver(network.parameters(), SGD, flattened=1)


def test_a_closure_that_fails_leaves_the_kernel_where_it_was():
    kernel = torch.nn.Parameter(torch.ones(2, 3, 2, 2).to(memory_format=torch.channels_last))
    driver = Driver([kernel], lambda groups: SAM(SGD(groups, lr=0.1), rho=0.5), flattened=True)
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 2:
            assert not torch.equal(kernel, torch.ones_like(kernel)), "SAM looks elsewhere"
            raise KeyboardInterrupt
        kernel.square().sum().backward()
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        driver.step(look)
    assert torch.equal(kernel, torch.ones_like(kernel))


OURS = [
    {"optimizer": "SGD", "library": "optim_scratch"},
    {"optimizer": "Adam", "optimizer_arguments": {"lr": 1e-3}, "library": "optim_scratch"},
    {"optimizer": "SGDScheduleFree", "optimizer_arguments": {"lr": 0.05}},
    {
        "optimizer": "Lookahead",
        "optimizer_arguments": {"k": 2, "optimizer": {"optimizer": "Adam", "lr": 1e-3}},
    },
    {
        "optimizer": "SAM",
        "optimizer_arguments": {"optimizer": {"optimizer": "SGD", "lr": 0.01, "momentum": 0.9}},
    },
    {
        "optimizer": "Muon",
        "optimizer_arguments": {"lr": 1e-3},
        "library": "optim_scratch",
        "flattened": True,
    },
]


class Interrupts(train.Watcher):
    """Ctrl-C in the second epoch."""

    def batch(self, epoch, images, lr, loss, accuracy):
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("changes", OURS, ids=lambda changes: changes["optimizer"])
def test_an_interrupted_run_of_ours_ends_bit_identical(
    changes, recipe, images, tmp_path, without_times
):
    recipe = replace(recipe, **changes)
    whole = train.train(recipe, 5, images, checkpoint=tmp_path / "whole.pt")
    with pytest.raises(KeyboardInterrupt):
        train.train(recipe, 5, images, None, tmp_path / "parts.pt", Interrupts())
    parts = train.train(recipe, 5, images, checkpoint=tmp_path / "parts.pt")
    assert without_times(parts) == without_times(whole)


def test_a_recipe_of_ours_trains_as_one_of_torchs(recipe, images):
    with_ours = replace(recipe, library="optim_scratch")
    for each, kind in ((recipe, torch.optim.SGD), (with_ours, Driver)):
        assert type(train.Run(each, 5, images, train.Settings()).optimizer) is kind
    theirs, ours = (train.train(each, 5, images)["epochs"] for each in (recipe, with_ours))
    for a, b in zip(ours, theirs, strict=True):
        assert a["running_loss"] == pytest.approx(b["running_loss"], rel=1e-5)


def test_a_method_that_averages_is_evaluated_at_its_average(recipe, images):
    run = train.Run(
        replace(recipe, optimizer="SGDScheduleFree", optimizer_arguments={"lr": 0.05}),
        0, images, train.Settings(),
    )  # fmt: skip
    row = run.epoch(train.Watcher())
    here = run.evaluate(run.test_set)[0]
    with run.optimizer.at_point():
        there = run.evaluate(run.test_set)[0]
    assert row["test_loss"] == there != here


def test_the_loss_of_an_update_is_that_before_it(recipe, images):
    run = train.Run(replace(recipe, **OURS[4]), 0, images, train.Settings())
    batch = next(iter(run.train_set.epoch(15, 0)))
    expected = cross_entropy(run.model(batch[0]), batch[1]).item()
    assert run.update(*batch)[0].item() == expected


def test_an_unknown_optimizer_is_named(recipe, images):
    with pytest.raises(ValueError, match="optimizer must be torch's or ours, got 'Nadam'"):
        train.train(replace(recipe, optimizer="Nadam"), 0, images)


def test_torch_saves_and_loads_a_state_with_tensors(tmp_path):
    network = line()
    driver = Driver(network.parameters(), lambda groups: EMA(Adam(groups, betas=(0.8, 0.9))))
    network(torch.eye(3)).sum().backward()
    driver.step()
    torch.save(bridge.with_tensors(driver.state_dict()), tmp_path / "state.pt")
    loaded = torch.load(tmp_path / "state.pt")
    before = repr(driver.state_dict())
    driver.load_state_dict(loaded)
    assert repr(driver.state_dict()) == before
