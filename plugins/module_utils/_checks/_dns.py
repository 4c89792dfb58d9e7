# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Service discovery: whether the cluster's DNS asks Lighthouse for names of other clusters, and whether Services get through."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, ConfigMap, ServiceExport
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._corefile import Corefile, parse_corefile
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import Change

DOMAIN = "clusterset.local"
LIGHTHOUSE_DNS = "submariner-lighthouse-coredns"
RKE2_DNS = "rke2-coredns-rke2-coredns"
CLUSTER_DNS = ("coredns", RKE2_DNS, "dns-default")  # kubeadm, Kubespray, k3s; RKE2; MicroShift
NODE_CACHES = ("nodelocaldns", "node-local-dns", "rke2-coredns-node-local-dns")  # Kubespray; kubernetes cluster/addons/dns/nodelocaldns; RKE2
RKE2_HANDLED = Change(
    "rke2-coredns", ("0.20.0",), "edits RKE2's CoreDNS, too (before: loops with an error of OpenShift's DNS operator)",
    "submariner-operator#3005, lighthouse#1602", first_unsure=True,
)
EXPORT_CONDITIONS = ("Valid", "Ready", "Synced", "Exported", "Conflict")
CONTROLLER = "submariner-operator controllers/servicediscovery/servicediscovery_controller.go"


class DnsConfig(t.NamedTuple):
    """A Corefile and the ConfigMap that it stands in."""

    config_map: ConfigMap
    corefile: Corefile


@check(
    "dns-not-forwarded",
    title="The cluster's DNS asks Lighthouse for names of other clusters",
    severity="error",
    needs=("config_maps", "services", "openshift_dns", "deployments"),
    joined=True,
    references=(CONTROLLER, "submariner-io/submariner-operator#3005", "submariner-io/lighthouse#1602"),
    tags=("dns",),
    remedy="Forward clusterset.local to the Service submariner-lighthouse-coredns, in the object that the cluster's DNS is made from.",
)
def dns_not_forwarded(facts: Facts) -> t.Iterator[Problem]:
    """Submariner's operator edits ConfigMap kube-system/coredns, OpenShift's DNS ``default``, or MicroShift's; before 0.20 not RKE2's.

    Each domain (clusterset.local and the custom ones) must be forwarded to the address that Service submariner-lighthouse-coredns has now.
    """
    _require_discovery(facts)
    address = _lighthouse_address(facts)
    if facts.snapshot.openshift_dns.items:
        yield from _openshift(facts, address)
        return
    configs = _configs(facts, CLUSTER_DNS)
    if not configs:
        raise CannotJudge(f"none of the ConfigMaps {', '.join(CLUSTER_DNS)} was found: this cluster's DNS is configured in another way")
    custom = _custom_configs(facts)
    for domain in _domains(facts):
        forwards = [(str(config.config_map.ref), config.corefile.targets(domain)) for config in (*configs, *custom)]
        reached = [(where, targets) for where, targets in forwards if targets is not None]
        if not reached:
            yield _no_forward(facts, domain, configs, address)
        elif address and not any(address in targets for _where, targets in reached):
            yield Problem(
                subject=", ".join(where for where, _targets in reached),
                title=f"The cluster's DNS forwards {domain} to {names(target for _where, targets in reached for target in targets) or 'nobody'}, "
                f"and Lighthouse is at {address}",
                evidence=(
                    *(Evidence(where, f"data[Corefile] {domain}", ", ".join(targets)) for where, targets in reached),
                    Evidence(f"Service {facts.submariner.ref.namespace}/{LIGHTHOUSE_DNS}", "spec.clusterIP", address),
                ),
                impact=f"Names under {domain} do not resolve.",
                remedy=by_hand("Write the Service's address into the forward block; the operator does it for ConfigMap kube-system/coredns when it runs."),
            )


def _no_forward(facts: Facts, domain: str, configs: t.Sequence[DnsConfig], address: str) -> Problem:
    rke2 = [config for config in configs if config.config_map.ref.name == RKE2_DNS]
    old = bool(rke2) and RKE2_HANDLED.holds_in(facts.submariner.version) is not True
    target = address or "THE ADDRESS OF SERVICE submariner-lighthouse-coredns"
    if rke2:
        remedy = Remedy(
            text=f"Add a server for {domain} that forwards to {target} to the valuesContent of HelmChartConfig kube-system/rke2-coredns (servers: zones, "
            "port 53, plugins forward) beside the chart's own servers; a change to the ConfigMap itself is undone by Helm. "
            f"Submariner {RKE2_HANDLED.first[0]} and newer do it themselves.",
            target="HelmChartConfig kube-system/rke2-coredns",
        )
    else:
        remedy = by_hand(
            f"Add to the Corefile: {domain}:53 {{ forward . {target} }}. The operator does it when it runs: read its log. Where something reverts the "
            "ConfigMap (Kubespray, a GitOps tool), add it there (Kubespray: coredns_external_zones)."
        )
    version = facts.submariner.version
    return Problem(
        subject=", ".join(str(config.config_map.ref) for config in configs),
        title=f"The cluster's DNS does not know {domain}"
        + (f": Submariner {version} does not handle RKE2's CoreDNS ({RKE2_DNS})" if old else ""),
        evidence=few(Evidence(str(config.config_map.ref), f"data[Corefile] {domain}", "none", _zones(config.corefile)) for config in configs),
        impact=f"Names under {domain} do not resolve; addresses of pods and Services in other clusters work.",
        remedy=remedy,
    )


