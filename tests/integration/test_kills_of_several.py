# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A remediation of two clusters by several remedies, one of which is half a change without its second object, killed at each of its writes."""

from __future__ import annotations

import pytest

from tests.integration.autodetection_trials import CONFIG, INSTALLATION
from tests.integration.damaged_pools import REMOTE, Clusterset, pools
from tests.integration.pools_and_records import without_state
from tests.integration.test_kills import kill

pytestmark = [pytest.mark.lab, pytest.mark.exhaustive, pytest.mark.xdist_group("rke2")]

# On each cluster: the lock of the run; its renewal by each task; five changes with two entries in the journal each; the lock given back.
WRITES = 2 * (1 + 2 + 5 * 3 + 1)
VALUES = "# of our site\ninstallation:\n  calicoNetwork:\n    bgp: Disabled\n"


class Several(Clusterset):
    """With the MTU of Calico, which stands in the Installation and, so that it lasts, in the values of its chart."""

    remedies = (("calico_mtu", {"mtu": "1300", "allow_disruption": True}), *Clusterset.remedies)

    def reset(self):
        for cluster in self.clusters:
            client = cluster.client("planter")
            client.merge_patch(CONFIG, {"spec": {"valuesContent": VALUES}})
            client.merge_patch(INSTALLATION, {"spec": {"calicoNetwork": {"mtu": None}}})
        super().reset()
        self.broken = self.found()

    def found(self):
        clients = {each.name: each.admin() for each in self.clusters}
        settings = {name: (client.get(CONFIG)["spec"], client.get(INSTALLATION)["spec"]) for name, client in clients.items()}
        return {each.name: (pools(each), *settings[each.name]) for each in self.clusters}


@pytest.fixture(scope="module")
def clusterset(bench, tmp_path_factory):
    with bench.planted("rke2", "rke2") as lab, without_state(*lab.clusters):
        before = {each.name: (each.admin().get(CONFIG)["spec"], each.admin().get(INSTALLATION)["spec"]) for each in lab.clusters}
        made = Several(lab, bench.modules, tmp_path_factory.mktemp("journals"))
        made.reset()
        made.remediate("whole")
        made.whole = [(cluster, verb, path) for cluster, verb, path in made.killer.writes]
        made.repaired = made.found()
        yield made
        made.killer.arm()
        made.reset()
        made.remediate("last")
        made.killer.close()
        for each in lab.clusters:
            config, installation = before[each.name]
            client = each.client("planter")
            client.merge_patch(CONFIG, {"spec": {"valuesContent": config["valuesContent"]}})
            client.merge_patch(INSTALLATION, {"spec": {"calicoNetwork": {"mtu": installation["calicoNetwork"].get("mtu")}}})


def test_it_makes_as_many_writes_as_are_swept(clusterset):
    assert len(clusterset.whole) == WRITES, clusterset.whole
    for name, (dummy, config, installation) in clusterset.repaired.items():
        assert installation["calicoNetwork"]["mtu"] == 1300 and "mtu: 1300" in config["valuesContent"] and "bgp: Disabled" in config["valuesContent"], name
        assert clusterset.repaired[name] != clusterset.broken[name]


@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_killed_before_a_write_it_is_rolled_back(clusterset, at):
    run, reached = kill(clusterset, at, after=False)
    told = clusterset.told()
    for name in REMOTE:
        given_back = len(reached[name]) == WRITES // 2
        assert bool(told[name]) is (bool(reached[name]) and not given_back), (name, told[name], reached[name])
    for result in clusterset.rollback(run).values():
        assert not result.get("failed") and result["cannot"] == result["refused"] == [], result
    assert clusterset.found() == clusterset.broken


@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_killed_after_a_write_the_next_run_goes_on(clusterset, at):
    kill(clusterset, at, after=True)
    results = clusterset.remediate(f"next-{at}")
    assert not [each for each in results.values() if each.get("failed")], results
    assert clusterset.found() == clusterset.repaired and set(clusterset.holders().values()) == {""}
