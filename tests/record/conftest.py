"""Fixtures of the recording's tests."""

import pytest
import torch


@pytest.fixture
def seeded():
    """The same weights in every run."""
    torch.manual_seed(0)
