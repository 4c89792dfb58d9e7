# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RKE2's and OpenShift's descriptions of the network."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot import _projection_platform as platform
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_platform import MOST_VALUES
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._snapshot.raw import named

VALUES = """
apiServer: {enabled: true}
installation:
  calicoNetwork:
    mtu: 1400
    ipPools:
    - cidr: 10.46.0.0/16
  imagePullSecrets: [{name: s3cr3t}]
  registry: 7.10
somethingElse: {password: s3cr3t}
felixConfiguration:
  featureDetectOverride: ChecksumOffloadBroken=true
  prometheusToken: s3cr3t
  unset:
"""


def config(text="", **spec):
    return platform.helm_chart_config(named("rke2-calico", "kube-system", spec={"valuesContent": text, **spec}))


class TestHelmChartConfig:
    def test_network_values(self):
        record = config(VALUES)
        assert record.values == {
            "apiServer.enabled": "true",
            "installation.calicoNetwork.mtu": "1400",
            "installation.calicoNetwork.ipPools[0].cidr": "10.46.0.0/16",
            "installation.registry": "7.1",
            "felixConfiguration.featureDetectOverride": "ChecksumOffloadBroken=true",
            "felixConfiguration.unset": "",
        }
        assert record.problem == ""
        assert "s3cr3t" not in repr(record)

    def test_values_as_an_object(self):
        assert config("calico: {vethuMTU: 1400}", values={"apiServer": {"enabled": False}}).values == {"apiServer.enabled": "false", "calico.vethuMTU": "1400"}

    def test_the_object_wins_key_by_key(self):
        """helm.cattle.io helmchartconfigs.yaml: values takes precedence over options set via valuesContent."""
        text = "installation: {calicoNetwork: {mtu: 1400, bgp: Disabled, ipPools: [{cidr: 10.42.0.0/16}, {cidr: 10.43.0.0/16}]}}"
        record = config(text, values={"installation": {"calicoNetwork": {"mtu": 1300, "ipPools": [{"cidr": "10.46.0.0/16"}]}}})
        assert record.values == {
            "installation.calicoNetwork.mtu": "1300",
            "installation.calicoNetwork.bgp": "Disabled",
            "installation.calicoNetwork.ipPools[0].cidr": "10.46.0.0/16",
        }

    @pytest.mark.parametrize(
        ("text", "problem"),
        [("a: [", "it is no YAML in line"), ("- a", "no mapping"), ("a: \x00", "it is no YAML"), ("a: !!python/object:os.system x", "it is no YAML")],
    )
    def test_odd_values(self, text, problem):
        record = config(text)
        assert problem in record.problem
        assert record.values == {}

    @pytest.mark.parametrize("text", ["", "   ", "# nothing", "~"])
    def test_nothing(self, text):
        assert (config(text).values, config(text).problem) == ({}, "")

    def test_bombs_are_bounded(self):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
        assert len(config("\n".join(lines) + "\ninstallation: *a8").values) <= MOST_VALUES
        assert config("installation: &x [*x, *x]").values == {}

    def test_without_yaml(self, monkeypatch):
        def missing():
            raise platform.MissingLibraryError("gone")

        assert issubclass(platform.MissingLibraryError, SubmarinerError)
        monkeypatch.setattr(platform, "load_yaml", missing)
        assert "PyYAML is missing" in config("a: b").problem


class TestHelmChart:
    @pytest.mark.parametrize(
        ("metadata", "spec", "version"),
        [
            ({}, {"version": "v3.32.100"}, "v3.32.100"),
            ({"annotations": {"helm.cattle.io/chart-url": "https://charts.invalid/rke2-calico-v3.26.300.tgz"}}, {}, "v3.26.300"),
            ({}, {"chart": "https://%{KUBERNETES_API}%/static/charts/rke2-calico-v3.29.101.tgz"}, "v3.29.101"),
            ({}, {"chart": "stable/traefik"}, ""),
        ],
    )
    def test_version(self, metadata, spec, version):
        assert platform.helm_chart(named("rke2-calico", metadata=metadata, spec=spec)).version == version

    def test_failure(self):
        conditions = [{"type": "Failed", "status": "True", "message": "job failed"}, {"type": "JobCreated", "status": "True"}]
        assert platform.helm_chart(named("one", status={"conditions": conditions})).failed == "job failed"
        assert platform.helm_chart(named("one", status={"conditions": conditions[1:]})).failed == ""


def test_openshift_dns():
    servers = [{"name": "lighthouse", "zones": ["clusterset.local", "supercluster.local"], "forwardPlugin": {"upstreams": ["10.45.0.99"]}}, {"name": "odd"}]
    record = platform.openshift_dns(named("default", spec={"servers": servers}))
    assert record.forwards == (("clusterset.local", ("10.45.0.99",)), ("supercluster.local", ("10.45.0.99",)))
