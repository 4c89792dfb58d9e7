# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How this collection names itself to an API server, and what it writes there."""

from __future__ import annotations

VERSION = "0.1.0"  # galaxy.yml's; a module on its way to another host does not carry that file
USER_AGENT = f"fathom-submariner/{VERSION}"  # what audit logs and API priority and fairness see
DOMAIN = "submariner.fathom-ansible.github.io"  # of labels and annotations: the project's own, so that nothing else gives them a meaning
FIELD_MANAGER = "fathom-submariner"  # without a version: a manager's name must stay the same for ownership to stay the same
