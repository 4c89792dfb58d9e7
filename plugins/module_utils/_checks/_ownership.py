# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who would undo a repair: for each of them the objects that they look after, and the place where a change lasts."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _owners as owners
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand

TAGS = ("ownership",)
SHOWN = 6
CALICO = ("installations", "daemon_sets")
TITLE = "undoes a change that it does not know of"


def _problem(facts: Facts, wanted: t.Collection[str], title: str, impact: str, text: str, target: str) -> t.Iterator[Problem]:
    """One finding for all objects of one owner. ``{name}`` in the texts is the owner's own name for what it looks after."""
    mine = [entry for entry in owners.owned(facts.snapshot) if entry.owner in wanted]
    if mine:
        name = next((entry.name for entry in mine if entry.name), "")
        objects = ", ".join(dict.fromkeys(str(entry.ref) for entry in mine[:3])) + (f" and {len(mine) - 3} more" if len(mine) > 3 else "")
        yield Problem(
            subject=str(mine[0].ref),
            title=title.format(objects=objects, name=name),
            evidence=tuple(Evidence(*entry.seen) for entry in mine[:SHOWN]),
            impact=impact,
            remedy=by_hand(text.format(name=name), target.format(name=name)),
        )


@check(
    "owner-helm-controller",
    title=f"RKE2's Helm controller {TITLE}",
    severity="info",
    needs=("installations", "helm_charts"),
    references=("rancher/rke2-charts packages/rke2-calico", "k3s-io/helm-controller"),
    tags=TAGS,
)
def helm_controller(facts: Facts) -> t.Iterator[Problem]:
    """RKE2 renders Calico's Installation from the chart rke2-calico, again at every upgrade of RKE2 and every change of its values."""
    yield from _problem(
        facts,
        (owners.HELM_CONTROLLER,),
        "RKE2's Helm controller renders {objects} from chart {name}",
        "A change of the object itself holds until the next upgrade of RKE2 or the next change of the chart's values.",
        "Change spec.valuesContent of HelmChartConfig kube-system/{name}, of which there can be only one, instead of the object.",
        "HelmChartConfig kube-system/{name}",
    )


@check(
    "owner-manifest-file",
    title=f"A file among RKE2's or k3s' manifests {TITLE}",
    severity="info",
    needs=("helm_chart_configs",),
    references=("k3s-io/k3s pkg/deploy",),
    tags=TAGS,
)
def manifest_file(facts: Facts) -> t.Iterator[Problem]:
    """What stands as a file in server/manifests is applied again at every start of every server."""
    yield from _problem(
        facts,
        (owners.MANIFEST_FILE,),
        "A file on the servers holds {objects}",
        "A change through the API lasts until a server starts, and then the file's content is back.",
        "Change the file {name} (.yaml) in server/manifests of RKE2's data directory, on every server alike.",
        "file {name} in server/manifests of every server",
    )


@check(
    "owner-helm-release",
    title=f"A Helm release {TITLE}",
    severity="info",
    needs=(*CALICO, "submariners"),
    references=("projectcalico/calico charts/tigera-operator",),
    tags=TAGS,
)
def helm_release(facts: Facts) -> t.Iterator[Problem]:
    """helm upgrade merges its own old and new state into the live object, and so overwrites fields that its values name."""
    yield from _problem(
        facts,
        (owners.HELM,),
        "{objects} belongs to Helm release {name}",
        "The next helm upgrade writes the release's values over a change of the object.",
        "Change the values of release {name} (helm upgrade --reuse-values with the --version of the installed chart, or your values file).",
        "values of Helm release {name}",
    )


