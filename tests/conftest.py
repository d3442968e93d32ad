"""Options and fixtures for all tests."""

import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--renew-payloads", action="store_true", help="write tests/payloads anew from the Python side"
    )


@pytest.fixture
def renew_payloads(request):
    return request.config.getoption("--renew-payloads")
