# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reads the files of users' own checks; what is in them is judged in ``_checks/_user_checks.py``."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNREADABLE
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._user_checks import parse_user_checks
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_jmespath, load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

LARGEST = 1024 * 1024  # bytes of one file


def read_user_checks(paths: t.Sequence[str]) -> tuple[Check, ...]:
    """The checks of all files, in their order.

    :raises MissingLibraryError: jmespath or PyYAML is not there. :raises InputError: a file cannot be read or used.
    """
    checks: list[Check] = []
    for path in paths:
        taken = [UNREADABLE, *(entry.id for entry in (*CHECKS, *checks))]
        checks += parse_user_checks(_text(path), path, load_yaml(), load_jmespath(), taken)
    return tuple(checks)


def _text(path: str) -> str:
    try:
        if os.path.getsize(path) > LARGEST:
            raise InputError(f"{path} is larger than {LARGEST} bytes: that is no file of checks.")
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"user_checks: {path} cannot be read: {error}.") from error
