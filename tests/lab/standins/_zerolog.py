# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines as Submariner's components write them: zerolog's console format with a column for the component.

Imitates submariner-io/admiral pkg/log/kzerolog/kzerolog.go: the caller is cut to 25 characters and the component to 20, from
the left. The operator's console writer leaves its colours on even when nobody sees them; the other components write none.
"""

from __future__ import annotations

import datetime
import json
import re
import typing as t
from pathlib import Path

_CALLER_WIDTH = 25
_COMPONENT_WIDTH = 20
_COLOURS = {"INF": "32", "WRN": "33", "ERR": "31", "FTL": "31"}
_PLAIN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]*")


class ConsoleLog:
    """Appends to one container's log.

    :param path: the file; it is made with the first line.
    :param colours: as the operator writes.
    """

    def __init__(self, path: Path, colours: bool = False) -> None:
        self.path = path
        self.colours = colours

    @property
    def begun(self) -> bool:
        """Whether the container has ever logged: then its process started in an earlier life of the stand-in."""
        return self.path.exists()

    def info(self, caller: str, component: str, message: str, **fields: t.Any) -> None:
        self._append("INF", caller, component, message, fields)

    def warning(self, caller: str, component: str, message: str, **fields: t.Any) -> None:
        self._append("WRN", caller, component, message, fields)

    def error(self, caller: str, component: str, message: str, **fields: t.Any) -> None:
        self._append("ERR", caller, component, message, fields)

    def fatal(self, caller: str, component: str, message: str, **fields: t.Any) -> None:
        self._append("FTL", caller, component, message, fields)

    def plain(self, text: str) -> None:
        """What a program prints beside its log, such as its version."""
        with self.path.open("a", encoding="utf-8") as log:
            log.write(text + "\n")

    def _append(self, level: str, caller: str, component: str, message: str, fields: t.Mapping[str, t.Any]) -> None:
        now = datetime.datetime.now(datetime.timezone.utc)
        self.plain(line(now, level, caller, component, message, fields, self.colours))


def line(
    now: datetime.datetime, level: str, caller: str, component: str, message: str, fields: t.Mapping[str, t.Any], colours: bool = False
) -> str:
    """One line without its end.

    :param level: INF, WRN, ERR or FTL.
    :param caller: ``path/file.go:123``.
    """

    def paint(code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colours else text

    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    shown = f"{_cut(component, _COMPONENT_WIDTH)} {message}"
    parts = [paint("90", stamp), paint(_COLOURS[level], level), _cut(caller, _CALLER_WIDTH), paint("1", shown)]
    for key in sorted(fields, key=lambda each: (each != "error", each)):
        value = _quoted(fields[key])
        if key == "error" and colours:
            value = f"\x1b[31m\x1b[1m{value}\x1b[0m\x1b[0m"
        parts.append(paint("36", f"{key}=") + value)
    return " ".join(parts)


def _cut(text: str, width: int) -> str:
    return (".." + text[len(text) - width + 2 :] if len(text) > width else text).ljust(width)


def _quoted(value: t.Any) -> str:
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"))
    return value if value and _PLAIN.fullmatch(value) else json.dumps(value)
