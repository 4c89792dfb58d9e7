# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The options of ``subctl join``: module option, flag, field of the Submariner object that it ends in, first version.

Flags and defaults are those of ``subctl join --help`` 0.16 to 0.19 (subctl cmd/subctl/join.go); fields are what
``populateSubmarinerSpec`` makes of them (subctl pkg/deploy/submariner.go).
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import MASK, URL_PASSWORD


class JoinOption(t.NamedTuple):
    """One option.

    ``kind`` is Ansible's option type. ``field`` is the path in ``Submariner.spec``, empty for what leaves no trace there.
    ``default`` is what subctl takes when the flag is not given; None where it finds the value out by itself.
    ``since`` is the first subctl that knows the flag, empty for all supported ones.
    """

    name: str
    flag: str
    kind: str
    field: tuple[str, ...] = ()
    default: t.Any = None
    since: str = ""
    inverted: bool = False  # the field says the opposite of the flag


OPTIONS: tuple[JoinOption, ...] = (
    JoinOption("cluster_id", "--clusterid", "str", ("clusterID",)),
    JoinOption("cluster_cidr", "--clustercidr", "str", ("clusterCIDR",)),
    JoinOption("service_cidr", "--servicecidr", "str", ("serviceCIDR",)),
    JoinOption("natt", "--natt", "bool", ("natEnabled",), True),
    JoinOption("natt_port", "--nattport", "int", ("ceIPSecNATTPort",), 4500),
    JoinOption("force_udp_encaps", "--force-udp-encaps", "bool", ("ceIPSecForceUDPEncaps",), False),
    JoinOption("preferred_server", "--preferred-server", "bool", ("ceIPSecPreferredServer",), False),
    JoinOption("cable_driver", "--cable-driver", "str", ("cableDriver",), "libreswan"),
    JoinOption("air_gapped", "--air-gapped", "bool", ("airGappedDeployment",), False),
    JoinOption("load_balancer", "--load-balancer", "bool", ("loadBalancerEnabled",), False),
    JoinOption("health_check", "--health-check", "bool", ("connectionHealthCheck", "enabled"), True),
    JoinOption("health_check_interval", "--health-check-interval", "int", ("connectionHealthCheck", "intervalSeconds"), 1),
    JoinOption(
        "health_check_max_packet_loss_count", "--health-check-max-packet-loss-count", "int", ("connectionHealthCheck", "maxPacketLossCount"), 5
    ),
    JoinOption("globalnet", "--globalnet", "bool", (), True),
    JoinOption("globalnet_cidr", "--globalnet-cidr", "str", ("globalCIDR",)),
    JoinOption("globalnet_cluster_size", "--globalnet-cluster-size", "int"),
    JoinOption("enable_clusterset_ip", "--enable-clusterset-ip", "bool", ("clustersetIPEnabled",), False, since="0.19.0"),
    JoinOption("clusterset_ip_cidr", "--clusterset-ip-cidr", "str", ("clustersetIPCIDR",), since="0.19.0"),
    JoinOption("coredns_custom_configmap", "--coredns-custom-configmap", "str", ("coreDNSCustomConfig",)),
    JoinOption("custom_domains", "--custom-domains", "list", ("customDomains",)),
    JoinOption("repository", "--repository", "str", ("repository",)),
    JoinOption("version", "--version", "str", ("version",)),
    JoinOption("image_overrides", "--image-override", "dict", ("imageOverrides",)),
    JoinOption("broker_url", "--broker-url", "str", ("brokerK8sApiServer",), since="0.17.0"),
    JoinOption("check_broker_certificate", "--check-broker-certificate", "bool", ("brokerK8sInsecure",), True, inverted=True),
    JoinOption("http_proxy", "--http-proxy", "str", since="0.18.0"),
    JoinOption("https_proxy", "--https-proxy", "str", since="0.18.0"),
    JoinOption("no_proxy", "--no-proxy", "list", since="0.18.0"),
    JoinOption("ignore_requirements", "--ignore-requirements", "bool", (), False),
    JoinOption("pod_debug", "--pod-debug", "bool", ("debug",), False),
    JoinOption("operator_debug", "--operator-debug", "bool", (), False),
    JoinOption("ipsec_debug", "--ipsec-debug", "bool", ("ceIPSecDebug",), False),
)
BY_NAME: t.Mapping[str, JoinOption] = {option.name: option for option in OPTIONS}
CIDR_OPTIONS = ("cluster_cidr", "service_cidr")
PROXY_ENVIRONMENT = {"http_proxy": "HTTP_PROXY", "https_proxy": "HTTPS_PROXY", "no_proxy": "NO_PROXY"}


