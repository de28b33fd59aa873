import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.optimizers import SGD
from optim_scratch.training import decay_groups, layer_groups

W, T = Parameter([1.0]), torch.nn.Parameter(torch.ones(2, 2))


def three_layers():
    return [[Parameter(np.zeros((2, 2))), Parameter(np.zeros(2))] for _ in range(3)]


def test_layer_groups_shrink_the_rate_towards_the_input():
    layers = three_layers()
    groups = layer_groups(layers, lr=0.26, decay=1 / 2.6, momentum=0.9)
    assert [group["params"] for group in groups] == layers
    expected = [0.26 / 2.6**2, 0.1, 0.26]
    np.testing.assert_allclose([group["lr"] for group in groups], expected, rtol=1e-12)
    assert [group["momentum"] for group in SGD(groups, lr=1.0).param_groups] == [0.9] * 3


def test_frozen_layers_get_no_group_and_the_rates_of_the_rest_stay():
    layers = three_layers()
    groups = layer_groups(layers, lr=1.0, decay=0.5, frozen=1)
    assert [(group["params"], group["lr"]) for group in groups] == [
        (layers[1], 0.5),
        (layers[2], 1.0),
    ]


def test_a_layer_may_be_one_parameter_ours_or_torchs():
    mine, other = Parameter(np.zeros((2, 2))), torch.nn.Parameter(torch.zeros(3, 3))
    groups = layer_groups([mine, other], lr=1.0)
    assert groups[0]["params"][0] is mine
    assert groups[1]["params"][0] is other
    assert [group["weight_decay"] for group in decay_groups(other, 0.1)] == [0.1]


def test_decay_groups_spare_vectors_and_keep_each_groups_own():
    layers = three_layers()
    groups = decay_groups(layer_groups(layers, lr=1.0, decay=0.5), 0.01)
    assert [group["lr"] for group in groups] == [0.25, 0.25, 0.5, 0.5, 1.0, 1.0]
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0] * 3
    assert [group["params"] for group in groups] == [[p] for layer in layers for p in layer]


@pytest.mark.parametrize("shape", [(), (4,)])
def test_decay_groups_leave_out_the_empty_one(shape):
    assert [g["weight_decay"] for g in decay_groups([Parameter(np.zeros(shape))], 0.1)] == [0.0]


def test_rates_and_decays_of_many_runs():
    layers = [Parameter(np.zeros((3, 2))), Parameter(np.zeros((3, 2)))]
    many = np.array([[0.1], [0.2], [0.4]])
    groups = decay_groups(layer_groups(layers, lr=many, decay=0.5), many)
    np.testing.assert_array_equal([g["lr"] for g in groups], [many / 2, many])
    np.testing.assert_array_equal([g["weight_decay"] for g in groups], [many, many])
    assert SGD(groups, lr=1.0).param_groups[0]["lr"].shape == (3, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: layer_groups(3, 0.1), TypeError, "layers must be a sequence of layers, got 3"),
        (lambda: layer_groups([3], 0.1), TypeError, r"layers\[0\] must be a parameter or an it"),
        (
            lambda: layer_groups([W, [3]], 0.1),
            TypeError,
            r"layers\[1\] must hold parameters, got int",
        ),
        (lambda: layer_groups([W], -0.1), ValueError, "lr must be finite and >= 0, got -0.1"),
        (
            lambda: layer_groups([W], 0.1, 0.0),
            ValueError,
            r"decay must be finite and in \(0, 1\], got 0",
        ),
        (
            lambda: layer_groups([W], 0.1, 2.6),
            ValueError,
            r"decay must be finite and in \(0, 1\], got 2.6",
        ),
        (lambda: layer_groups([W], 0.1, frozen=1), ValueError, "must leave one of 1 layers, got 1"),
        (lambda: layer_groups([], 0.1), ValueError, "must leave one of 0 layers, got 0"),
        (lambda: layer_groups([W], 0.1, frozen=-1), ValueError, "frozen must be >= 0, got -1"),
        (lambda: layer_groups(W, 0.1), TypeError, "layers must be a sequence of layers, got one"),
        (lambda: layer_groups(T, 0.1), TypeError, "layers must be a sequence of layers, got one"),
        (lambda: layer_groups(2 * T, 0.1), TypeError, "layers must be a sequence of layers, got"),
        (
            lambda: layer_groups([W, 2 * T], 0.1),
            TypeError,
            r"layers\[1\] must hold parameters, got",
        ),
        (lambda: layer_groups("ab", 0.1), TypeError, r"layers\[0\] must hold parameters, got str"),
        (lambda: layer_groups([W], [[0.1], []]), TypeError, "lr must be a real number or an array"),
        (lambda: layer_groups([W], "1"), TypeError, "lr must be a real number, got '1'"),
        (lambda: layer_groups([W], 0.1, np.ones(1)), TypeError, "decay must be a real number, got"),
        (lambda: layer_groups([W], 0.1, params=[W]), TypeError, "params must not be given"),
        (lambda: decay_groups([{}], 0.1), TypeError, r"params\[0\] must be a group with the key"),
        (lambda: decay_groups([W, {}], 0.1), TypeError, r"params\[0\] must be a group with the k"),
        (lambda: decay_groups([{"params": 3}], 0.1), TypeError, r"params\[0\] must be a parameter"),
        (lambda: decay_groups([{"params": []}], 0.1), ValueError, "params must hold at least one"),
        (lambda: decay_groups(T.sum(), 0.1), TypeError, "params must hold parameters, got torch"),
        (lambda: decay_groups(2 * T, 0.1), TypeError, "params must hold parameters, got torch"),
        (
            lambda: decay_groups([W], [[1.0], []]),
            TypeError,
            "weight_decay must be a real number or",
        ),
        (lambda: decay_groups([W], -1), ValueError, "weight_decay must be finite and >= 0, got -1"),
        (lambda: decay_groups([], 0.1), ValueError, "params must hold at least one parameter"),
        (lambda: decay_groups(3, 0.1), TypeError, "params must be a parameter, or an iterable of"),
        (lambda: decay_groups([3], 0.1), TypeError, "params must hold parameters, got int"),
    ],
)
def test_groups_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()
