# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU in live objects: CNI configurations, calico.yaml's ConfigMap, Kubespray's literals."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import merged
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_conflist import CNI_MTU, mtu_of, read_conflist, with_mtu
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_live import (
    ANNOTATION,
    OF_KUBESPRAY,
    Override,
    live_change,
    next_mark,
    patch_of,
    referred,
    signature,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_containers import container

TEMPLATE = '{"name": "k8s-pod-network", "plugins": [{"type": "calico", "mtu": __CNI_MTU__, "ipam": {"type": "calico-ipam"}}, {"type": "portmap"}]}'
LITERAL = '{\n  "name": "cni0",\n  "plugins": [\n    {"type": "calico", "ipam": {"type": "calico-ipam"}},\n    {"type": "portmap"}\n  ]\n}'
MTUS = st.integers(576, 9216)


def from_map(name, key):
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": "calico-config", "key": key}}}


def literal(name, value):
    return {"name": name, "value": value}


def daemon_set(cni, node, annotations=None):
    spec = {
        "initContainers": [{"name": "install-cni", "image": "cni", "env": cni}, {"name": "mount-bpffs", "image": "node"}],
        "containers": [{"name": "calico-node", "image": "node", "env": [literal("DATASTORE_TYPE", "kubernetes"), *node]}],
    }
    return {"kind": "DaemonSet", "metadata": {"name": "calico-node"}, "spec": {"template": {"metadata": {"annotations": annotations or {}}, "spec": spec}}}


def manifest():
    return daemon_set(
        [from_map("CNI_NETWORK_CONFIG", "cni_network_config"), from_map("CNI_MTU", "veth_mtu")], [from_map(name, "veth_mtu") for name in OF_KUBESPRAY]
    )


def maps(mtu="0"):
    return {"calico-config": {"veth_mtu": mtu, "cni_network_config": TEMPLATE}}


def kubespray(text=LITERAL, tunnels=None, cni_mtu=None):
    cni = [literal("CNI_NETWORK_CONFIG", text), *([literal("CNI_MTU", cni_mtu)] if cni_mtu else [])]
    return daemon_set(cni, [literal(name, tunnels) for name in OF_KUBESPRAY] if tunnels else [])


def environment(obj):
    spec = obj["spec"]["template"]["spec"]
    return {entry["name"]: entry.get("value") for part in ("initContainers", "containers") for each in spec[part] for entry in each.get("env", [])}


def applied(obj, mtu, **options):
    live = live_change(obj, maps(), mtu, **{"kubespray": True, "correct": False, **options})
    return merged(obj, patch_of(obj, live)), live


class TestConflist:
    def test_a_placeholder_stays_one(self):
        assert mtu_of(TEMPLATE) == CNI_MTU
        text = '{"plugins": [{"type": "calico", "nodename": "__KUBERNETES_NODE_NAME__", "log": __LOG__}]}'
        assert with_mtu(text, 1400) == '{"plugins": [{"type": "calico", "nodename": "__KUBERNETES_NODE_NAME__", "log": __LOG__, "mtu": 1400}]}'

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"plugins": []}', '{"plugins": [{"type": "calico-ipam"}]}', '{"plugins": [{"type": "calico"}, {"type": "calico"}]}']
    )
    def test_what_holds_no_one_plugin_of_calico_is_left_alone(self, text):
        assert with_mtu(text, 1400) is None
        assert mtu_of(text) is None

    def test_a_conf_file_is_one_plugin(self):
        assert with_mtu('{"type": "calico"}', 1400) == '{"type": "calico", "mtu": 1400}'

    @given(
        st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8) | st.booleans(), max_size=4),
        st.none() | MTUS,
        MTUS,
        st.sampled_from([None, 2]),
    )
    def test_nothing_else_changes_and_zero_takes_it_away(self, others, before, mtu, indent):
        plugin = {**others, "type": "calico", "ipam": {"type": "calico-ipam", "mtu": 1}}
        plugin.pop("mtu", None)
        plugins = [{"type": "tuning", "mtu": 9000}, {**plugin, **({"mtu": before} if before else {})}]
        text = json.dumps({"name": "n", "plugins": plugins}, indent=indent)
        changed = with_mtu(text, mtu)
        assert mtu_of(text) == (before or 0) and mtu_of(changed) == mtu
        assert read_conflist(changed) == {"name": "n", "plugins": [plugins[0], {**plugin, "mtu": mtu}]}
        assert read_conflist(with_mtu(changed, 0)) == {"name": "n", "plugins": [plugins[0], plugin]}
        assert with_mtu(changed, mtu) == changed


