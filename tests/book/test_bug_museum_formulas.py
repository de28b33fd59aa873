"""Room 5, formulas, of the bug museum."""

import numpy as np
import torch
from museum import checked, close, exhibit, output_of, rooms
from torch.optim import lr_scheduler

from optim_scratch import Parameter, schedulers
from optim_scratch.optimizers import Adam


@exhibit("Adam gives nan where the gradient is zero")
def test_epsilon_outside(shown):
    _, wrong, right = (np.asarray(v) if i else v for i, v in enumerate(shown[0]))
    eps = 1e-6
    close(wrong[:2], [-0.01 + eps, 0.01 + eps])
    assert np.isnan(wrong[2])
    close(right, [-0.01 / (1 + eps), 0.01 / (1 + eps), 0])


@exhibit("Adam gives nan and inf in float16")
def test_half_precision(shown):
    (_, wrong, right), g = shown[0], np.array([1, 0, 1e-4], np.float16)
    assert np.float16(1e-8) == 0
    assert np.float16(1e-7) > 0
    np.testing.assert_array_equal(wrong[1:], [np.nan, -np.inf])
    close(right, [-1, 0, -1 / (1 + 1e-4)], 1e-4)
    ours = Parameter(np.zeros(3, np.float16))
    ours.grad = g
    Adam([ours], lr=0.5).step()
    np.testing.assert_array_equal(ours.data, 0.5 * wrong)
    assert "float16, ε = 1e-7: -1  0  -840" in output_of("Adam gives nan and inf in float16")


@exhibit("Adam takes full steps where the gradient is almost zero")
def test_epsilon_tiny(shown):
    close(shown[0][1], [1, 1 / (1 + 1e-4)], 1e-6)
    close(shown[0][2], [1 / (1 + 1e-8), 1e-12 / (1e-12 + 1e-8)], 1e-6)
    assert torch.optim.Adam([torch.zeros(1)]).defaults["eps"] == 1e-8


@exhibit("RMSprop takes huge steps where gradients are large")
def test_multiplied(shown):
    g = np.array([100.0, 0.01])
    close(shown[0][1], 0.01 * 0.1 * g**2, 1e-5)
    close(shown[0][2], [0.1, 0.1], 1e-4)


@exhibit("Adagrad barely moves where gradients are large")
def test_rootless(shown):
    close(shown[0][1], [0.1 / 100, 0.1 / 0.01], 1e-5)
    close(shown[0][2], [0.1, 0.1], 1e-5)


@exhibit("RMSprop without a rate never settles")
def test_rateless(shown):
    assert shown[0][1] > 0.4
    assert shown[0][2] < 1e-6


@exhibit("The steps of Adam do not get smaller")
def test_adam_steps(shown):
    close(shown[0][1], [1, 10**-0.5, 1000**-0.5], 1e-6)
    close(shown[0][2], [1, 1, 1], 1e-6)


@exhibit("AMSGrad steps stay short after a spike of the gradient")
def test_amsgrad(shown):
    assert abs(shown[0][1]) < 1e-12
    largest = 0.001 * 100**2  # v after the spike, which no later v exceeds
    correction = 1 - 0.999**8001
    close(shown[0][2], np.sqrt(correction / largest), 1e-3)


@exhibit("A worse accuracy counts as an improvement")
def test_thresholds(shown):
    best, threshold = 2.0, 0.1
    close(shown[0][1], best - threshold)
    close(shown[0][2], best * (1 + threshold), 1e-6)
    assert shown[1][1:] == ("max rel", "min abs")
    passed = []
    for build in (lr_scheduler.ReduceLROnPlateau, schedulers.ReduceLROnPlateau):
        plateau = build(torch.optim.SGD([torch.zeros(1)], lr=0.1), mode="max", threshold=threshold)
        plateau.step(best)
        plateau.step(1.95)  # below the best, above best - threshold
        passed.append(plateau.num_bad_epochs == 0)
    assert passed == [False, False]


@exhibit("Gradient descent stops at a saddle")
def test_saddle(shown):
    assert shown[0][1] == 0
    spread = 0.1 * 0.001 * np.sqrt((1.1**200 - 1) / (1.1**2 - 1))  # of y after 100 steps
    assert spread / 100 < shown[0][2] < 4 * spread


def test_no_exhibit_of_the_room_is_without_a_check():
    assert checked(globals()) == rooms()["Room 5: formulas"]
