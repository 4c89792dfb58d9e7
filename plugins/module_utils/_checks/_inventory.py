# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What an inventory asks an installer for: one cluster that does not exist yet, in the terms of the checks.

How installers spell it is in ``_inventory_kubespray.py`` and ``_inventory_rke2.py``; what is judged of it is in ``_inventory_checks.py``.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardRange
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs

TRUE = frozenset(("true", "yes", "on", "1"))
PUBLISHED_TOKEN = "defaultSecret12345"  # rke2_token of lablabs.rke2, defaults/main.yml


class Said(t.NamedTuple):
    """One setting. ``given`` is false where the inventory is silent, and ``value`` the installer's default."""

    name: str  # the variable, such as kube_proxy_mode
    value: t.Any
    given: bool = True
    file: str = ""  # where it stands in a manifest; lines of inventories are found by the report
    line: int = 0


@dataclass(frozen=True)
class Asked:
    """The cluster that an installer would make. None in a field: that installer has no such setting.

    ``api_server`` holds a bool, ``autodetection`` what IP_AUTODETECTION_METHOD of calico-node would be, ``cni`` a tuple of names.
    ``unread`` maps ids of checks to the reason why they cannot be judged.
    """

    cluster: str
    where: str  # "Kubespray's inventory"
    cni: Said
    pods: tuple[Said, ...]
    services: tuple[Said, ...]
    proxy_mode: Said
    api_server: Said | None = None
    datastore: Said | None = None
    autodetection: Said | None = None
    pool: Said | None = None  # a narrower range for Calico's own pool
    pod_mtu: Said | None = None
    tunnel_mtu: Said | None = None
    ebpf: Said | None = None  # holds a bool
    no_proxy: Said | None = None  # holds a bool: kube-proxy is left out
    token: Said | None = None  # by which nodes join; its value is never shown, but for the published default
    how: t.Mapping[str, str] = field(default_factory=dict)  # id of a check to the step that repairs it
    unread: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def calico(self) -> bool:
        """Whether Calico alone routes: not canal, whose Submariner handler is flannel's."""
        return "calico" in self.cni.value

    def evidence(self, *said: Said) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(each.file or self.where, each.name, shown(each.value), "" if each.given else "not set: the default", each.file, each.line)
            for each in said
        )

    def card(self) -> Card:
        """For the comparison with other clusters."""
        return Card(cluster=self.cluster, candidate=True, pods=_range(self.pods), services=_range(self.services))


def _range(said: tuple[Said, ...]) -> CardRange:
    parsed = parse_cidrs(texts(said))
    if parsed.problems or not parsed.cidrs:
        return CardRange((), f"{', '.join(each.name for each in said)}: {'; '.join(parsed.problems) or 'empty'}")
    return CardRange(parsed.cidrs)


def texts(said: t.Iterable[Said]) -> list[str]:
    """The CIDRs of some settings as they are written, lists and comma lists alike."""
    return [str(piece) for each in said for piece in (each.value if isinstance(each.value, (list, tuple)) else [each.value])]


def shown(value: t.Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def truth(value: t.Any) -> bool:
    """What Ansible takes for true."""
    return str(value).strip().lower() in TRUE


def setting(variables: t.Mapping[str, t.Any], name: str, default: t.Any) -> Said:
    """A variable, or the installer's default where it is missing or empty."""
    value = variables.get(name)
    return Said(name, default, given=False) if value is None or value in ("", [], ()) else Said(name, value)
