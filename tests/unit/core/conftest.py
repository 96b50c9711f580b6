"""What tests that fold again share."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[False, True], ids=["read again", "kept"])
def kept(request: pytest.FixtureRequest) -> bool:
    """Whether customers and their earlier states stay in memory."""
    return bool(request.param)