@check(
    "owner-tigera-operator",
    title=f"The tigera operator {TITLE}",
    severity="info",
    needs=(*CALICO, "ip_pools"),
    references=("tigera/operator pkg/controller/installation", "tigera/operator pkg/controller/ippool", "tigera/operator#3428"),
    tags=TAGS,
)
def tigera_operator(facts: Facts) -> t.Iterator[Problem]:
    """The operator renders calico-node from the Installation, and from Calico 3.28 on owns every IPPool that the Installation lists. Submariner's pools are
    not among them."""
    yield from _problem(
        facts,
        (owners.TIGERA,),
        "The tigera operator renders {objects}",
        "It writes its own state back within seconds.",
        f"Change {detect_install_method(facts.snapshot).durable or 'the Installation'}, from which it renders them.",
        "Installation default",
    )


@check(
    "owner-kubespray",
    title=f"The next run of Kubespray {TITLE}",
    severity="info",
    needs=(*CALICO, "config_maps"),
    references=("kubernetes-sigs/kubespray roles/network_plugin/calico",),
    tags=TAGS,
)
def kubespray(facts: Facts) -> t.Iterator[Problem]:
    """Kubespray applies its templates again at every run, and stops where a pool contradicts its inventory."""
    yield from _problem(
        facts,
        (owners.KUBESPRAY_RUN,),
        "Kubespray applies {objects} at every run",
        "Keys that its templates name are overwritten; a pool whose CIDR, block size or mode differs from the inventory makes the run fail.",
        "Change the inventory (group_vars/k8s_cluster/k8s-net-calico.yml) as well as the live object.",
        "Kubespray's inventory",
    )


@check(
    "owner-gitops",
    title=f"A GitOps tool {TITLE}",
    severity="info",
    needs=(*CALICO, "submariners", "ip_pools"),
    references=("argoproj/argo-cd docs/user-guide/resource_tracking.md", "fluxcd/kustomize-controller"),
    tags=TAGS,
)
def gitops(facts: Facts) -> t.Iterator[Problem]:
    """Argo CD, Flux and Fleet put back what their repository says, within minutes where self-healing is on."""
    for owner, tool in ((owners.ARGO_CD, "Argo CD"), (owners.FLUX, "Flux"), (owners.FLEET, "Fleet")):
        yield from _problem(
            facts,
            (owner,),
            f"{tool} looks after {{objects}}",
            f"{tool} puts the repository's state back, within minutes where self-healing is on.",
            f"Commit the change to the repository that {tool} applies ({{name}}), or suspend it for the time of the repair.",
            f"the repository behind {tool} {{name}}",
        )


@check(
    "owner-acm",
    title=f"Advanced Cluster Management {TITLE}",
    severity="info",
    needs=("submariners",),
    joined=True,
    references=("stolostron/submariner-addon",),
    tags=TAGS,
)
def acm(facts: Facts) -> t.Iterator[Problem]:
    """The add-on on the hub renders the Submariner object from its SubmarinerConfig, and the work agent applies it again."""
    yield from _problem(
        facts,
        (owners.ACM,),
        "Advanced Cluster Management applies {objects}",
        "The work agent puts the hub's state back within minutes.",
        "Change SubmarinerConfig submariner in this cluster's namespace on the hub; a field that it does not have cannot be kept against the add-on.",
        "SubmarinerConfig on the hub",
    )


@check(
    "owner-ibm",
    title=f"IBM Cloud's master {TITLE}",
    severity="info",
    needs=("installations", "nodes", "openshift_networks"),
    references=("IBM Cloud docs: Red Hat OpenShift, Calico",),
    tags=TAGS,
)
def ibm(facts: Facts) -> t.Iterator[Problem]:
    """On ROKS, IBM installs Calico and supports three changes alone: policies, the MTU of the Installation, and hostPorts."""
    yield from _problem(
        facts,
        (owners.IBM,),
        "IBM Cloud's master looks after {objects}",
        "Changes of Calico's components, DaemonSet or default pools are unsupported and may be undone at any time.",
        "Change policies, Installation spec.calicoNetwork.mtu (1450 at least, then reboot the workers one by one) or hostPorts alone; else open a case.",
        "IBM's support",
    )
