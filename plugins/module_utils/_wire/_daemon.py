# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Starting a responder as a process of its own, finding it and ending it."""

from __future__ import annotations

import os
import signal
import sys
import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _talk
from ansible_collections.fathom.submariner.plugins.module_utils._wire._responder import CONTROL, PATIENCE, Responder, Terms
from ansible_collections.fathom.submariner.plugins.module_utils._wire._tcp import Connection

ANSWER = 5.0  # seconds that a responder on this host may take to answer


def status(port: int) -> t.Optional[t.Dict[str, t.Any]]:
    """What the responder of this host on a port says of itself; None without one."""
    return Connection(4, CONTROL, port, ANSWER).ask(_talk.STATUS)


def renew(port: int, lifetime: float) -> t.Optional[t.Dict[str, t.Any]]:
    """Lets it live so many seconds from now; its status, or None when it ended meanwhile."""
    return Connection(4, CONTROL, port, ANSWER).ask(_talk.RENEW, length=int(lifetime))


def stop(port: int) -> t.Optional[t.Dict[str, t.Any]]:
    """Ends it; its last status, when its port is free again. None when there was none.

    :raises SubmarinerError: it goes on answering.
    """
    last = Connection(4, CONTROL, port, ANSWER).ask(_talk.STOP)
    if last is None:
        return None
    for _look in range(100):
        if status(port) is None:
            return last
        time.sleep(0.05)
    raise SubmarinerError(f"The responder on port {port} was told to end and still answers. It ends by itself in {last.get('left')} seconds.")


def start(terms: Terms) -> t.Dict[str, t.Any]:
    """Starts it and returns its status once it answers. It outlives this process, and nothing outlives its lifetime.

    :raises SubmarinerError: an address or the port cannot be listened on.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _become_daemon(terms, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        trouble = said.read().decode("utf-8", "replace")
    os.waitpid(child, 0)
    if trouble:
        raise SubmarinerError(f"The responder could not listen on {', '.join(terms.addresses)}, port {terms.port}: {trouble}")
    found = status(terms.port)
    if found is None:
        raise SubmarinerError(f"The responder on port {terms.port} was started and ended at once.")
    return found


def _become_daemon(terms: Terms, writing: int) -> t.NoReturn:
    """In the child: never returns. A second fork leaves the responder without a parent that waits for it, in a session of its own."""
    code = 1
    try:
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        os.chdir("/")
        null = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2):
            os.dup2(null, each)
        os.closerange(3, writing)
        os.closerange(writing + 1, 1024)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # Whatever becomes of its loop, the kernel ends it some time after its lifetime; ``RENEW`` sets this clock anew.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(terms.lifetime + PATIENCE) + 1)
        code = _serve(terms, writing)
    finally:
        os._exit(code)


def _serve(terms: Terms, writing: int) -> int:
    try:
        responder = Responder(terms, on_renewal=lambda lifetime: signal.alarm(int(lifetime + PATIENCE) + 1))
    except OSError as error:
        os.write(writing, str(error.strerror or error).encode())
        return 1
    os.close(writing)
    responder.serve()
    return 0
