import pytest
import torch

from optim_scratch.experiments import machine


@pytest.mark.parametrize(
    ("can", "has"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"avx512_bf16": False, "avx512_f": True, "l2_cache_size": 1}, False),
        ({}, False),
    ],
)
def test_bfloat16_of_a_cpu_as_torch_tells(monkeypatch, can, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can, raising=False)
    assert machine.has_bfloat16("cpu") is has


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("model name\t: A\nflags\t\t: fpu avx512_bf16 sse\n", True),
        ("model name\t: A\nflags\t\t: fpu amx_bf16\n", True),
        ("model name\t: A\nflags\t\t: fpu avx512_bf16x avx512f\n", False),
        ("", False),
        (None, False),
    ],
)
def test_bfloat16_of_a_cpu_as_linux_tells(monkeypatch, tmp_path, text, has):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert machine.has_bfloat16("cpu") is has
    assert not text or machine.device_name(torch.device("cpu")) == "A"


def test_bfloat16_of_a_gpu(monkeypatch):
    generations = {"cuda": (7, 5), "cuda:1": (8, 0), "cuda:2": (9, 0)}
    monkeypatch.setattr(torch.cuda, "get_device_capability", generations.get)
    assert [machine.has_bfloat16(device) for device in generations] == [False, True, True]
    assert not machine.has_bfloat16("mps")
    monkeypatch.setattr(torch.version, "hip", "6.2")
    assert machine.has_bfloat16("cuda")
