# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Containers of pods and of templates of pods, from raw JSON to records.

A container's environment may carry credentials: variables are kept by name, so that one that nobody thought of is dropped as well.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Container, ContainerStatus, EnvVar
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import (
    JsonObject,
    flag_at,
    integer_at,
    interned,
    object_at,
    objects_at,
    shared,
    text_at,
    texts_at,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import MASK, URL_PASSWORD, Redactor, redacted_message, redacted_text

ENVIRONMENT = frozenset(
    (
        # Submariner (submariner-operator, internal/controllers/submariner: the DaemonSets' variables)
        "SUBMARINER_CLUSTERCIDR",
        "SUBMARINER_SERVICECIDR",
        "SUBMARINER_GLOBALCIDR",
        "SUBMARINER_CLUSTERID",
        "SUBMARINER_NAMESPACE",
        "SUBMARINER_NETWORKPLUGIN",
        "SUBMARINER_CABLEDRIVER",
        "SUBMARINER_NATENABLED",
        "SUBMARINER_DEBUG",
        "SUBMARINER_COLORCODES",
        "SUBMARINER_METRICSPORT",
        "SUBMARINER_HEALTHCHECKENABLED",
        "SUBMARINER_HEALTHCHECKINTERVAL",
        "SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT",
        "SUBMARINER_HALT_ON_CERT_ERROR",
        "SUBMARINER_HALTONCERTIFICATEERROR",
        "SUBMARINER_WAITFORNODE",
        "SUBMARINER_GLOBALNET_ENABLED",
        "SUBMARINER_CLUSTERSET_IP_ENABLED",
        "SUBMARINER_CLUSTERSET_IP_CIDR",
        "SUBMARINER_EXCLUDENS",
        "AIR_GAPPED_DEPLOYMENT",
        "BROKER_K8S_APISERVER",
        "BROKER_K8S_REMOTENAMESPACE",
        "BROKER_K8S_INSECURE",
        "CE_IPSEC_NATTPORT",
        "CE_IPSEC_FORCEENCAPS",
        "CE_IPSEC_PREFERREDSERVER",
        # Calico and its operator
        "CALICO_API_GROUP",
        "CALICO_DISABLE_FILE_LOGGING",
        "CALICO_IPV4POOL_CIDR",
        "CALICO_IPV4POOL_IPIP",
        "CALICO_IPV4POOL_VXLAN",
        "CALICO_IPV4POOL_NAT_OUTGOING",
        "CALICO_IPV6POOL_CIDR",
        "CALICO_IPV6POOL_VXLAN",
        "CALICO_NETWORKING_BACKEND",
        "CLUSTER_TYPE",
        "CNI_MTU",
        "DATASTORE_TYPE",
        "NO_DEFAULT_POOLS",
        "IP",
        "IP6",
        "IP_AUTODETECTION_METHOD",
        "IP6_AUTODETECTION_METHOD",
        "FELIX_BPFENABLED",
        "FELIX_CHAININSERTMODE",
        "FELIX_DEFAULTENDPOINTTOHOSTACTION",
        "FELIX_FAILSAFEINBOUNDHOSTPORTS",
        "FELIX_FAILSAFEOUTBOUNDHOSTPORTS",
        "FELIX_FEATUREDETECTOVERRIDE",
        "FELIX_HEALTHPORT",
        "FELIX_IPIPENABLED",
        "FELIX_IPTABLESBACKEND",
        "FELIX_IPV6SUPPORT",
        "FELIX_NFTABLESMODE",
        "FELIX_VXLANENABLED",
        "FELIX_VXLANPORT",
        "FELIX_VXLANVNI",
        "FELIX_WIREGUARDENABLED",
        "FELIX_WIREGUARDENABLEDV6",
        # other network plugins
        "IPALLOC_RANGE",
        "POD_SUBNET",
    )
)
MTU_VARIABLE = re.compile(r"FELIX_[A-Z0-9]*MTU[A-Z0-9]*")  # FELIX_VXLANMTU, FELIX_IPINIPMTU, FELIX_WIREGUARDMTUV6, FELIX_MTUIFACEPATTERN, ...
PRESENCE = frozenset(("ETCD_ENDPOINTS",))  # that it is set says which datastore; the value may hold credentials
PROXY_ENVIRONMENT = frozenset(("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"))
_CNI_KNOWN = re.compile(r'"type"\s*:\s*"(?P<type>[a-z0-9-]+)"|"mtu"\s*:\s*"?(?P<mtu>[0-9]+|__[A-Z_]+__)"?')
LONGEST_MESSAGE = 1000  # characters of a termination message, from its end: that is where a panic or a last error stands


def cni_summary(cni_configuration: str) -> str:
    """What a CNI configuration says of IPAM and MTU: every ``"type"`` and every ``"mtu"`` in it, in order, and nothing else of it.

    The text is no JSON while it holds placeholders such as ``"mtu": __CNI_MTU__``, and it may hold tokens and keys of etcd.
    """
    return ", ".join(
        f'"type": "{found.group("type")}"' if found.group("type") else f'"mtu": {found.group("mtu")}' for found in _CNI_KNOWN.finditer(cni_configuration)
    )


def _environment(entries: t.Iterable[dict[str, t.Any]]) -> t.Iterator[EnvVar]:
    for entry in entries:
        name, value = text_at(entry, "name"), text_at(entry, "value")
        known = name in ENVIRONMENT or MTU_VARIABLE.fullmatch(name) is not None
        if name in PRESENCE:
            yield EnvVar(name, MASK if value or entry.get("valueFrom") else "")
        elif entry.get("valueFrom"):
            reference = object_at(entry, "valueFrom", "configMapKeyRef")
            if reference and (known or name == "CNI_NETWORK_CONFIG"):
                yield EnvVar(name, "", f"{text_at(reference, 'name')}/{text_at(reference, 'key')}")
        elif known:
            yield EnvVar(name, redacted_text(value))
        elif name == "CNI_NETWORK_CONFIG":
            yield EnvVar(name, cni_summary(value))
        elif name in PROXY_ENVIRONMENT:
            yield EnvVar(name, URL_PASSWORD.sub(MASK, value))


def container(obj: JsonObject) -> Container:
    """A container, the same record as its twin's in another pod of its DaemonSet.

    Comparing what the record is made of costs a tenth of making it.
    """
    made_of = [obj.get(key) for key in _PARTS]
    name = text_at(obj, "name")
    known = _KNOWN.get(name)
    if known is not None and known[0] == made_of:
        return known[1]
    record = Container(
        name=name,
        image=text_at(obj, "image"),
        command=Redactor().arguments(texts_at(obj, "command")),
        args=Redactor().arguments(texts_at(obj, "args")),
        env=tuple(_environment(objects_at(obj, "env"))),
    )
    if len(_KNOWN) >= _MOST_KNOWN:
        _KNOWN.clear()
    _KNOWN[name] = (made_of, record)
    return record


_PARTS = ("name", "image", "command", "args", "env")
_MOST_KNOWN = 256
_KNOWN: dict[str, tuple[list[t.Any], Container]] = {}  # by name the last one that was met


def containers_at(obj: t.Any, *path: str) -> tuple[Container, ...]:
    return shared(tuple(map(container, objects_at(obj, *path))))


def _container_status(obj: JsonObject, init: bool) -> ContainerStatus:
    state = object_at(obj, "state")
    ended = object_at(state, "terminated") or object_at(obj, "lastState", "terminated")
    return shared(
        ContainerStatus(
            name=interned(text_at(obj, "name")),
            ready=flag_at(obj, "ready"),
            restarts=integer_at(obj, "restartCount"),
            image=interned(text_at(obj, "image")),
            started_at=interned(text_at(state, "running", "startedAt")),
            waiting_reason=text_at(state, "waiting", "reason"),
            waiting_message=redacted_message(text_at(state, "waiting", "message"))[-LONGEST_MESSAGE:],
            exit_code=integer_at(ended, "exitCode") if ended else None,
            exit_reason=interned(text_at(ended, "reason")),
            exit_message=redacted_text(text_at(ended, "message"), assigned=True)[-LONGEST_MESSAGE:],  # it may be the end of a log
            finished_at=interned(text_at(ended, "finishedAt")),
            init=init,
        )
    )


def container_statuses(pod: JsonObject) -> tuple[ContainerStatus, ...]:
    """Of a Pod: those of its containers, then those of its init containers that have not simply done their work."""
    own = [_container_status(entry, False) for entry in objects_at(pod, "status", "containerStatuses")]
    init = [_container_status(entry, True) for entry in objects_at(pod, "status", "initContainerStatuses") if not _is_done(entry)]
    return shared((*own, *init))


def _is_done(status: JsonObject) -> bool:
    ended = object_at(status, "state", "terminated")
    return ended.get("exitCode") == 0 and not status.get("restartCount")