def _openshift(facts: Facts, address: str) -> t.Iterator[Problem]:
    for dns in facts.snapshot.openshift_dns.items:
        forwards = dict(dns.forwards)
        for domain in _domains(facts):
            upstreams = forwards.get(domain)
            if upstreams is None or (address and address not in upstreams):
                shown = ", ".join(upstreams) if upstreams else "none"
                yield Problem(
                    subject=str(dns.ref),
                    title=f"OpenShift's DNS does not forward {domain} to Lighthouse" + (f" at {address}" if address else ""),
                    evidence=(Evidence(str(dns.ref), f"spec.servers[{domain}].forwardPlugin.upstreams", shown, f"Lighthouse is at {address or '?'}"),),
                    impact=f"Names under {domain} do not resolve.",
                    remedy=by_hand("Submariner's operator writes it: read its log; or add the server to spec.servers of the DNS default by hand."),
                )


@check(
    "dns-node-cache",
    title="The DNS cache of the nodes asks Lighthouse, too",
    severity="error",
    needs=("config_maps", "services", "deployments"),
    joined=True,
    references=("submariner-io/submariner-operator#2102",),
    tags=("dns",),
    remedy="Add the domain to the Corefile of NodeLocal DNSCache.",
)
def dns_node_cache(facts: Facts) -> t.Iterator[Problem]:
    """NodeLocal DNSCache (Kubespray's default) answers pods before CoreDNS: it must know the domains itself, and nothing of Submariner tells it."""
    _require_discovery(facts)
    address = _lighthouse_address(facts)
    dns_addresses = {
        cluster_ip
        for service in facts.snapshot.services.items
        if service.ref.namespace == "kube-system" and "dns" in service.ref.name
        for cluster_ip in service.cluster_ips
    }
    for config in _configs(facts, NODE_CACHES):
        for domain in _domains(facts):
            targets = config.corefile.targets(domain)
            good = {address, *dns_addresses} - {""}
            root = set(config.corefile.root_targets)
            if (targets is None and root & good) or (targets is not None and (not good or good & set(targets))):
                continue
            if targets is None and any(target.startswith("__PILLAR__") for target in root):
                raise CannotJudge(f"{config.config_map.ref} is a template that node-local-dns fills in when it starts ({', '.join(sorted(root))})")
            yield Problem(
                subject=str(config.config_map.ref),
                title=f"NodeLocal DNSCache sends {domain} to {names(targets or sorted(root)) or 'nobody'} instead of the cluster's DNS",
                evidence=(
                    Evidence(
                        str(config.config_map.ref), f"data[Corefile] {domain}", "none" if targets is None else ", ".join(targets), _zones(config.corefile)
                    ),
                ),
                impact=f"Pods that ask the cache do not resolve names under {domain}, although CoreDNS would.",
                remedy=by_hand(
                    f"Add to its Corefile: {domain}:53 {{ forward . {address or 'ADDRESS OF submariner-lighthouse-coredns'} }} and restart its pods; with "
                    "Kubespray for good through nodelocaldns_external_zones."
                ),
            )


def _require_discovery(facts: Facts) -> None:
    """:raises NotApplicable: service discovery is switched off."""
    enabled = facts.submariner.spec.get("serviceDiscoveryEnabled")
    runs = any(item.ref.name == LIGHTHOUSE_DNS and item.ref.namespace == facts.submariner.ref.namespace for item in facts.snapshot.deployments.items)
    if not runs and (enabled is False or (not enabled and not facts.snapshot.service_discoveries.items)):
        reason = missing(facts.snapshot.deployments, "Deployments")
        if reason:
            raise CannotJudge(reason)
        raise NotApplicable()


def _lighthouse_address(facts: Facts) -> str:
    namespace = facts.submariner.ref.namespace
    found = (item for item in facts.snapshot.services.items if (item.ref.namespace, item.ref.name) == (namespace, LIGHTHOUSE_DNS))
    return next((address for service in found for address in service.cluster_ips), "")


