# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The heartbeat of gateways at rest."""

from __future__ import annotations

import time
import types
from pathlib import Path

import pytest

from tests.lab.client import ApiError
from tests.lab.standins import gateway_heartbeat
from tests.lab.standins.gateway_heartbeat import GatewayHeartbeat


class Stop:
    """Lets so many rounds go by."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def wait(self, seconds: float) -> bool:
        assert seconds == gateway_heartbeat.INTERVAL_SECONDS
        self.rounds -= 1
        return self.rounds < 0


class Api:
    def __init__(self, error=None) -> None:
        self.error = error
        self.patches = []

    def list(self, path):
        if self.error:
            raise self.error
        return [{"metadata": {"name": "beats", "annotations": {"update-timestamp": "1"}}}, {"metadata": {"name": "silent"}}]

    def merge_patch(self, path, patch):
        self.patches.append((path.rpartition("/")[2], int(patch["metadata"]["annotations"]["update-timestamp"])))


def run(api, rounds):
    cluster = types.SimpleNamespace(client=lambda name: api)
    GatewayHeartbeat(Path("lab"), cluster, None).run(Stop(rounds))


def test_only_gateways_with_a_heartbeat_get_one():
    api = Api()
    run(api, 2)
    assert [name for name, _beat in api.patches] == ["beats", "beats"]
    assert abs(api.patches[0][1] - time.time()) < 60


@pytest.mark.parametrize("status", [0, 404, 409, 503])
def test_an_api_server_that_is_away_is_waited_for(status):
    api = Api(ApiError(status, "x", "x"))
    run(api, 3)
    assert api.patches == []


def test_other_errors_are_told():
    with pytest.raises(ApiError):
        run(Api(ApiError(403, "Forbidden", "x")), 1)
