# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends a read that waits for a server's next word."""

from __future__ import annotations

import http.client
import socket
import threading


class Cutter:
    """Closes a blocked watch as soon as ``stop`` is set, from a thread that lives as long as the watch."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._done = False
        self._lock = threading.Lock()
        self._connection: http.client.HTTPSConnection | None = None

    def __enter__(self) -> Cutter:
        threading.Thread(target=self._run, name="watch-cutter", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done = True

    def guard(self, connection: http.client.HTTPSConnection) -> None:
        with self._lock:
            self._connection = connection
        if self._stop.is_set():
            self._cut()

    def release(self) -> None:
        with self._lock:
            self._connection = None

    def _run(self) -> None:
        while not self._done:
            if self._stop.wait(30):
                self._cut()
                return

    def _cut(self) -> None:
        with self._lock:
            if self._connection is not None and self._connection.sock is not None:
                try:
                    self._connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # the server was quicker