def from_spec(spec: t.Mapping[str, t.Any], operator_environment: t.Mapping[str, str]) -> dict[str, t.Any]:
    """Say with which options the deployed Submariner would be joined again as it is.

    :param spec: ``Submariner.spec``; secrets may be missing.
    :param operator_environment: literal environment of the operator's container, where subctl puts the proxy settings.
    :returns: option name -> value, for every option that leaves a trace; absent fields count as Go's zero values.
    """
    options: dict[str, t.Any] = {}
    for option in OPTIONS:
        if option.field:
            options[option.name] = _from_field(option, spec)
    options["globalnet"] = bool(options["globalnet_cidr"])
    for name, variable in PROXY_ENVIRONMENT.items():
        value = operator_environment.get(variable, "")
        options[name] = [entry.strip() for entry in value.split(",") if entry.strip()] if name == "no_proxy" else value
    return options


def _from_field(option: JoinOption, spec: t.Mapping[str, t.Any]) -> t.Any:
    value: t.Any = spec
    for key in option.field:
        value = value.get(key) if isinstance(value, t.Mapping) else None
    if option.name == "coredns_custom_configmap":
        return _config_map_name(value)
    if option.kind == "bool":
        return bool(value) != option.inverted
    if option.kind == "int":
        return int(value or 0)
    if option.kind == "list":
        return list(value or [])
    if option.kind == "dict":
        return dict(value or {})
    return str(value or "")


def _config_map_name(value: t.Any) -> str:
    if not isinstance(value, t.Mapping) or not value.get("configMapName"):
        return ""
    return "/".join(part for part in (value.get("namespace"), value["configMapName"]) if part)


def normalised(name: str, value: t.Any) -> t.Any:
    """Bring an option's value to the form in which :func:`from_spec` gives it, so that the two compare.

    ``--broker-url`` loses its scheme in the object; list order of domains and of the no-proxy list has no meaning; a proxy's password is
    never read from the cluster, so a new password alone is no difference.
    """
    if name == "broker_url":
        return str(value).split("://", 1)[-1].rstrip("/")
    if name == "version":
        return str(value).lstrip("v") if str(value)[1:2].isdigit() else str(value)
    if name in ("http_proxy", "https_proxy"):
        return shown(name, value)
    if name in ("custom_domains", "no_proxy"):
        return sorted({str(entry).strip() for entry in value})
    if name == "coredns_custom_configmap" and value and "/" not in value:
        return f"kube-system/{value}"
    return value


def shown(name: str, value: t.Any) -> t.Any:
    """A value fit for output: a proxy's without its password."""
    return URL_PASSWORD.sub(MASK, str(value)) if name in ("http_proxy", "https_proxy") else value


def carried_over(current: t.Mapping[str, t.Any], broker_url: str) -> dict[str, t.Any]:
    """The options of a joined cluster in the form in which subctl takes them again.

    The Submariner object keeps the broker's URL without its scheme, and without one client-go speaks plain HTTP. Where the broker file
    names the same server, the option is not needed at all.

    :param current: as :func:`from_spec` returns it.
    :param broker_url: of the broker file.
    """
    options = dict(current)
    if options.get("broker_url"):
        same = normalised("broker_url", broker_url) == normalised("broker_url", options["broker_url"])
        options["broker_url"] = "" if same else f"https://{options['broker_url']}"
    return options


def masked(options: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Names of the options whose value was read from the cluster with its password masked, so that it cannot be given again."""
    return tuple(name for name in ("http_proxy", "https_proxy") if MASK in str(options.get(name) or ""))


def proxy_passwords(options: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The passwords in the proxies' URLs, which no output may contain."""
    return tuple(found.group() for name in ("http_proxy", "https_proxy") for found in URL_PASSWORD.finditer(str(options.get(name) or "")) if found.group())


def command_line(options: t.Mapping[str, t.Any]) -> list[str]:
    """The flags of ``subctl join`` for these options, in the order of :data:`OPTIONS`.

    Booleans are always written out (``--natt=false``), as Go's flag syntax demands; None, empty strings, lists and dicts and a zero
    where subctl has no default are left out. The gateway node is labelled by us, so subctl is told not to ask for one.
    """
    words = []
    for option in OPTIONS:
        value = options.get(option.name)
        if value is None or value in ("", [], {}) or (value == 0 and option.kind == "int"):
            continue
        if option.kind == "bool":
            words.append(f"{option.flag}={'true' if value else 'false'}")
        elif option.kind == "dict":
            words += [f"{option.flag}={key}={entry}" for key, entry in sorted(value.items())]
        elif option.kind == "list":
            words.append(f"{option.flag}={','.join(str(entry) for entry in value)}")
        else:
            words.append(f"{option.flag}={value}")
    words.append("--label-gateway=false")
    return words
