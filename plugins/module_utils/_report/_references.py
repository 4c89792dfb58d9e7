# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Where a check's references lead."""

from __future__ import annotations

import re

# The projects whose name alone is used in references, and the organisation that has them on GitHub.
_ORGANISATIONS = {
    **dict.fromkeys(("submariner", "submariner-operator", "subctl", "lighthouse", "shipyard", "admiral", "cloud-prepare"), "submariner-io"),
    "calico": "projectcalico",
    "kubespray": "kubernetes-sigs",
    "rke2": "rancher",
    "kubernetes": "kubernetes",
}
_ISSUE = re.compile(r"(?:([A-Za-z0-9-]+)/)?([A-Za-z0-9._-]+)#(\d+)")
_PLAIN = re.compile(r"https://[A-Za-z0-9./_#?=&%:~+-]+")


def url_of(reference: str) -> str:
    """The page of a reference: an issue (``submariner#2953``, ``projectcalico/calico#7555``) or a URL; "" for a place in upstream's source."""
    if _PLAIN.fullmatch(reference):
        return reference
    issue = _ISSUE.fullmatch(reference)
    if issue is None:
        return ""
    organisation = issue[1] or _ORGANISATIONS.get(issue[2], "")
    return f"https://github.com/{organisation}/{issue[2]}/issues/{issue[3]}" if organisation else ""
