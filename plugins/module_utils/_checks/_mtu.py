# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the packets of pods fit through Calico's tunnels, and these through the nodes' links."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import KUBESPRAY, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import MtuPicture, mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    USUAL_LINK,
    Excess,
    beyond_link,
    beyond_tunnels,
    left_for_pods,
    overhead_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import ASSUMED, TELLING, Refusal, is_accepted, promised_link, refusals
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_remedy import set_mtu, settable
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import ENVIRONMENT, FELIX_FIELD, POD, Knob, number
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FelixConfiguration
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import plain_line

TOO_LARGE = "mtu-too-large"
SHOWN = 5
STALLS = "Small packets pass and large ones are lost: ping and handshakes work, transfers between nodes and to other clusters stall."


@check(
    TOO_LARGE,
    title="Calico's packets fit the nodes' links",
    severity="error",
    references=("projectcalico/calico felix/dataplane/linux/int_dataplane.go", "submariner-io/submariner#1774", "kubernetes-sigs/kubespray#11346"),
    tags=("mtu",),
)
def too_large(facts: Facts) -> t.Iterator[Problem]:
    """A packet of a tunnel may be as large as the link less what the tunnel adds: IPIP 20, VXLAN 50 (IPv6 70), WireGuard 60 (IPv6 80) bytes; on AKS
    WireGuard with wireguardHostEncryptionEnabled 100 more. A pool that is disabled counts as long as addresses of it may be in use.

    Automatic values fit by construction. A configured one is compared with the link where something tells it: the pods' MTU that an operator or
    calico-node's log reports while everything is automatic, the link that the log names, or the kernel's refusal to set it, which a log of a running
    calico-node does without where the kernel has taken VXLAN's. Elsewhere it is unknown.
    """
    picture = _picture(facts)
    _require(picture)
    refused = [entry for entry in refusals(facts.snapshot) if _is_configured(picture, entry.tunnel, entry.wanted)]
    if picture.link.mtu is not None:
        found = beyond_link(picture.tunnels or {}, picture.pod, picture.link.mtu, aks=picture.settings.aks)
        yield from (_beyond_link(facts, picture, excess, picture.link.mtu) for excess in found)
    elif refused:
        yield _refused(facts, picture, refused)
    elif not is_accepted(facts.snapshot, picture.settings):
        yield from _unproved(picture, promised_link(facts.snapshot))


@check(
    "mtu-pod-exceeds-tunnel",
    title="Packets of pods fit into Calico's tunnels",
    severity="error",
    references=("kubernetes-sigs/kubespray roles/network_plugin/calico/templates/calico-node.yml.j2", "projectcalico/calico#5008"),
    tags=("mtu",),
)
def pod_exceeds_tunnel(facts: Facts) -> t.Iterator[Problem]:
    """Pods' interfaces and tunnel devices are configured in two places, and can contradict each other whatever the links carry.

    Kubespray's calico_veth_mtu brings this about: against its name it sets the tunnels, while calico_mtu sets the pods. Where Calico does policy alone,
    another CNI gives pods their MTU, and nothing is asked.
    """
    picture = _picture(facts)
    _require(picture)
    _of_calico(picture)
    found = beyond_tunnels(picture.pod, picture.tunnels or {})
    for excess in found:
        knobs = [picture.settings.knob_of(POD), picture.settings.knob_of(excess.tunnel)]
        yield Problem(
            subject=_where(picture, POD),
            title=f"Pods send packets of {excess.mtu} bytes, and the {excess.tunnel} tunnel takes {excess.limit}",
            evidence=(*_rows(*knobs), *_kubespray_signature(facts, picture)),
            impact=STALLS,
            remedy=remedy_for(facts, min(entry.limit for entry in found)),
        )
    if picture.pod is None and not (picture.settings.pod == 0 or not picture.settings.tunnels):
        raise CannotJudge(f"the MTU of pods is not known; {TELLING}")


@check(
    "mtu-setting-ignored",
    title="Every MTU that is configured has an effect",
    severity="warning",
    references=("projectcalico/calico felix/config/config_params.go", "kubernetes-sigs/kubespray docs/CNI/calico.md"),
    tags=("mtu",),
)
def setting_ignored(facts: Facts) -> t.Iterator[Problem]:
    """The environment of calico-node wins over FelixConfiguration, also with "0", which means automatic. Somebody set a value and believes in it."""
    picture = _picture(facts)
    if picture.settings.missing:
        raise CannotJudge("; ".join(picture.settings.missing))
    for knob in picture.settings.knobs:
        winner = picture.settings.knob_of(knob.consumer)
        in_use = knob.consumer == POD or knob.consumer in (picture.settings.tunnels or {})
        if knob.effective or not in_use or winner is None or not number(knob.value) or number(knob.value) == number(winner.value):
            continue
        if knob.field == "spec.calicoNetwork.mtu":
            continue  # not ignored but on its way: mtu-change-pending
        yield Problem(
            subject=knob.where,
            title=f"{knob.field} = {knob.value} has no effect: {winner.field} = {_shown(winner)} is in force",
            evidence=(_row(knob), _row(winner)),
            impact=f"The MTU of {_what(knob)} is not what somebody set.",
            remedy=_set_where_it_counts(facts, number(knob.value)),
        )


