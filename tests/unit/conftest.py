# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the unit tests."""

from __future__ import annotations

import contextlib
import json
from unittest import mock

import pytest

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18 has it not

    @contextlib.contextmanager
    def patch_module_args(args=None):
        raw = json.dumps({"ANSIBLE_MODULE_ARGS": args or {}}).encode()
        with mock.patch("ansible.module_utils.basic._ANSIBLE_ARGS", raw):
            yield


@pytest.fixture
def module_args():
    """Context manager that gives a module its arguments, on every supported ansible-core."""
    return patch_module_args
