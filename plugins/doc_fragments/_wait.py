# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options of a module that waits for what it did to take effect.
    DOCUMENTATION = r"""
options:
  wait:
    description:
      - Whether to wait until the change has taken effect. It is watched for, not polled.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds to wait at the most. The task fails after that, and says what it was waiting for and what it saw last.
    type: int
    default: 300
"""
