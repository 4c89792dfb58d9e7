# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which IPPools the operator deletes and changes once the Calico API server answers, and who is asked before that."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server as remedy
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_decision as decisions
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pools_pending import Pending, pending_pools
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._steps import Cluster, draft
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Condition, IPAMBlock, Ref, TigeraStatus
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, local_pool, not_served, ok, pool
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail

API = "calico-api-unavailable"
OURS = {"app.kubernetes.io/managed-by": "tigera-operator"}
LISTED = {"cidr": methods.POOL, "encapsulation": "VXLAN", "natOutgoing": "Enabled", "blockSize": 26, "nodeSelector": "all()", "disableBGPExport": False}
OWN = local_pool(methods.POOL)._replace(labels=OURS, block_size=26, node_selector="all()", assignment_mode="Automatic")
OTHER = pool("old", "10.99.0.0/16", disabled=False, nat_outgoing=True, labels=OURS)
DELETES = "the operator deletes IPPool old (10.99.0.0/16), which Installation default does not list"


def status(message, degraded="True"):
    return TigeraStatus(Ref("TigeraStatus", "ippools"), (Condition("Degraded", degraded, "ResourceNotReady", message, ""),))


WAITING = status("Unable to delete IP pools while Calico API server is unavailable")
MODIFIES = status("Unable to modify IP pools while Calico API server is unavailable: ")


def rke2(*pools, version="v3.30.3", listed=LISTED, statuses=(), blocks=(), method=methods.rke2, **changes):
    installation = methods.installation("RKE2", release="rke2-calico", version=version, spec={"calicoNetwork": {"ipPools": [listed]}})
    fields = {
        "installations": ok(installation),
        "cluster_informations": ok(),
        "ip_pools_v3": not_served(),
        "ip_pools_v1": ok(*pools),
        "tigera_statuses": ok(*statuses),
        "ipam_blocks": ok(*blocks),
        **changes,
    }
    return cluster(**method(**fields))


def block(cidr, used):
    return IPAMBlock(Ref("IPAMBlock", cidr), cidr, "node-1", used)


@pytest.mark.parametrize(
    "snapshot",
    [
        rke2(OWN),
        rke2(OWN, statuses=[status("", "False")]),
        rke2(OWN, statuses=[status("error validating IP pool configuration")]),
        rke2(OWN, OTHER._replace(labels={})),  # somebody else's
        rke2(OWN._replace(node_selector="", allowed_uses=()), listed={**LISTED, "allowedUses": ["Workload", "Tunnel"]}),
        rke2(OWN._replace(nat_outgoing=False), listed={"cidr": methods.POOL}),
        rke2(OWN._replace(assignment_mode=""), listed={**LISTED, "assignmentMode": "Automatic"}, statuses=[MODIFIES]),
        rke2(),  # the first pools are made without an API server
        rke2(OWN, OTHER, version="v3.27.4"),
        cluster(**methods.manifest(ip_pools_v1=ok(OTHER), tigera_statuses=answer(FORBIDDEN))),
    ],
    ids=["as listed", "healthy", "another fault", "unlabelled", "defaults", "unsaid", "of an earlier release", "none yet", "old operator", "no operator"],
)
def test_nothing_waits(snapshot):
    assert pending_pools(snapshot) == Pending()


def test_a_pool_that_is_not_listed_is_deleted():
    assert pending_pools(rke2(OWN, OTHER, statuses=[WAITING])) == Pending((DELETES,))
    assert pending_pools(rke2(OWN, OTHER, version="")).lines == (DELETES,)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"nat_outgoing": False}, "natOutgoing false becomes true"),
        ({"vxlan_mode": "Never", "ipip_mode": "Always"}, "ipipMode Always becomes Never, vxlanMode Never becomes Always"),
        ({"disabled": True}, "disabled true becomes false"),
        ({"disable_bgp_export": True}, "disableBGPExport true becomes false"),
        ({"node_selector": "zone == 'a'"}, "nodeSelector zone == 'a' becomes all()"),
        ({"block_size": 24}, "blockSize 24 becomes 26"),
        ({"assignment_mode": "Manual"}, "assignmentMode Manual becomes Automatic"),
    ],
)
def test_a_pool_that_somebody_changed_is_put_back(changes, told):
    (line,) = pending_pools(rke2(OWN._replace(**changes), listed={**LISTED, "assignmentMode": "Automatic"})).lines
    assert line == f"the operator changes IPPool default-ipv4-ippool (10.46.0.0/16) to what Installation default says: {told}"


def test_a_pool_that_is_not_there_is_made():
    (line,) = pending_pools(rke2(pool("other", "10.99.0.0/16"))).lines
    assert line.startswith("the operator makes an IPPool of 10.46.0.0/16")


