from functools import partial

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.training import clip_grad_norm_, clip_grad_value_

NORMS = [0.5, 1, 2, 2.0, 3, 7.5, np.inf]


def twins(gradients, dtype=np.float64):
    """Parameters of ours and torch's with the same gradients; None stays None."""
    ours = [Parameter(np.zeros(np.shape(g) if g is not None else 2, dtype)) for g in gradients]
    theirs = [torch.nn.Parameter(torch.from_numpy(p.data.copy())) for p in ours]
    for mine, other, g in zip(ours, theirs, gradients, strict=True):
        if g is not None:
            mine.grad = np.array(g, dtype)
            other.grad = torch.from_numpy(np.array(g, dtype))
    return ours, theirs


def assert_same_gradients(ours, theirs, rtol=1e-12):
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.grad is None) == (other.grad is None)
        if mine.grad is not None:
            np.testing.assert_allclose(mine.grad, other.grad.numpy(), rtol=rtol, atol=0)


def drawn(scale):
    rng = np.random.default_rng(0)
    return [scale * rng.standard_normal((3, 4)), None, scale * rng.standard_normal(5), [0.0]]


@pytest.mark.parametrize("norm_type", NORMS)
@pytest.mark.parametrize("scale", [1e-8, 0.1, 1.0, 1e5])
@pytest.mark.parametrize("max_norm", [1e-3, 1, 2.5, np.inf])
def test_clip_grad_norm_is_torchs(norm_type, scale, max_norm):
    ours, theirs = twins(drawn(scale))
    found = clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert found == pytest.approx(expected.item(), rel=1e-12)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("norm_type", [1, 2, np.inf])
def test_clip_grad_norm_is_torchs_in_float32(norm_type):
    ours, theirs = twins(drawn(3.0), np.float32)
    clip_grad_norm_(ours, 1.0, norm_type)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert_same_gradients(ours, theirs, rtol=1e-6)
    assert ours[0].grad.dtype == np.float32


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("norm_type", [1, 2, np.inf])
def test_infinities_and_nan_flow_as_in_torch(bad, norm_type):
    ours, theirs = twins([[1.0, bad], [2.0, 3.0]])
    found = clip_grad_norm_(ours, 1.0, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0, norm_type)
    assert found == pytest.approx(expected.item(), nan_ok=True)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_norm_that_is_not_finite_is_refused_on_request_and_nothing_changes(bad):
    ours, _ = twins([[1.0, bad], [2.0, 3.0]])
    with pytest.raises(FloatingPointError, match=f"gradient's norm of type 2.0 is {bad}"):
        clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    assert ours[1].grad.tolist() == [2.0, 3.0]


def test_no_gradient_has_the_norm_0():
    assert clip_grad_norm_([Parameter([1.0])], 1.0) == 0.0


@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize("norm_type", [0.5, 1, 2, 40.0])
def test_norms_beyond_what_a_power_can_hold(size, norm_type):
    ours, _ = twins([[size, -size], [0.0, size]])
    norm = clip_grad_norm_(ours, size / 2, norm_type)
    assert norm == pytest.approx(size * 3 ** (1 / norm_type), rel=1e-12)
    expected = size if size < 1e-6 else size * (size / 2 / norm)
    assert ours[0].grad[0] == pytest.approx(expected, rel=1e-12)


def test_a_float16_gradient_is_shortened_by_more_than_float16_holds():
    ours, _ = twins([np.full(10_000, 30_000)], np.float16)
    assert clip_grad_norm_(ours, 0.01) == pytest.approx(3e6)
    expected = np.float16(0.01 / 100)  # c over √n
    assert (ours[0].grad.dtype, ours[0].grad[0]) == (np.float16, expected)


def test_a_limit_beyond_float16_bounds_nothing_in_it():
    gradient = np.array([6e4, -np.inf], np.float16)
    ours, _ = twins([gradient], np.float16)
    clip_grad_value_(ours, 1e6)
    assert ours[0].grad.tolist() == gradient.tolist()


