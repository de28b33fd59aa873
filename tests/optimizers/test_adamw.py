"""What is AdamW's own; what it shares with every optimizer is tested beside."""

import numpy as np
import pytest
import torch

from optim_scratch import Parameter
from optim_scratch.experiments import bridge
from optim_scratch.optimizers import Adam, AdamW


def test_every_entry_shrinks_by_the_same_factor_whatever_its_gradient():
    p, q = Parameter([1.0, 1.0, 1.0]), Parameter([1.0, 1.0, 1.0])
    decaying, plain = AdamW([p], lr=0.1, weight_decay=0.5), AdamW([q], lr=0.1, weight_decay=0.0)
    p.grad = q.grad = np.array([1e-3, 1.0, 1e3])
    decaying.step()
    plain.step()
    np.testing.assert_allclose(q.data - p.data, 0.05, rtol=1e-12)


def test_at_rate_0_decay_changes_nothing():
    p = Parameter([1.0])
    p.grad = [1.0]
    AdamW([p], lr=0.0, weight_decay=0.5).step()
    assert p.data == 1.0


def test_no_group_may_couple_the_decay():
    with pytest.raises(ValueError, match="decoupled_weight_decay must be True of AdamW"):
        AdamW([{"params": Parameter(0.0), "decoupled_weight_decay": False}])


def test_refuses_the_state_of_torchs_adam_and_takes_one_that_says_nothing():
    ours = AdamW([Parameter([0.0, 0.0])])
    theirs = torch.optim.Adam([torch.nn.Parameter(torch.zeros(2))]).state_dict()
    with pytest.raises(ValueError, match="decoupled_weight_decay must be True of AdamW"):
        ours.load_state_dict(theirs)
    del theirs["param_groups"][0]["decoupled_weight_decay"]
    ours.load_state_dict(theirs)
    assert ours.param_groups[0]["decoupled_weight_decay"] is True


def test_refuses_our_adams_state():
    with pytest.raises(ValueError, match="must be of AdamW, got one of Adam"):
        AdamW([Parameter(0.0)]).load_state_dict(Adam([Parameter(0.0)]).state_dict())


def test_in_torch_the_state_is_adamws():
    theirs = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))])
    theirs.load_state_dict(bridge.to_torch(AdamW([Parameter([0.0, 0.0])]).state_dict()))
    assert theirs.param_groups[0]["decoupled_weight_decay"] is True
