# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A time window in which steps may begin, such as ``22:00-04:00 Europe/Berlin``."""

from __future__ import annotations

import datetime
import re
import typing as t
import zoneinfo

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

_WINDOW = re.compile(r"(?P<begin>\d{1,2}:\d{2})\s*-\s*(?P<end>\d{1,2}:\d{2})(?:\s+(?P<zone>\S+))?")
_UTC = ("UTC", "Z", "GMT")


class Window(t.NamedTuple):
    """Minutes of the day, in a time zone. A window whose end is not after its begin goes over midnight; one of equal ends is always open."""

    begin: int
    end: int
    zone: datetime.tzinfo
    text: str

    def why_closed(self, now: datetime.datetime) -> str:
        """Why nothing may begin now, "" where it may. ``now`` has a time zone."""
        local = now.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        inside = self.begin <= minute < self.end if self.begin < self.end else (minute >= self.begin or minute < self.end)
        return "" if inside else f"the time window {self.text} is closed: it is {local:%H:%M} there"


def parse_window(text: str) -> Window | None:
    """Return the window, None for an empty text. Without a time zone it is UTC: a controller's own is not what the user sees.

    :raises InputError: it is no window, or of a time zone that is not known here.
    """
    if not text.strip():
        return None
    found = _WINDOW.fullmatch(text.strip())
    minutes = [_minutes(found[name]) for name in ("begin", "end")] if found else [None, None]
    if found is None or None in minutes:
        raise InputError(f"The window {text!r} is none: write it as 22:00-04:00 or 22:00-04:00 Europe/Berlin. Nothing was written.")
    return Window(t.cast(int, minutes[0]), t.cast(int, minutes[1]), _zone(found["zone"] or "UTC"), text.strip())


def _minutes(text: str) -> int | None:
    hours, dummy, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes) if int(hours) < 24 and int(minutes) < 60 else None


def _zone(name: str) -> datetime.tzinfo:
    if name.upper() in _UTC:
        return datetime.timezone.utc
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"The time zone {name!r} of the window is not known on this machine: it needs a name such as Europe/Berlin, and the machine's time zone data "
            "(package tzdata). Nothing was written."
        ) from error