@check(
    "mtu-differs-between-nodes",
    title="No node has an MTU of its own",
    severity="warning",
    needs=("felix_configurations",),
    references=("projectcalico/calico felix/config/config_params.go",),
    tags=("mtu",),
)
def differs_between_nodes(facts: Facts) -> t.Iterator[Problem]:
    """A FelixConfiguration named node.NAME outranks the default one on that node, so that packets from elsewhere may be too large for it."""
    picture = _picture(facts)
    groups: dict[tuple[str, str], list[FelixConfiguration]] = {}
    for felix in facts.snapshot.felix_configurations.items:
        for tunnel in picture.settings.tunnels or () if felix.ref.name.startswith("node.") else ():
            own, common = felix.spec.get(FELIX_FIELD[tunnel]), picture.settings.knob_of(tunnel)
            if own is not None and not _outranks_nodes(common, tunnel) and number(str(own)) != number(common.value if common else ""):
                groups.setdefault((tunnel, str(own)), []).append(felix)
    for (tunnel, own), felixes in groups.items():
        yield _own_mtu(picture, tunnel, own, felixes)


def _outranks_nodes(knob: Knob | None, tunnel: str) -> bool:
    """The environment wins over every FelixConfiguration, those of single nodes included."""
    return knob is not None and (knob.field.endswith(ENVIRONMENT[tunnel]) or knob.where.startswith("ConfigMap"))


def _own_mtu(picture: MtuPicture, tunnel: str, own: str, felixes: t.Sequence[FelixConfiguration]) -> Problem:
    field, common, first = FELIX_FIELD[tunnel], picture.settings.knob_of(tunnel), felixes[0].ref
    names = [felix.ref.name.removeprefix("node.") for felix in felixes]
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return Problem(
        subject=str(first),
        title=f"{'Node' if len(names) == 1 else 'Nodes'} {shown} {'has' if len(names) == 1 else 'have'} {field} {own}, "
        f"the others {_shown(common) if common else 'automatic'}",
        evidence=(Evidence(str(first), f"spec.{field}", own, "outranks FelixConfiguration default on this node"), *_rows(common)),
        impact="Packets that leave one node whole may be too large for the other.",
        remedy=Remedy(f"Take {field} out of {first}, unless that node's link really is another one.", target=f"{first} spec.{field}"),
    )


@check(
    "mtu-link-guessed",
    title="Calico could read the MTU of the nodes' links",
    severity="info",
    references=("projectcalico/calico#4522", "projectcalico/calico#8674", "projectcalico/calico#12530"),
    tags=("mtu",),
)
def link_guessed(facts: Facts) -> t.Iterator[Problem]:
    """Felix looks at the interfaces that mtuIfacePattern names. bond0, br0, em1 and others do not fit its default; it then assumes 1460."""
    picture = _picture(facts)
    _require(picture)
    if not picture.tunnels:
        _of_calico(picture)
    on_google = any(node.provider_id.startswith("gce://") for node in facts.snapshot.nodes.items)
    link = picture.link
    if link.guessed or (link.mtu == ASSUMED and not link.proved and not on_google):
        row = Evidence(link.guessed_where, "log of container calico-node", plain_line(link.guessed_line)) if link.guessed else None
        yield Problem(
            subject="FelixConfiguration default",
            title=f"Calico did not find the nodes' interface and takes its MTU for {ASSUMED}",
            evidence=(row or Evidence(link.where, link.field, str(link.mtu), f"{link.source}: just what Felix assumes where no interface matches"),),
            impact=f"On links of {USUAL_LINK} bytes packets are smaller than need be; on smaller links they are too large.",
            remedy=Remedy(
                "Set mtuIfacePattern of FelixConfiguration default to the interface between the nodes, or set the MTU.",
                target="FelixConfiguration default spec.mtuIfacePattern",
            ),
        )


def _picture(facts: Facts) -> MtuPicture:
    picture = mtu_picture(facts.snapshot)
    if picture is None:
        if not facts.snapshot.daemon_sets.known or not facts.snapshot.installations.known:
            raise CannotJudge("neither an Installation nor a DaemonSet calico-node could be read")
        raise NotApplicable()
    return picture


def _require(picture: MtuPicture) -> None:
    if picture.tunnels is None or picture.settings.pod is None:
        raise CannotJudge("; ".join(picture.settings.missing))


def _of_calico(picture: MtuPicture) -> None:
    """:raises NotApplicable: another CNI gives pods their MTU."""
    if picture.settings.cni:
        raise NotApplicable()


def _is_configured(picture: MtuPicture, tunnel: str, mtu: int) -> bool:
    """A refusal of a derived value means another interface under the device, which is a matter of address autodetection and not of a knob."""
    return (picture.settings.tunnels or {}).get(tunnel) == mtu


