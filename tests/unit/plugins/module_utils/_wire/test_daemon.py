# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _daemon
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import Terms


@pytest.fixture
def port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        free = tried.getsockname()[1]
    yield free
    _daemon.stop(free)


def test_a_process_of_its_own_from_start_to_stop(port):
    assert _daemon.status(port) is None and _daemon.stop(port) is None
    started = _daemon.start(Terms(("127.0.0.2",), port, 100.0, ("127.0.0.0/8",)))
    assert (started["addresses"], started["peers"], started["port"]) == (["127.0.0.2"], ["127.0.0.0/8"], port)
    assert _daemon.renew(port, 1000)["left"] > 900
    with pytest.raises(SubmarinerError) as raised:
        _daemon.start(Terms(("127.0.0.2",), port, 100.0))
    assert f"port {port}: TCP on 127.0.0.1: Address already in use; another program has it" in raised.value.message
    assert _daemon.stop(port)["port"] == port
    assert _daemon.status(port) is None