def _domains(facts: Facts) -> tuple[str, ...]:
    custom = facts.submariner.spec.get("customDomains")
    listed = [str(entry).rstrip(".").lower() for entry in custom] if isinstance(custom, (list, tuple)) else []
    return tuple(dict.fromkeys((DOMAIN, *listed)))


def _configs(facts: Facts, wanted: t.Container[str]) -> tuple[DnsConfig, ...]:
    return tuple(
        DnsConfig(item, parse_corefile(item.data["Corefile"]))
        for item in facts.snapshot.config_maps.items
        if item.ref.name in wanted and item.ref.namespace in ("kube-system", "openshift-dns") and "Corefile" in item.data
    )


def _custom_configs(facts: Facts) -> tuple[DnsConfig, ...]:
    """The ConfigMap that ``coreDNSCustomConfig`` names, where the cluster's own Corefile imports files at all: nobody else reads it."""
    custom = facts.submariner.spec.get("coreDNSCustomConfig")
    if not isinstance(custom, dict) or not custom.get("configMapName"):
        return ()
    name, namespace = str(custom["configMapName"]), str(custom.get("namespace") or "kube-system")
    found = [item for item in facts.snapshot.config_maps.items if (item.ref.namespace, item.ref.name) == (namespace, name)]
    if not any(config.corefile.imports for config in _configs(facts, CLUSTER_DNS)):
        return ()
    if not found:
        raise CannotJudge(f"the ConfigMap {namespace}/{name}, which Submariner writes its forward block to, was not read")
    return tuple(DnsConfig(item, parse_corefile("\n".join(item.data.values()))) for item in found)


def _zones(corefile: Corefile) -> str:
    return f"it has {names((zone for block in corefile.blocks for zone in block.zones), 5) or 'no zones'}"


@check(
    "service-export-failed",
    title="Exported Services reach the broker",
    severity="warning",
    needs=("service_exports",),
    joined=True,
    references=("lighthouse pkg/agent/controller/service_export.go", "KEP-1645"),
    tags=("dns", "services"),
    remedy="Correct the Service as the condition's message says.",
)
def service_export_failed(facts: Facts) -> t.Iterator[Problem]:
    """Conditions of ServiceExports: Valid (the Service exists and its type fits), Ready or Synced (it is on the broker), Conflict (others export it unlike)."""
    failed: dict[tuple[str, str], list[tuple[ServiceExport, Condition]]] = {}
    for export in facts.snapshot.service_exports.items:
        for condition in export.conditions:
            wanted = "False" if condition.type == "Conflict" else "True"
            if condition.type in EXPORT_CONDITIONS and condition.status not in (wanted, "Unknown"):
                failed.setdefault((condition.type, condition.reason), []).append((export, condition))
    for (kind, reason), entries in failed.items():
        exports = [f"{export.ref.namespace}/{export.ref.name}" for export, _condition in entries]
        yield Problem(
            subject=names(str(export.ref) for export, _condition in entries),
            title=f"{names(exports)} {'is' if len(entries) == 1 else 'are'} exported but {'in conflict' if kind == 'Conflict' else 'not ' + kind}: {reason}",
            evidence=few(Evidence(str(export.ref), f"status.conditions[{kind}]", condition.status, condition.message) for export, condition in entries),
            impact="Other clusters do not find these Services, or find them only in part.",
            remedy=by_hand("The condition's message says what is wrong with the Service; a conflict goes away when all clusters export it alike."),
        )


@check(
    "service-import-empty",
    title="Every imported Service has a cluster behind it",
    severity="warning",
    needs=("service_imports",),
    joined=True,
    references=("lighthouse pkg/agent/controller/service_import_aggregator.go",),
    tags=("dns", "services"),
    remedy="Export the Service where it runs, or delete the ServiceImport on the broker.",
)
def service_import_empty(facts: Facts) -> t.Iterator[Problem]:
    """A ServiceImport without clusters: nobody exports the Service any more, and its name resolves to nothing."""
    empty = [item for item in facts.snapshot.service_imports.items if not item.clusters and item.type != "Headless"]
    if empty:
        yield Problem(
            subject=names(str(item.ref) for item in empty),
            title=f"{len(empty)} imported Services have no cluster behind them: {names(f'{item.ref.namespace}/{item.ref.name}' for item in empty)}",
            evidence=few(Evidence(str(item.ref), "status.clusters", "none", item.type) for item in empty),
            impact="Their names under clusterset.local resolve to nothing.",
            remedy=by_hand("Export the Service where it runs, or delete the ServiceImport on the broker where it is left over."),
        )
