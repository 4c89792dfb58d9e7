# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What is asked of a placement, checked before anything is read.

The label's prefix is a domain of this project, so that no other tool gives it a meaning. It is none of ``kubernetes.io`` or ``k8s.io``, which are
Kubernetes' own and which a kubelet may not give itself (NodeRestriction): a group of nodes can carry it from the first moment, by ``--node-labels`` or by
RKE2's ``node-label``.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import Requirement
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import DOMAIN

LABEL = f"{DOMAIN}/calico-node"
EXCLUDED, INCLUDED = "excluded", "included"
EXCLUDE, INCLUDE = "exclude", "include"
PRESENT, ABSENT = "present", "absent"
CALICO_NODE, CSI, TYPHA = "calico-node", "csi-node-driver", "calico-typha"
COMPONENTS = (CALICO_NODE, CSI, TYPHA)
ARCHITECTURE = "kubernetes.io/arch"
_ARCHITECTURES = ("amd64", "arm64", "ppc64le", "s390x")  # calico-node's image has these (docs.tigera.io, system requirements)
_PART = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_RESERVED = ("kubernetes.io", "k8s.io", "projectcalico.org", "tigera.io", "submariner.io")


class Request(t.NamedTuple):
    """:param nodes: to exclude, or to include; empty means all that the state is about (not for exclude and present, which must name them).
    :param key: of the label.
    :param value: of the label.
    :param architectures: of the nodes that may run calico-node; empty demands nothing about it.
    :param max_excluded: how many nodes may be without calico-node in the end.
    """

    mode: str = EXCLUDE
    state: str = PRESENT
    nodes: tuple[str, ...] = ()
    key: str = LABEL
    value: str = EXCLUDED
    components: tuple[str, ...] = COMPONENTS
    architectures: tuple[str, ...] = ()
    max_excluded: int = 1
    batch_size: int = 1
    canary: bool = True
    pause: int = 0
    cordon: bool = False
    taint: bool = False

    @property
    def excludes(self) -> bool:
        return self.mode == EXCLUDE

    @property
    def present(self) -> bool:
        return self.state == PRESENT

    @property
    def label(self) -> str:
        return f"{self.key}={self.value}"

    @property
    def requirement(self) -> Requirement:
        return Requirement(self.key, "NotIn" if self.excludes else "In", (self.value,))

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The label's, then the architectures'."""
        own = (Requirement(ARCHITECTURE, "In", self.architectures),) if self.architectures else ()
        return (self.requirement, *own)


def parse_request(params: t.Mapping[str, t.Any]) -> Request:
    """The request of the module's options.

    :raises InputError: names the option and what is wrong with it.
    """
    mode, state = params["mode"], params["state"]
    nodes = tuple(dict.fromkeys(name.strip() for name in params["nodes"] or () if name and name.strip()))
    if mode == EXCLUDE and state == PRESENT and not nodes:
        raise InputError("nodes: name the nodes that calico-node is to be kept off. Only mode=include and state=absent know which ones by themselves.")
    architectures = tuple(sorted({name.strip() for name in params["architectures"] or () if name and name.strip()}))
    unheard = [name for name in architectures if name not in _ARCHITECTURES]
    if unheard:
        raise InputError(
            f"architectures: calico-node has no image for {', '.join(unheard)}; it has {', '.join(_ARCHITECTURES)} (kubectl get nodes -L {ARCHITECTURE})."
        )
    components = tuple(name for name in COMPONENTS if name in (params["components"] or COMPONENTS))
    if CALICO_NODE not in components:
        raise InputError("components: calico-node must be among them; the others follow it.")
    for option, least in (("max_excluded", 0), ("batch_size", 1), ("pause", 0)):
        if params[option] < least:
            raise InputError(f"{option}: {params[option]} is less than {least}.")
    value = params["value"] or (EXCLUDED if mode == EXCLUDE else INCLUDED)
    if not re.fullmatch(_PART, value):
        raise InputError(f"value: {value!r} is no value of a label (letters, digits, '-', '_' and '.', at most 63).")
    return Request(
        mode=mode,
        state=state,
        nodes=nodes,
        key=_key(params["label"] or LABEL),
        value=value,
        components=components,
        architectures=architectures,
        **{name: params[name] for name in ("max_excluded", "batch_size", "canary", "pause", "cordon", "taint")},
    )


def _key(key: str) -> str:
    domain, slash, name = key.rpartition("/")
    if not re.fullmatch(_PART, name) or (slash and not (_DOMAIN.fullmatch(domain) and len(domain) <= 253)):
        raise InputError(f"label: {key!r} is no key of a label, such as {LABEL}.")
    owner = next((each for each in _RESERVED if domain == each or domain.endswith(f".{each}")), "")
    if owner:
        raise InputError(
            f"label: {key} belongs to {owner}, where it means something else. A role label such as node-role.kubernetes.io/worker is on no control plane, and "
            f"on kubeadm, RKE2 and k3s on no node at all: calico-node would leave them all. Take a key of your own, such as {LABEL}."
        )
    return key


def batches(nodes: t.Sequence[str], request: Request) -> tuple[tuple[str, ...], ...]:
    """The nodes in the order and in the groups in which they change: with a canary, the first one alone."""
    first = nodes[:1] if request.canary else ()
    rest = nodes[len(first):]
    size = request.batch_size
    return tuple(tuple(group) for group in (first, *(rest[start:start + size] for start in range(0, len(rest), size))) if group)
