# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A responder on the loopback, as a thread."""

from __future__ import annotations

import socket
import threading

import pytest

ADDRESS = "127.0.0.2"


def free_port():
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


@pytest.fixture
def responder():
    """Starts responders; returns the port of each."""
    # Here, since pytest-ansible makes the collection importable only after it has read this file.
    from ansible_collections.fathom.submariner.plugins.module_utils._wire import _talk
    from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import Responder, Terms
    from ansible_collections.fathom.submariner.plugins.module_utils._wire._tcp import Connection

    started = []

    def start(**terms):
        port = free_port()
        made = Responder(Terms((ADDRESS,), port, **{"lifetime": 60.0, **terms}))
        thread = threading.Thread(target=made.serve)
        thread.start()
        started.append((port, thread))
        return port

    yield start
    for port, thread in started:
        Connection(4, "127.0.0.1", port, 5.0).ask(_talk.STOP)
        thread.join(60)
        assert not thread.is_alive()
