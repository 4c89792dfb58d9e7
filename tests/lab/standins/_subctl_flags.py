# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of subctl and their flags, v0.16 to v0.19 (cmd/subctl and internal/restconfig of submariner-io/subctl).

Data only: what ``subctl COMMAND --help`` lists. A flag that came later carries the release.
"""

from __future__ import annotations

from tests.lab.standins._cobra import Flag
from tests.lab.standins._version import SubmarinerVersion

HELP = Flag("help", "bool", short="h")

_STRINGS = (
    "as",
    "as-uid",
    "certificate-authority",
    "client-certificate",
    "client-key",
    "cluster",
    "context",
    "password",
    "proxy-url",
    "server",
    "tls-server-name",
    "token",
    "user",
    "username",
)


def _connection(prefix: str = "") -> tuple[Flag, ...]:
    """Those of kubectl, for the cluster or (with a prefix) for a further one."""
    return (
        *(Flag(prefix + each) for each in _STRINGS),
        Flag(f"{prefix}as-group", "stringArray"),
        Flag(f"{prefix}disable-compression", "bool"),
        Flag(f"{prefix}insecure-skip-tls-verify", "bool"),
        Flag(f"{prefix}request-timeout", default="0"),
        Flag(f"{prefix}config") if prefix else Flag("kubeconfig"),
    )


_CLUSTER = (*_connection(), HELP)
_NAMESPACE = Flag("namespace", short="n")
_CONTEXTS = Flag("contexts", "strings")
_IN_CLUSTER = Flag("in-cluster", "bool")
_IMAGES = Flag("image-override", "strings")
_PROXIES = tuple(Flag(name, since=(0, 18)) for name in ("http-proxy", "https-proxy", "no-proxy"))
_BROKER_URL = Flag("broker-url", since=(0, 17))
_PROBE = (_IMAGES, Flag("validation-timeout", "uint", "90"), Flag("verbose", "bool"))
_DIAGNOSE = (*_CLUSTER, _NAMESPACE, _IN_CLUSTER)

JOIN = (
    *_CLUSTER,
    *_PROXIES,
    _BROKER_URL,
    _IMAGES,
    Flag("air-gapped", "bool"),
    Flag("cable-driver", default="libreswan"),
    Flag("check-broker-certificate", "bool", "true"),
    Flag("clustercidr"),
    Flag("clusterid"),
    Flag("clusterset-ip-cidr", since=(0, 19)),
    Flag("coredns-custom-configmap"),
    Flag("custom-domains", "strings"),
    Flag("enable-clusterset-ip", "bool", since=(0, 19)),
    Flag("force-udp-encaps", "bool"),
    Flag("globalnet", "bool", "true"),
    Flag("globalnet-cidr"),
    Flag("globalnet-cluster-size", "uint"),
    Flag("health-check", "bool", "true"),
    Flag("health-check-interval", "uint", "1"),
    Flag("health-check-max-packet-loss-count", "uint", "5"),
    Flag("ignore-requirements", "bool"),
    Flag("ipsec-debug", "bool"),
    Flag("label-gateway", "bool", "true"),
    Flag("load-balancer", "bool"),
    Flag("natt", "bool", "true"),
    Flag("nattport", "int", "4500"),
    Flag("operator-debug", "bool"),
    Flag("pod-debug", "bool"),
    Flag("preferred-server", "bool"),
    Flag("repository"),
    Flag("servicecidr"),
    Flag("version"),
)

DEPLOY_BROKER = (
    *_CLUSTER,
    *_PROXIES,
    _BROKER_URL,
    _NAMESPACE,
    Flag("clusterset-ip-cidr-range", default="243.0.0.0/8", since=(0, 19)),
    Flag("components", "strings", "[service-discovery,connectivity]"),
    Flag("custom-domains", "strings"),
    Flag("enable-clusterset-ip", "bool", since=(0, 19)),
    Flag("globalnet", "bool"),
    Flag("globalnet-cidr-range", default="242.0.0.0/8"),
    Flag("globalnet-cluster-size", "uint", "65536"),
    Flag("ipsec-psk-from"),
    Flag("operator-debug", "bool"),
    Flag("repository"),
    Flag("version"),
)

SHOW = (*_CLUSTER, _CONTEXTS)
UNINSTALL = (*_CLUSTER, _NAMESPACE, Flag("yes", "bool", short="y"))

COMMANDS: dict[str, tuple[Flag, ...]] = {
    "benchmark latency": (*_CLUSTER, *_connection("to"), _IMAGES, Flag("verbose", "bool")),
    "benchmark throughput": (*_CLUSTER, *_connection("to"), _IMAGES, Flag("verbose", "bool")),
    "deploy-broker": DEPLOY_BROKER,
    "diagnose all": (*_DIAGNOSE, *_PROBE),
    "diagnose cni": _DIAGNOSE,
    "diagnose connections": _DIAGNOSE,
    "diagnose deployment": (*_DIAGNOSE, _IMAGES),
    "diagnose firewall inter-cluster": (*_DIAGNOSE, *_connection("remote"), Flag("remotenamespace"), *_PROBE),
    "diagnose firewall intra-cluster": (*_DIAGNOSE, *_PROBE),
    "diagnose firewall nat-discovery": (*_DIAGNOSE, *_connection("remote"), Flag("remotenamespace"), *_PROBE),
    "diagnose k8s-version": _DIAGNOSE,
    "diagnose kube-proxy-mode": (*_DIAGNOSE, _IMAGES),
    "diagnose service-discovery": _DIAGNOSE,
    "export service": (*_CLUSTER, _NAMESPACE, Flag("use-clusterset-ip", "bool", since=(0, 19))),
    "gather": (
        *_CLUSTER,
        _CONTEXTS,
        Flag("dir"),
        Flag("include-sensitive-data", "bool"),
        Flag("module", "strings", "[connectivity,service-discovery,broker,operator]"),
        Flag("type", "strings", "[logs,resources]"),
    ),
    "join": JOIN,
    "recover-broker-info": (*_CLUSTER, _BROKER_URL),
    "show all": SHOW,
    "show brokers": SHOW,
    "show connections": SHOW,
    "show endpoints": SHOW,
    "show gateways": SHOW,
    "show networks": SHOW,
    "show versions": SHOW,
    "unexport service": (*_CLUSTER, _NAMESPACE),
    "uninstall": UNINSTALL,
    "upgrade": (*_CLUSTER, *_PROXIES, Flag("to-version")),
    "verify": (
        *_CLUSTER,
        *_connection("to"),
        *_connection("extra"),
        _NAMESPACE,
        _IMAGES,
        Flag("connection-attempts", "uint", "2"),
        Flag("connection-timeout", "uint", "60"),
        Flag("disruptive-tests", "bool"),
        Flag("extranamespace"),
        Flag("junit-report"),
        Flag("only", default="service-discovery,compliance,connectivity,basic-connectivity,gateway-failover"),
        Flag("operation-timeout", "uint", "240"),
        Flag("packet-size", "uint", "3000"),
        Flag("submariner-namespace", default="submariner-operator"),
        Flag("tonamespace"),
        Flag("verbose", "bool"),
    ),
    "version": (HELP,),
}


def flags_of(command: str, version: SubmarinerVersion) -> tuple[Flag, ...]:
    return tuple(each for each in COMMANDS[command] if version >= each.since)
