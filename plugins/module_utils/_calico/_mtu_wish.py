# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a user asks of MTU and TCP segment size, as it arrives from playbooks and survey forms: numbers, texts of digits, words, and "" for nothing."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

AUTO = "auto"
SMALLEST = 576  # bytes; RFC 791 section 3.1: what every host must be able to receive
LARGEST = 65535  # bytes; the length field of IPv4
# tcp(7) and RFC 9293 section 3.7.1: the segment size of a peer that names none, which fits the smallest packet above.
SMALLEST_SEGMENT = 536
LARGEST_SEGMENT = LARGEST - 40

Asked = t.Union[int, str, None]  # a number, AUTO, or None for "not asked"


def read_mtu(value: t.Any) -> Asked:
    """Return the wanted MTU: bytes, 0 for "leave it to Calico", AUTO, or None.

    :raises InputError: it is neither.
    """
    return _read("mtu", value, SMALLEST, LARGEST, "leaves it to Calico")


def read_segment(value: t.Any) -> Asked:
    """Return the wanted TCP segment size: bytes, 0 for none, AUTO, or None.

    :raises InputError: it is neither.
    """
    return _read("tcp_clamp_mss", value, SMALLEST_SEGMENT, LARGEST_SEGMENT, "takes it away")


def read_size(name: str, value: t.Any) -> int | None:
    """Return the MTU of a link or a path that the user knows, None where none was given.

    :raises InputError: it is none.
    """
    asked = _read(name, value, SMALLEST, LARGEST, "")
    return None if asked is None else int(asked)


def _read(name: str, value: t.Any, least: int, most: int, zero: str) -> Asked:
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if zero and text == AUTO:
        return AUTO
    number = int(text) if text.isascii() and text.isdecimal() else -1
    if (zero and number == 0) or least <= number <= most:
        return number
    words = f", {AUTO}, or 0, which {zero}" if zero else ""
    raise InputError(f"{name} is {value!r}: it must be a number of bytes from {least} to {most}{words}.")
