# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Files that tell which system a host is, as text to values."""

from __future__ import annotations

import datetime
import re
import typing as t

_ASSIGNMENT = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*)=(.*)$")
_ESCAPED = re.compile(r"\\([\"'`$\\])")


def os_release(text: str) -> dict[str, str]:
    """os-release(5): assignments of a shell, with single, double or no quotes."""
    found = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.match(line.strip())
        if match is None:
            continue
        name, value = match.groups()
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1] if value[0] == "'" else _ESCAPED.sub(r"\1", value[1:-1])
        found[name] = value
    return found


def booted_at(stat: str) -> str:
    """When the kernel started, of /proc/stat's ``btime``, in RFC 3339; empty where it does not say."""
    match = re.search(r"^btime (\d{1,11})$", stat, re.MULTILINE)
    return rfc3339(float(match.group(1))) if match is not None else ""


def rfc3339(seconds: float) -> str:
    """:param seconds: since the epoch."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(text: str) -> int | None:
    """A file that holds one number; None where it holds something else."""
    stripped = text.strip()
    return int(stripped) if re.fullmatch(r"[+-]?[0-9]{1,20}", stripped) else None


def ufw_enabled(text: str) -> bool | None:
    """Whether /etc/ufw/ufw.conf switches ufw on: its unit is active in both cases, since it only loads what the file says."""
    value = os_release(text).get("ENABLED", "").lower()
    return {"yes": True, "no": False}.get(value)


def units(text: str) -> list[dict[str, str]]:
    """``systemctl show``'s properties, a mapping for each unit that was asked for."""
    found: list[dict[str, str]] = []
    for block in re.split(r"\n[ \t]*\n", text):
        pairs = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if pairs:
            found.append(t.cast(t.Dict[str, str], pairs))
    return found
