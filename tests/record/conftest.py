"""Fixtures of the recording's tests."""

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread():
    """Networks this small only wait for a second thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def seeded():
    """The same weights in every run."""
    torch.manual_seed(0)
