# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Submariner release a stand-in plays, and what that release does differently from its neighbours.

Each property names the change upstream; a pre-release counts as the release that it precedes.
"""

from __future__ import annotations

import re
import typing as t

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


class SubmarinerVersion(t.NamedTuple):
    """A release by its numbers. Compares as a tuple does."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> SubmarinerVersion | None:
        """The version at the start of ``text`` (``0.17.3``, ``v0.19.0-rc3``), or None (``devel``, ``release-0.18``)."""
        found = _VERSION.match(text)
        return cls(*(int(part) for part in found.groups())) if found else None

    @classmethod
    def of_image(cls, image: str) -> SubmarinerVersion | None:
        """The version in an image's tag, or None when it has no tag or one that is no version."""
        name, colon, tag = image.rpartition(":")
        return cls.parse(tag) if colon and "/" not in tag else None

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def _has_backports_of_2024(self) -> bool:
        return (0, 17, 3) <= self < (0, 18) or self >= (0, 18, 1)

    @property
    def reads_args(self) -> bool:
        """Options are also looked for in a container's args (submariner-operator 62366394, pkg/discovery/network/pods.go)."""
        return self >= (0, 18, 1)

    @property
    def generic_hides_plugin_errors(self) -> bool:
        """An error of a plugin's detector leads to the generic one (submariner-operator v0.19.0 pkg/discovery/network/network.go)."""
        return self >= (0, 19)

    @property
    def kube_proxy_selector(self) -> str:
        """Label of the kube-proxy pods (submariner-operator pkg/discovery/network/generic.go, changed after v0.19.0)."""
        return "k8s-app=kube-proxy" if self >= (0, 20) else "component=kube-proxy"

    @property
    def splits_cidr_lists(self) -> bool:
        """A dual-stack option is a list of two CIDRs rather than one odd string (submariner-operator after v0.19.0)."""
        return self >= (0, 20)

    @property
    def reads_service_range_of_controller_manager(self) -> bool:
        """Looks for --service-cluster-ip-range there, too (submariner-operator pkg/discovery/network/generic.go, after v0.19.0)."""
        return self >= (0, 20)

    @property
    def reads_service_cidr_objects(self) -> bool:
        """Reads the ServiceCIDR named kubernetes (submariner-operator pull request 3630, backported by 3646)."""
        return self >= (0, 21, 1)

    @property
    def survives_panics(self) -> bool:
        """A panic while reconciling is an error, not the end of the process (controller-runtime 0.19, used since v0.19.0)."""
        return self >= (0, 19)

    @property
    def names_broker_secret(self) -> bool:
        """The broker's token is in a Secret of a fixed name, which accounts list and enforce (submariner-operator v0.17.3 config/rbac)."""
        return self >= (0, 17, 3)

    @property
    def lighthouse_has_broker_secret(self) -> bool:
        """The ServiceDiscovery names the broker Secret (submariner-operator v0.18 controllers/submariner/servicediscovery_resources.go)."""
        return self >= (0, 18)

    @property
    def checks_image_overrides_first(self) -> bool:
        """--image-override is looked at with the arguments (subctl v0.18 cmd/subctl/root.go checkImageOverrides)."""
        return self >= (0, 18)

    @property
    def copies_proxies(self) -> bool:
        """The operator hands its HTTP_PROXY, HTTPS_PROXY and NO_PROXY to every component (submariner-operator pkg/httpproxy)."""
        return self >= (0, 18)

    @property
    def has_halt_on_certificate_error(self) -> bool:
        """SUBMARINER_HALT_ON_CERT_ERROR is handed on (submariner-operator v0.16.3 {gateway,servicediscovery}_resources.go)."""
        return self >= (0, 16, 3)

    @property
    def has_clusterset_ips(self) -> bool:
        """Clusters are dealt CIDRs for ClusterSet IPs, of which Lighthouse is told (submariner-operator v0.19.0 pkg/discovery/clustersetip)."""
        return self >= (0, 19)

    @property
    def agents_check_health(self) -> bool:
        """Route agents ping and write RouteAgent objects (submariner v0.19.0 handlers/healthchecker)."""
        return self >= (0, 19)

    def has_kind(self, kind: str) -> bool:
        """Whether the release brings a CRD of that kind of submariner.io's (submariner-operator pkg/embeddedyamls)."""
        return kind != "RouteAgent" or self.agents_check_health

    @property
    def disables_bgp_export(self) -> bool:
        """Pools carry disableBGPExport (submariner 63bfb2ae and its backports, issue 3156)."""
        return self._has_backports_of_2024

    @property
    def retries_cni_discovery(self) -> bool:
        """The route agent waits for the CNI interface (submariner 47a302c7 and its backports, issue 3120)."""
        return self._has_backports_of_2024

    @property
    def pools_follow_updates(self) -> bool:
        """A later transition to gateway sees updated Endpoints (submariner v0.17.0 pkg/event/controller keeps the state)."""
        return self >= (0, 17)
