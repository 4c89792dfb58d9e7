# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Moments as the Kubernetes API and log lines write them (RFC 3339), as numbers that can be compared.

The clock is read at the rim; what is compared here are texts that the clusters wrote.
"""

from __future__ import annotations

import functools
import re

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?")
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@functools.lru_cache(maxsize=8192)
def moment(text: str) -> float | None:
    """Seconds since 1970 in UTC of the RFC 3339 time that ``text`` begins with; None when it begins with none. Without a zone it counts as UTC."""
    found = _RFC3339.match(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    seconds = _days(year, month, day) * _DAY + hour * _HOUR + minute * _MINUTE + second
    return seconds + float(f"0.{found.group(7) or 0}") - _offset(found.group(8) or "Z")


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March, so that February's end needs no exception."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _offset(zone: str) -> int:
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    seconds = int(digits[:2]) * _HOUR + int(digits[2:]) * _MINUTE
    return -seconds if zone[0] == "-" else seconds


def seconds_between(earlier: str, later: str) -> float | None:
    """Negative when ``later`` is the earlier one; None when one of them is no time."""
    first, last = moment(earlier), moment(later)
    return None if first is None or last is None else last - first


def duration(seconds: float) -> str:
    """A length of time for people: ``45 s``, ``2 min 8 s``, ``3 h 5 min``, ``4 d``."""
    whole = int(round(abs(seconds)))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s" if whole % _MINUTE else f"{whole // _MINUTE} min"
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        return f"{whole // _HOUR} h {minutes} min" if minutes else f"{whole // _HOUR} h"
    return f"{whole // _DAY} d"
