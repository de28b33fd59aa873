import os
import signal
import threading

import pytest

from optim_scratch.experiments import endings


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


@pytest.mark.parametrize("name", endings.NAMES)
def test_each_signal_raises_and_is_as_before_afterwards(name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    with endings.Endings(), pytest.raises(endings.Stopped, match=name) as found:
        send(number)
    assert found.value.number == number
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with endings.Endings() as heard:
            send(signal.SIGHUP)
            heard.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_waits_where_it_is_held():
    reached = []

    def block(heard):
        with heard.held():
            send(signal.SIGTERM, signal.SIGHUP)  # a second one soon after is not heard
            reached.append(True)

    with endings.Endings() as heard, pytest.raises(endings.Stopped, match="SIGTERM"):
        block(heard)
    assert reached


def test_a_second_signal_ends_the_process_at_once(monkeypatch):
    left = []
    monkeypatch.setattr(endings, "CLEANING", -1.0)
    monkeypatch.setattr(os, "_exit", left.append)
    with endings.Endings():
        with pytest.raises(endings.Stopped):
            send(signal.SIGINT)
        send(signal.SIGTERM)
    assert left == [128 + signal.SIGTERM]


def test_another_thread_has_no_handlers():
    failed = []

    def elsewhere():
        try:
            with endings.Endings() as heard:
                assert heard.before == {}
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert failed == []