def _beyond_link(facts: Facts, picture: MtuPicture, excess: Excess, link: int) -> Problem:
    taken = overhead_of(excess.tunnel, aks=picture.settings.aks) if excess.tunnel else 0
    wrapped = f"{excess.mtu} bytes and {taken} of {excess.tunnel}" if excess.tunnel else f"{excess.mtu} bytes"
    return Problem(
        subject=_where(picture, excess.tunnel or POD),
        title=f"Calico sends packets of {wrapped}, and the links carry {link}: at most {excess.limit} fit",
        evidence=(
            *_rows(picture.settings.knob_of(excess.tunnel or POD)),
            Evidence(picture.link.where, picture.link.field, str(link), picture.link.source),
        ),
        impact=STALLS,
        remedy=remedy_for(facts, left_for_pods(link, picture.tunnels or (), aks=picture.settings.aks)),
    )


def _refused(facts: Facts, picture: MtuPicture, refused: t.Sequence[Refusal]) -> Problem:
    first = refused[0]
    where = ", ".join(sorted({entry.log.ref.name for entry in refused})[:5])
    return Problem(
        subject=_where(picture, first.tunnel),
        title=f"Calico wants packets of {first.wanted} bytes in {first.tunnel}, and the kernel refuses: the device keeps {first.kept}",
        evidence=(
            *_rows(picture.settings.knob_of(first.tunnel)),
            Evidence(str(first.log.ref), "log of container calico-node", plain_line(first.line), f"seen in the log of {where}"),
        ),
        impact=STALLS,
        remedy=remedy_for(facts, min(entry.kept for entry in refused)),
    )


def _unproved(picture: MtuPicture, promised: int | None) -> t.Iterator[Problem]:
    needs = {tunnel: mtu + overhead_of(tunnel, aks=picture.settings.aks) for tunnel, mtu in (picture.settings.tunnels or {}).items() if mtu}
    needed = max(needs.values(), default=0)
    if not picture.settings.tunnels and picture.pod:
        needed = picture.pod
    if not needed or (promised is not None and needed <= promised):
        return
    consumer = max(needs, key=lambda tunnel: needs[tunnel]) if needs else POD
    knob = picture.settings.knob_of(consumer)
    beyond = f", which ordinary Ethernet of {USUAL_LINK} does not carry" if needed > USUAL_LINK else ""
    yield Problem(
        subject=_where(picture, consumer),
        title=f"The configured MTU needs links of {needed} bytes{beyond}",
        evidence=_rows(knob),
        impact=f"If the links carry less: {STALLS[0].lower()}{STALLS[1:]}",
        missing=f"the MTU of the nodes' links: {picture.link.source}",
    )


def _kubespray_signature(facts: Facts, picture: MtuPicture) -> t.Iterator[Evidence]:
    if detect_install_method(facts.snapshot).method == KUBESPRAY:
        unread = next((knob for knob in picture.settings.knobs if knob.consumer == POD and not knob.effective), None)
        note = "calico_veth_mtu of the inventory: it sets the tunnels, and CNI_MTU that nothing reads; calico_mtu sets the pods"
        if unread:
            yield Evidence(unread.where, unread.field, unread.value, note)


def remedy_for(facts: Facts, mtu: int) -> Remedy:
    """Set an MTU that fits, by the role where it can."""
    made = set_mtu(facts.snapshot, mtu)
    if settable(facts.snapshot, mtu):
        picture = mtu_picture(facts.snapshot)
        # The role does not read documents of nodes; it judges the number by the link that they prove.
        link = {"calico_mtu_link_mtu": str(picture.link.mtu)} if picture is not None and picture.link.proved else {}
        return by_role("calico_mtu", made.text, {"calico_mtu_mtu": mtu, **link}, target=made.target, disruptive=True)
    return by_hand(made.text, made.target, disruptive=True)


def misfit(facts: Facts) -> str:
    """The id of the check that knows the configured MTU not to fit, so that putting it into force is no remedy; "" where none does."""
    for each in (too_large, pod_exceeds_tunnel):
        try:
            if any(not problem.missing for problem in each.run(facts)):
                return each.id
        except (CannotJudge, NotApplicable):
            continue
    return ""


def _set_where_it_counts(facts: Facts, mtu: int) -> Remedy:
    made = set_mtu(facts.snapshot, mtu)
    return Remedy(f"Set it where it counts, or take it out. {made.text}", disruptive=True, target=made.target)


def _where(picture: MtuPicture, consumer: str) -> str:
    knob = picture.settings.knob_of(consumer)
    return knob.where if knob else "Calico"


def _row(knob: Knob) -> Evidence:
    return Evidence(knob.where, knob.field, _shown(knob), f"{_what(knob)}: {knob.note}" if knob.note else _what(knob))


def _rows(*knobs: Knob | None) -> tuple[Evidence, ...]:
    return tuple(_row(knob) for knob in knobs if knob is not None)


def _what(knob: Knob) -> str:
    return knob.consumer if knob.consumer == POD else f"{knob.consumer} tunnel"


def _shown(knob: Knob) -> str:
    return knob.value if number(knob.value) else f"{knob.value or 'nothing'} (automatic)"