@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_clipping_takes_a_number_and_read_only_gradients(clip):
    p = Parameter(1.0)
    p.grad = np.array(3.0)
    p.grad.flags.writeable = False
    clip(p, np.float32(0.5))
    assert p.grad.shape == ()
    assert p.grad == pytest.approx(0.5, rel=1e-6)


def test_a_shared_array_is_clipped_once_and_left_as_it_was():
    shared = np.array([30.0, 40.0])
    ours = [Parameter(np.ones(2)), Parameter(np.ones(2))]
    for p in ours:
        p.grad = shared
    clip_grad_norm_(ours, 1.0)
    clip_grad_value_(ours, 0.1)
    assert shared.tolist() == [30.0, 40.0]
    assert ours[0].grad.tolist() == ours[1].grad.tolist() == [0.1, 0.1]


def test_clipping_takes_a_generator_and_one_parameter():
    ours, theirs = twins([[3.0, 4.0], [12.0]])
    assert clip_grad_norm_((p for p in ours), 1.0) == pytest.approx(13.0)
    torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    assert_same_gradients(ours, theirs)
    clip_grad_value_(ours[0], 0.01)
    assert ours[0].grad.tolist() == [0.01, 0.01]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("clip_value", [0.1, 1, 100.0, np.inf])
def test_clip_grad_value_is_torchs(clip_value, dtype):
    gradients = [*drawn(1.0), [np.inf, -np.inf, np.nan]]
    ours, theirs = twins(gradients, dtype)
    clip_grad_value_(ours, clip_value)
    torch.nn.utils.clip_grad_value_(theirs, clip_value)
    assert_same_gradients(ours, theirs, rtol=0)
    assert ours[0].grad.dtype == dtype


W = Parameter([1.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (partial(clip_grad_norm_, W, 0), ValueError, "max_norm must be > 0, got 0"),
        (partial(clip_grad_norm_, W, -1.0), ValueError, "max_norm must be > 0, got -1.0"),
        (partial(clip_grad_norm_, W, np.nan), ValueError, "max_norm must be > 0, got nan"),
        (partial(clip_grad_norm_, W, "1"), TypeError, "max_norm must be a real number, got '1'"),
        (partial(clip_grad_norm_, W, True), TypeError, "max_norm must be a real number, got True"),
        (partial(clip_grad_norm_, W, 1.0, 0), ValueError, "norm_type must be > 0, got 0"),
        (partial(clip_grad_norm_, W, 1.0, -np.inf), ValueError, "norm_type must be > 0, got -inf"),
        (partial(clip_grad_norm_, W, 1.0, "fro"), TypeError, "norm_type must be a real number"),
        (partial(clip_grad_norm_, W, 1.0, 2.0, 1), TypeError, "error_if_nonfinite must be True or"),
        (partial(clip_grad_norm_, [], 1.0), ValueError, "parameters must hold at least one"),
        (partial(clip_grad_norm_, [W, W], 1.0), ValueError, "parameters must not hold a param"),
        (partial(clip_grad_value_, [W, W], 1.0), ValueError, "parameters must not hold a param"),
        (partial(clip_grad_norm_, W, np.ones(2)), TypeError, "max_norm must be a real number"),
        (partial(clip_grad_value_, W, np.nan), ValueError, "clip_value must be > 0, got nan"),
        (partial(clip_grad_norm_, [W, 2.0], 1.0), TypeError, "must hold parameters, got float"),
        (partial(clip_grad_value_, W, 0.0), ValueError, "clip_value must be > 0, got 0.0"),
        (
            partial(clip_grad_value_, W, None),
            TypeError,
            "clip_value must be a real number, got None",
        ),
        (partial(clip_grad_value_, [], 1.0), ValueError, "parameters must hold at least one"),
    ],
)
def test_clipping_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()