def test_what_only_the_operator_sees():
    (line,) = pending_pools(rke2(OWN, statuses=[MODIFIES])).lines
    assert "does not tell which (TigeraStatus ippools" in line


@pytest.mark.parametrize("unread", ["ip_pools_v1", "tigera_statuses"])
def test_what_cannot_be_read_is_not_taken_for_nothing(unread):
    (line,) = pending_pools(rke2(OWN, **{unread: answer(FORBIDDEN)})).lines
    assert "could not be told" in line and "forbidden" in line


def test_addresses_in_use():
    blocks = [block("10.99.1.0/26", 3), block("10.99.2.0/26", 4), block("10.46.1.0/26", 50)]
    assert "7 addresses of IPPool old (10.99.0.0/16) are in use" in pending_pools(rke2(OWN, OTHER, blocks=blocks)).harm
    assert pending_pools(rke2(OWN, OTHER, blocks=[block("10.99.1.0/26", 0)])).harm == ""
    assert "could not be read" in pending_pools(rke2(OWN, OTHER, ipam_blocks=answer(FORBIDDEN))).harm
    assert pending_pools(rke2(OWN, ipam_blocks=answer(FORBIDDEN))) == Pending()


def decide(snapshot, **wanted):
    return decisions.decide_present(snapshot, decisions.Wanted(**wanted), lambda _pod: False)


def test_the_decision_says_so():
    assert decide(rke2(OWN)).interrupts == ()
    assert decide(rke2(OWN, OTHER)).interrupts == (DELETES,)
    assert decide(rke2(OWN, OTHER, operator_api_servers=ok(methods.api_server(state="")))).interrupts == ()  # it was asked for already
    with pytest.raises(RefusedError, match="3 addresses of IPPool old .* are in use.*List the pool again.*Nothing was written"):
        decide(rke2(OWN, OTHER, blocks=[block("10.99.1.0/26", 3)]))


def run(monkeypatch, snapshot, allow=False, check_mode=False):
    """The whole remedy but for what it reads and writes: returns what was enabled, and the task."""
    params = {"state": "present", "method": "auto", "write_live": False, "force": False, "certificate_days": 365, "renew_before": 30, "allow_disruption": allow}
    task = Task(params, SimpleNamespace(name="c"), None, None, check_mode=check_mode)
    enabled = []
    monkeypatch.setattr(remedy.waiting, "take_snapshot", lambda *_args, **_more: snapshot)
    for name in ("enable", "tell_person"):
        monkeypatch.setattr(remedy.operator, name, lambda *_args, name=name: enabled.append(name))
    remedy.perform(task)
    return enabled, task


class TestConsent:
    def test_nothing_waits(self, monkeypatch):
        enabled, task = run(monkeypatch, rke2(OWN))
        assert (enabled, task.disruptive, task.warnings) == (["enable"], [], [])

    def test_without_it_nothing_is_written(self, monkeypatch):
        with pytest.raises(RefusedError, match=r"needs allow_disruption=true.*Nothing was written.*once the API answers, the operator deletes IPPool old"):
            run(monkeypatch, rke2(OWN, OTHER))

    def test_with_it_the_pools_are_named(self, monkeypatch):
        enabled, task = run(monkeypatch, rke2(OWN, OTHER), allow=True)
        assert (enabled, task.disruptive) == (["enable"], [f"once the API answers, {DELETES}"])

    def test_in_check_mode_it_is_a_warning(self, monkeypatch):
        enabled, task = run(monkeypatch, rke2(OWN, OTHER), check_mode=True)
        assert enabled == ["enable"] and "the real run is refused" in task.warnings[0]

    def test_what_a_person_enables_is_a_warning(self, monkeypatch):
        installation = methods.installation(release="calico", version="v3.30.3", spec={"calicoNetwork": {"ipPools": [LISTED]}})
        enabled, task = run(monkeypatch, rke2(OWN, OTHER, method=methods.helm, installations=ok(installation)))
        assert enabled == ["tell_person"] and task.warnings == [f"c: once the API answers, {DELETES}."]


class TestPlan:
    def step(self, snapshot):
        (step,) = draft([expect_fail(snapshot, API)], [Cluster("cluster-1", "uid")]).steps
        return step

    def test_the_step_is_marked(self):
        step = self.step(rke2(OWN, OTHER))
        assert step.disruptive and step.role == "fathom.submariner.calico_api_server" and DELETES in step.text

    def test_the_ordinary_one_is_not(self):
        step = self.step(rke2(OWN))
        assert not step.disruptive and "IPPool old" not in step.text

    def test_what_is_refused_is_a_persons(self):
        found = draft([expect_fail(rke2(OWN, OTHER, blocks=[block("10.99.1.0/26", 3)]), API)], [Cluster("cluster-1", "uid")])
        assert found.steps == () and "3 addresses of IPPool old" in found.people[0].text
