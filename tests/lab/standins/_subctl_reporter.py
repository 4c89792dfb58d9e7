# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What subctl prints while it works: internal/cli/status.go, on a stream that is no terminal."""

from __future__ import annotations

import typing as t

SUCCESS, FAILURE, WARNING = "✓", "✗", "⚠"


class Reporter:
    """Phases on standard error: a line when one starts, and when it ends its outcome and what was said meanwhile."""

    def __init__(self, stream: t.TextIO) -> None:
        self._stream = stream
        self._phase = ""
        self._queue: list[tuple[str, str]] = []

    def start(self, message: str) -> None:
        self.end()
        self._phase = message
        self._write(f" • {message}  ...")

    def success(self, message: str) -> None:
        self._say(SUCCESS, message)

    def warning(self, message: str) -> None:
        self._say(WARNING, message)

    def failure(self, message: str) -> None:
        self._say(FAILURE, message)

    def end(self) -> None:
        if not self._phase:
            return
        signs = [sign for sign, _message in self._queue]
        outcome = next((each for each in (FAILURE, WARNING) if each in signs), SUCCESS)
        self._write(f" {outcome} {self._phase}")
        for sign, message in self._queue:
            self._write(f" {sign} {message}")
        self._phase = ""
        self._queue = []

    def _say(self, sign: str, message: str) -> None:
        if self._phase:
            self._queue.append((sign, message))
        else:
            self._write(f" {sign} {message}")

    def _write(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()