class TestManifest:
    def test_one_key_sets_pods_and_tunnels(self):
        live = live_change(manifest(), maps("1500"), 1400, kubespray=False, correct=False)
        assert live.config_maps == {"calico-config": {"veth_mtu": "1400"}}
        assert (live.variables, live.overrides, live.impossible) == ({}, (), "")
        assert patch_of(manifest(), live) == {}
        assert patch_of(manifest(), live, "1400") == {"spec": {"template": {"metadata": {"annotations": {ANNOTATION: "1400"}}}}}
        assert referred(manifest()) == ("calico-config",)

    def test_zero_is_calicos_own_word(self):
        assert live_change(manifest(), maps("1500"), 0, kubespray=False, correct=False).config_maps == {"calico-config": {"veth_mtu": "0"}}
        assert not live_change(manifest(), maps("0"), 0, kubespray=False, correct=False).changes

    def test_nothing_to_do(self):
        assert not live_change(manifest(), maps("1400"), 1400, kubespray=False, correct=True).changes

    def test_a_number_in_the_configuration_itself_is_what_counts(self):
        data = {"calico-config": {"veth_mtu": "0", "cni_network_config": '{"plugins": [{"type": "calico", "mtu": 1500}]}'}}
        live = live_change(manifest(), data, 1400, kubespray=False, correct=False)
        assert live.config_maps == {"calico-config": {"veth_mtu": "1400", "cni_network_config": '{"plugins": [{"type": "calico", "mtu": 1400}]}'}}

    def test_a_literal_that_somebody_set_is_named_or_corrected(self):
        obj = manifest()
        obj["spec"]["template"]["spec"]["containers"][0]["env"].append(literal("FELIX_VXLANMTUV6", "1300"))
        named = live_change(obj, maps("1400"), 1400, kubespray=False, correct=False)
        assert named.overrides == (Override("DaemonSet calico-node", "env FELIX_VXLANMTUV6", "1300"),) and not named.changes
        corrected = live_change(obj, maps("1400"), 1400, kubespray=False, correct=True)
        assert corrected.variables == {("containers", "calico-node", "FELIX_VXLANMTUV6"): "1400"} and not corrected.overrides

    @pytest.mark.parametrize("data", [{}, {"calico-config": {"veth_mtu": "0"}}, {"calico-config": {"veth_mtu": "0", "cni_network_config": "{"}}])
    def test_what_cannot_be_read_is_said(self, data):
        assert "calico-node" in live_change(manifest(), data, 1400, kubespray=False, correct=False).impossible

    def test_a_file_on_the_nodes_is_out_of_reach(self):
        obj = daemon_set([literal("CNI_NETWORK_CONFIG_FILE", "/host/etc/cni/net.d/calico.conflist.template")], [])
        live = live_change(obj, {}, 1400, kubespray=True, correct=True)
        assert "a file on the nodes" in live.impossible and not live.changes


class TestKubespray:
    def test_the_conflist_and_the_three_variables(self):
        obj, live = applied(kubespray(), 1400)
        found = environment(obj)
        assert mtu_of(found["CNI_NETWORK_CONFIG"]) == 1400
        assert {found[name] for name in OF_KUBESPRAY} == {"1400"}
        assert found["DATASTORE_TYPE"] == "kubernetes"
        assert "CNI_MTU" not in found and not live.config_maps

    def test_a_string_from_the_command_line(self):
        obj, live = applied(kubespray(tunnels="1500", cni_mtu="1500"), 1400)
        assert {environment(obj)[name] for name in (*OF_KUBESPRAY, "CNI_MTU")} == {"1400"}
        assert mtu_of(environment(obj)["CNI_NETWORK_CONFIG"]) == 1400

    def test_zero_takes_everything_out(self):
        before = kubespray()
        after = applied(applied(before, 1400)[0], 0)[0]
        assert environment(after) == {**environment(before), "CNI_NETWORK_CONFIG": environment(after)["CNI_NETWORK_CONFIG"]}
        assert read_conflist(environment(after)["CNI_NETWORK_CONFIG"]) == read_conflist(LITERAL)

    @given(st.none() | MTUS, st.none() | MTUS, st.none() | MTUS, MTUS | st.just(0))
    def test_the_second_time_nothing_changes(self, conflist, tunnels, cni_mtu, mtu):
        text = with_mtu(LITERAL, conflist or 0)
        before = kubespray(text, str(tunnels) if tunnels else None, str(cni_mtu) if cni_mtu else None)
        original = copy.deepcopy(before)
        after, live = applied(before, mtu)
        assert before == original
        assert mtu_of(environment(after)["CNI_NETWORK_CONFIG"]) == mtu
        assert {environment(after).get(name) for name in OF_KUBESPRAY} == ({str(mtu)} if mtu else {None})
        assert not live_change(after, maps(), mtu, kubespray=True, correct=False).changes
        assert live.changes == (after != before)


def test_the_snapshot_knows_where_the_manifest_has_its_cni_configuration():
    """Without this reference the pods' MTU would count as automatic, whatever the ConfigMap says."""
    (install, *_rest) = manifest()["spec"]["template"]["spec"]["initContainers"]
    assert {entry.name: entry.config_map_key for entry in container(install).env} == {
        "CNI_NETWORK_CONFIG": "calico-config/cni_network_config",
        "CNI_MTU": "calico-config/veth_mtu",
    }


class TestMarks:
    def test_a_mark_always_makes_another_template_and_says_the_same(self):
        template = {"metadata": {"annotations": {}}, "spec": {}}
        seen = []
        for dummy in range(3):
            mark = next_mark(template, 1400)
            assert mark != template["metadata"]["annotations"].get(ANNOTATION)
            template = merged(template, {"metadata": {"annotations": {ANNOTATION: mark}}})
            seen.append(signature(template))
        assert len(set(seen)) == 1

    def test_what_a_template_says_of_the_mtu(self):
        assert dict(signature(applied(kubespray(), 1400)[0]["spec"]["template"])) == {"CNI_NETWORK_CONFIG": 1400, **{name: "1400" for name in OF_KUBESPRAY}}
        assert signature(manifest()["spec"]["template"]) == ()
