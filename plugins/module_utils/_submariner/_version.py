# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Versions of Submariner and of Kubernetes, as far as behaviour is gated by them.

Submariner's CR may hold a release (``0.17.3``, ``v0.19.0-rc3``), the tag of a branch (``release-0.18``, ``devel``), a build
(``0.19.0-m3-12-gab12cd3``) or anything else that names an image. What names no point in its history is *unknown*: a question
about it is answered None, never by a guess.
"""

from __future__ import annotations

import re
import typing as t

_RELEASE = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(?:-((?:m|rc|alpha|beta)\.?\d+))?(?:-(\d+)-g[0-9a-f]+)?$")
_BRANCH = re.compile(r"^release-(\d+)\.(\d+)$")
_KUBERNETES = re.compile(r"^v?(\d+)\.(\d+)(?:\.(\d+))?")
_NEWEST = 10**6  # what has not been released yet is newer than all that has


class SubmarinerVersion(t.NamedTuple):
    """A point in Submariner's history; compares by it. ``text`` is how it was written.

    ``milestone`` orders pre-releases before their release: ``("m", 3)`` < ``("rc", 0)`` < ``("~", 0)``, the release itself.
    """

    major: int
    minor: int
    patch: int
    milestone: tuple[str, int] = ("~", 0)
    text: str = ""

    @property
    def point(self) -> tuple[int, int, int, tuple[str, int]]:
        return self[:4]

    def __str__(self) -> str:
        return self.text


def parse_submariner_version(text: str) -> SubmarinerVersion | None:
    """Read a version of Submariner; None when the text names no point in its history (empty, a digest, a private tag).

    ``devel`` is newer than every release. ``release-0.18`` is newer than every 0.18 release, since branch images are built from its tip.
    """
    bare = text.strip()
    if bare == "devel":
        return SubmarinerVersion(_NEWEST, 0, 0, text=bare)
    branch = _BRANCH.match(bare)
    if branch:
        return SubmarinerVersion(int(branch.group(1)), int(branch.group(2)), _NEWEST, text=bare)
    release = _RELEASE.match(bare)
    if release is None:
        return None
    major, minor, patch = (int(release.group(index)) for index in (1, 2, 3))
    milestone = ("~", 0)
    if release.group(4):
        name = release.group(4).rstrip("0123456789")
        milestone = (name.rstrip("."), int(release.group(4)[len(name):]))
    return SubmarinerVersion(major, minor, patch, milestone, bare)


def parse_kubernetes_version(text: str) -> tuple[int, int, int] | None:
    """(major, minor, patch) of ``v1.27.9+rke2r1``, ``v1.30.4-eks-a737599`` or ``v1.33``; None when the text is no version."""
    match = _KUBERNETES.match(text.strip())
    return None if match is None else (int(match.group(1)), int(match.group(2)), int(match.group(3) or 0))


class Change(t.NamedTuple):
    """A change of behaviour.

    :param id: stable, for findings.
    :param first: the first version with it, in every release line that has it, ascending; later lines have it, too.
    :param what: the behaviour, in words.
    :param source: where it was established.
    :param first_unsure: True when the first version is the earliest that is possible, not one that was seen.
    """

    id: str
    first: tuple[str, ...]
    what: str
    source: str
    first_unsure: bool = False

    def holds_in(self, version: str) -> bool | None:
        """True when ``version`` has the change; None when it is unknown."""
        point = parse_submariner_version(version)
        if point is None:
            return None
        starts = [start for start in (parse_submariner_version(text) for text in self.first) if start is not None]
        if any((start.major, start.minor) == (point.major, point.minor) and point.point >= start.point for start in starts):
            return True
        return all((start.major, start.minor) < (point.major, point.minor) for start in starts)

    def upgrade_for(self, version: str) -> str:
        """The least upgrade that brings the change: the fixed release of the same line if there is one, else the first of a later line."""
        point = parse_submariner_version(version)
        later = [text for text in self.first if point is None or _line(text) >= (point.major, point.minor)]
        return later[0] if later else self.first[-1]


def _line(text: str) -> tuple[int, int]:
    version = parse_submariner_version(text)
    return (0, 0) if version is None else (version.major, version.minor)


# The changes of Submariner that checks go by. The first versions were read from the tags of submariner-operator and submariner, except where the
# source says otherwise.
DETECTOR_ORDER = Change(
    "detector-order", ("0.15.0-m3",), "asks for OpenShift, OVN, Weave and canal before Calico (before: Calico first)",
    "submariner-operator pkg/discovery/network/network.go",
)
ONE_NODE_ONLY = Change(
    "one-node-only", ("0.15.3", "0.16.0-rc0"), "takes node.spec.podCIDR for the cluster's only where there is one Node (before: the first Node that has one)",
    "submariner-operator#2770, pkg/discovery/network/generic.go",
)
CALICO_BY_DAEMON_SET = Change(
    "calico-by-daemon-set", ("0.15.3", "0.16.0-m4"), "recognises Calico by a DaemonSet calico-node, too (before: by a ConfigMap calico-config only)",
    "submariner-operator pkg/discovery/network/calico.go",
)
ARGS_READ = Change(
    "args-read", ("0.18.1", "0.19.0-rc0"), "reads options of the control plane in args, too, where command is not empty (before: in command only)",
    "submariner-operator#3180, #3219, #3221, pkg/discovery/network/pods.go",
)
CANAL_BY_DAEMON_SET = Change(
    "canal-by-daemon-set", ("0.19.0-m2",),
    "recognises canal by a DaemonSet labelled k8s-app=canal (before: by the ConfigMap kube-system/canal-config, which RKE2 has not)",
    "submariner-operator pkg/discovery/network/canal.go",
)
KUBE_PROXY_LABEL = Change(
    "kube-proxy-label", ("0.20.0",), "looks for kube-proxy by label k8s-app=kube-proxy (before: component=kube-proxy)",
    "submariner-operator devel after 0.19.0-rc3, pkg/discovery/network/generic.go", first_unsure=True,
)
SERVICE_CIDR_FROM_CONTROLLER = Change(
    "service-cidr-from-controller-manager", ("0.20.0",), "asks kube-controller-manager for --service-cluster-ip-range where the API server does not tell",
    "submariner-operator devel after 0.19.0-rc3, pkg/discovery/network/generic.go", first_unsure=True,
)
SEVERAL_CIDRS = Change(
    "several-cidrs", ("0.21.0",), "keeps all detected CIDRs, joined by commas (before: only the first)", "submariner-operator#3519", first_unsure=True,
)
SERVICE_CIDR_OBJECTS = Change(
    "service-cidr-objects", ("0.21.1",), "reads ServiceCIDR objects (before: fails on Kubernetes 1.33 and newer where no kube-apiserver pod shows its options)",
    "submariner-operator#3627, #3630, #3646",
)
POOLS_WITHOUT_BGP_EXPORT = Change(
    "pools-without-bgp-export", ("0.17.3", "0.18.1", "0.19.0-rc0"),
    "creates remote IPPools with disableBGPExport (before: BIRD may override routes to remote clusters)",
    "submariner#3156, #3161, #3162, pkg/routeagent_driver/handlers/calico/ippool_handler.go",
)
POOLS_BY_AGENT = Change(
    "pools-by-agent", ("0.16.0",), "creates IPPools for remote subnets of its own (before: they had to be made by hand)", "submariner#2576",
)
RKE2_DNS = Change(
    "rke2-coredns", ("0.20.0",), "configures CoreDNS of RKE2 (before: the operator did not find it)", "submariner-operator#3005, lighthouse#1602",
    first_unsure=True,
)
NFTABLES_NO_SNAT = Change(
    "nftables-no-snat", ("0.21.0",), "keeps kube-proxy in nftables mode from masquerading traffic of other clusters", "submariner#3541, #3544",
    first_unsure=True,
)
CHANGES = (
    DETECTOR_ORDER, ONE_NODE_ONLY, CALICO_BY_DAEMON_SET, ARGS_READ, CANAL_BY_DAEMON_SET, KUBE_PROXY_LABEL, SERVICE_CIDR_FROM_CONTROLLER, SEVERAL_CIDRS,
    SERVICE_CIDR_OBJECTS, POOLS_WITHOUT_BGP_EXPORT, POOLS_BY_AGENT, RKE2_DNS, NFTABLES_NO_SNAT,
)
