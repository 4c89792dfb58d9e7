# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cables a gateway has installed, and with which subnets.

Imitates submariner pkg/cableengine/cableengine.go (installCableWithNATInfo, RemoveCable) and the status rules of
pkg/cableengine/syncer/syncer.go and pkg/cable/libreswan/libreswan.go at v0.16.7 and v0.19.0-rc3.
"""

from __future__ import annotations

import json
import typing as t

Object = dict[str, t.Any]

_LATENCY = {"last": "1.2ms", "min": "0.9ms", "average": "1.2ms", "max": "2.1ms", "stdDev": "0.2ms"}


class Cable(t.NamedTuple):
    """A cable as it was installed.

    :ivar endpoint: the remote Endpoint's spec at that moment; its subnets are the tunnel's selectors.
    :ivar born: the remote Endpoint's creationTimestamp.
    :ivar uid: the remote Endpoint's uid.
    """

    endpoint: Object
    born: str
    uid: str


def using(endpoint: Object, local: Object) -> tuple[str, bool]:
    """Which of a remote gateway's addresses is used, and whether through NAT: the private one unless either side has NAT on and a public one."""
    nat = bool((endpoint["nat_enabled"] or local["nat_enabled"]) and endpoint["public_ip"])
    return (endpoint["public_ip"] if nat else endpoint["private_ip"]), nat


class CableEngine:
    """The cables of an active gateway.

    :param local: its own Endpoint's spec.
    """

    def __init__(self, local: Object) -> None:
        self._local = local
        self._cables: dict[str, Cable] = {}

    def adopt(self, connections: list[Object], endpoints: list[Object]) -> None:
        """Takes the cables that a Gateway object reports, for a gateway that installed them in an earlier life of the stand-in."""
        present = {each["spec"]["cable_name"]: each["metadata"] for each in endpoints}
        for connection in connections:
            name = connection["endpoint"]["cable_name"]
            if name in present:
                self._cables[name] = Cable(connection["endpoint"], present[name]["creationTimestamp"], present[name]["uid"])

    def observe(self, endpoints: list[Object]) -> tuple[list[str], list[str]]:
        """Installs and removes cables for the Endpoints that there are; returns the cable names (installed, removed)."""
        remote = {each["spec"]["cable_name"]: each for each in endpoints if each["spec"]["cluster_id"] != self._local["cluster_id"]}
        removed = [name for name in self._cables if name not in remote or remote[name]["metadata"]["uid"] != self._cables[name].uid]
        for name in removed:
            del self._cables[name]
        installed = [name for name, endpoint in sorted(remote.items()) if self._install(name, endpoint)]
        return installed, removed

    def connections(self, alive: t.Callable[[Object], bool]) -> list[Object]:
        """``Gateway.status.connections``.

        Without health check a cable whose service subnets match on both sides carries traffic of some kind and is ``connected``,
        whatever else it lacks. With one, ``alive`` says of the remote Endpoint as installed whether pings come back through the tunnel.
        """
        found = []
        for cable in self._cables.values():
            address, nat = using(cable.endpoint, self._local)
            connection: Object = {"endpoint": cable.endpoint, "status": "connected", "statusMessage": "", "usingIP": address}
            if nat:
                connection["usingNAT"] = True
            target = cable.endpoint.get("healthCheckIP")
            if target and self._local.get("healthCheckIP"):
                if alive(cable.endpoint):
                    connection["latencyRTT"] = dict(_LATENCY)
                else:
                    connection.update(status="error", statusMessage=f"Failed to successfully ping the remote endpoint IP {json.dumps(target)}")
            found.append(connection)
        return found

    def _install(self, name: str, endpoint: Object) -> bool:
        spec, born = endpoint["spec"], endpoint["metadata"]["creationTimestamp"]
        for other in [each for each, cable in self._cables.items() if cable.endpoint["cluster_id"] == spec["cluster_id"]]:
            cable = self._cables[other]
            if born < cable.born:
                return False
            unchanged = (
                born == cable.born
                and other == name
                and using(cable.endpoint, self._local) == using(spec, self._local)
                and cable.endpoint.get("backend_config") == spec.get("backend_config")
            )
            if unchanged:
                return False
            del self._cables[other]
        self._cables[name] = Cable(spec, born, endpoint["metadata"]["uid"])
        return True
