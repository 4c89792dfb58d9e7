# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The one exception family of the collection. A module catches ``SubmarinerError`` once, in ``main()``."""

from __future__ import annotations

import typing as t


class SubmarinerError(Exception):
    """Something the user must know, in words that say what was tried, what was found, where, and what to do.

    :param message: the whole sentence for the user, without secrets.
    :param details: further keys for ``fail_json`` (JSON types only, without secrets).
    """

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InputError(SubmarinerError):
    """What the user gave (an option, a file) cannot be used. Nothing was sent to any cluster."""


class RefusedError(SubmarinerError):
    """We could write, but it would be wrong or disruptive without the user's consent. Nothing was written."""
