# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Kubernetes control planes on loopback, without containers or root, in which incidents can be planted. Linux only.

``python -m tests.lab up|plant|status|down --dir DIR`` for people, ``tests.lab.fixture`` for pytest.
"""
