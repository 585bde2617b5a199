"""The demo ends on request."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ml_backend.demo.signals import interrupts_on_request


@pytest.fixture
def ignored() -> Iterator[None]:
    """As a shell leaves a command that it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ignored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_interrupt_even_when_the_shell_has_them_ignored(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_on_request():
        os.kill(os.getpid(), number)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
