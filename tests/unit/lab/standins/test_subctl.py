# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of subctl: what it takes, what it refuses and how, without a cluster."""

from __future__ import annotations

import base64
import io
import json
import stat

import pytest
import yaml

from tests.lab.standins import _broker_info as broker_info
from tests.lab.standins._cobra import Flag, UsageError, parse
from tests.lab.standins._discovery import ClusterNetwork
from tests.lab.standins._subctl_access import ConfigError, contexts, from_flags
from tests.lab.standins._subctl_flags import COMMANDS, flags_of
from tests.lab.standins._subctl_join import first_free, sanitized, shown, worker_names
from tests.lab.standins._subctl_objects import image_overrides, operator_deployment, submariner
from tests.lab.standins._subctl_reporter import Reporter
from tests.lab.standins._subctl_show import table
from tests.lab.standins._version import SubmarinerVersion
from tests.lab.standins.subctl import Subctl

V16, V17, V18, V19 = (SubmarinerVersion(0, minor, 0) for minor in (16, 17, 18, 19))
FLAGS = (
    Flag("natt", "bool", "true"),
    Flag("clusterid"),
    Flag("nattport", "int", "4500"),
    Flag("interval", "uint", "1"),
    Flag("domains", "strings"),
    Flag("namespace", short="n"),
    Flag("yes", "bool", short="y"),
)
INFO = broker_info.BrokerInfo(
    "https://192.168.100.11:6443",
    {"data": {key: base64.b64encode(value).decode() for key, value in ((("token"), b"secret"), ("namespace", b"broker-ns"), ("ca.crt", b"CA"))}},
    broker_info.psk_secret(b"psk"),
    True,
    ["service-discovery", "connectivity"],
    None,
)


@pytest.mark.parametrize(
    "words,expected",
    [
        (["--natt=false", "--clusterid", "a", "file"], {"natt": False, "clusterid": "a"}),
        (["--natt", "file"], {"natt": True}),
        (["--nattport=4501", "--domains", "a,b", "--domains=c", "file"], {"nattport": 4501, "domains": ["a", "b", "c"]}),
        (["-y", "-n", "x", "file"], {"yes": True, "namespace": "x"}),
        (["-nx", "file"], {"namespace": "x"}),
        (["--clusterid=a=b", "--", "file"], {"clusterid": "a=b"}),
    ],
)
def test_flags_as_pflag_reads_them(words, expected):
    parsed = parse(words, FLAGS)
    assert {key: parsed.values[key] for key in expected} == expected
    assert parsed.given == set(expected)
    assert parsed.arguments == ["file"]


def test_defaults():
    values = parse([], FLAGS).values
    assert values == {"natt": True, "clusterid": "", "nattport": 4500, "interval": 1, "domains": [], "namespace": "", "yes": False}


@pytest.mark.parametrize(
    "words,message",
    [
        (["--natt-port", "1"], "unknown flag: --natt-port"),
        (["-x"], "unknown shorthand flag: 'x' in -x"),
        (["--clusterid"], "flag needs an argument: --clusterid"),
        (["-n"], "flag needs an argument: 'n' in -n"),
        (["--natt=no"], 'invalid argument "no" for "--natt" flag: strconv.ParseBool: parsing "no": invalid syntax'),
        (["--nattport", "x"], 'invalid argument "x" for "--nattport" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        (["--interval=-1"], 'invalid argument "-1" for "--interval" flag: strconv.ParseUint: parsing "-1": invalid syntax'),
    ],
)
def test_refused_as_pflag_refuses(words, message):
    with pytest.raises(UsageError) as caught:
        parse(words, FLAGS)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "flag,since",
    [("broker-url", V17), ("http-proxy", V18), ("https-proxy", V18), ("no-proxy", V18), ("enable-clusterset-ip", V19), ("clusterset-ip-cidr", V19)],
)
def test_flags_come_with_their_release(flag, since):
    for version in (V16, V17, V18, V19):
        assert any(each.name == flag for each in flags_of("join", version)) == (version >= since)


def test_no_command_has_a_flag_twice():
    for command in COMMANDS:
        names = [each.name for each in flags_of(command, V19)]
        assert len(names) == len(set(names)), command


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs a command line; gives exit code, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)

    def invoke(*words: str, version: str = "0.16.3") -> tuple[int, str, str]:
        code = Subctl(version).main(list(words))
        output = capsys.readouterr()
        return code, output.out, output.err

    return invoke


def test_version(run):
    assert run("version") == (0, "subctl version: v0.16.3\n", "")
    assert run("--version", version="v0.19.0-rc3")[1] == "subctl version v0.19.0-rc3\n"


def test_bad_usage_is_printed_as_cobra_does(run):
    code, out, err = run("join", "--health-check-enable", "false", "file")
    assert (code, out) == (1, "unknown flag: --health-check-enable\n")
    assert err.startswith("Error: unknown flag: --health-check-enable\nUsage:\n  subctl join [flags]\n")
    assert "--health-check\n" in err
    assert run("gathr")[:2] == (1, 'unknown command "gathr" for "subctl"\n')
    assert run("--kubecontext", "x")[:2] == (1, "unknown flag: --kubecontext\n")
    assert run("join", "a", "b")[1] == "accepts at most 1 arg(s), received 2\n"


def test_a_join_without_a_file(run):
    assert "The broker-info.subm file argument generated by 'subctl deploy-broker' is missing" in run("join")[2]
    assert run("join", version="0.17.0")[1].startswith("the broker-info.subm file argument")


def test_what_is_not_played_says_so(run):
    code, out, err = run("diagnose", "all", "--context", "x")
    assert (code, out) == (1, "")
    assert "the lab's stand-in, which does not play `subctl diagnose all`" in err


def test_unusable_files_and_kubeconfigs(run, tmp_path):
    assert 'error reading file "none.subm": open none.subm: no such file or directory' in run("join", "none.subm")[2]
    (tmp_path / "bad.subm").write_text("not base64!")
    assert 'error decoding data from file "bad.subm"' in run("join", "bad.subm")[2]
    (tmp_path / "list.subm").write_text(base64.urlsafe_b64encode(b"[]").decode())
    assert "error unmarshalling data" in run("join", "list.subm")[2]
    broker_info.write(tmp_path, INFO)
    code, _out, err = run("join", "broker-info.subm", "--context", "nope")
    assert code == 1
    assert "broker-info.subm indicates broker is at https://192.168.100.11:6443" in err
    assert "invalid configuration: no configuration has been provided" in err
    assert "secret" not in err
    assert "no Kubernetes configuration or context was found" in run("show", "networks")[2]


def test_a_dead_server_is_named(run, tmp_path):
    config = {
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    code, _out, err = run("show", "networks", "--kubeconfig", "config")
    assert code == 1
    assert "https://127.0.0.1:1/apis/submariner.io" in err


def test_kubeconfigs(tmp_path):
    clusters = [{"name": each, "cluster": {"server": f"https://{each}:6443"}} for each in ("one", "two")]
    entries = [{"name": f"{each}-ctx", "context": {"cluster": each, "user": "me"}} for each in ("one", "two")]
    config = {"current-context": "one-ctx", "clusters": clusters, "contexts": entries, "users": [{"name": "me", "user": {"exec": {"command": "x"}}}]}
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    values = {**parse([], flags_of("join", V19)).values, "kubeconfig": str(path)}
    assert contexts(values) == {"one-ctx": "one", "two-ctx": "two"}
    with pytest.raises(ConfigError, match="credential plugins"):
        from_flags(values, "test")
    config["users"] = [{"name": "me", "user": {"token": "t"}}]
    path.write_text(yaml.safe_dump(config))
    assert from_flags(values, "test").server == "https://one:6443"
    assert from_flags({**values, "context": "two-ctx"}, "test").name == "two"
    assert from_flags({**values, "server": "https://three:1"}, "test").server == "https://three:1"
    with pytest.raises(ConfigError, match='context "nope" does not exist'):
        from_flags({**values, "context": "nope"}, "test")
    with pytest.raises(ConfigError, match="no such file"):
        from_flags({**values, "kubeconfig": "/none"}, "test")
    with pytest.raises(ConfigError, match="does not play --as"):
        from_flags({**values, "as": "x"}, "test")


def test_broker_info_is_private_keeps_the_older_file_and_is_read_whatever_its_case(tmp_path):
    assert broker_info.write(tmp_path, INFO) == ""
    backup = broker_info.write(tmp_path, INFO)
    assert backup.startswith("broker-info.subm.20") and (tmp_path / backup).exists()
    path = tmp_path / "broker-info.subm"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(base64.urlsafe_b64decode(path.read_text()))
    assert list(document) == ["brokerURL", "ClientToken", "IPSecPSK", "ServiceDiscovery", "Components", "CustomDomains"]
    assert document["Components"] == ["connectivity", "service-discovery"]
    read = broker_info.read(str(path))
    assert (read.namespace, read.connectivity, read.discovers_services) == ("broker-ns", True, True)
    lower = {key.lower(): value for key, value in document.items()}
    path.write_text(base64.urlsafe_b64encode(json.dumps(lower).encode()).decode())
    assert broker_info.read(str(path)) == read


def test_the_reporter_tells_phases_and_outcomes():
    stream = io.StringIO()
    reporter = Reporter(stream)
    reporter.success("first")
    reporter.start("Working")
    reporter.warning("careful")
    reporter.start("Breaking")
    reporter.failure("broken")
    reporter.end()
    reporter.end()
    assert stream.getvalue() == " ✓ first\n • Working  ...\n ⚠ Working\n ⚠ careful\n • Breaking  ...\n ✗ Breaking\n ✗ broken\n"


def test_gateway_candidates():
    def node(name: str, *roles: str) -> dict:
        return {"metadata": {"name": name, "labels": {f"node-role.kubernetes.io/{each}": "true" for each in roles}}}

    assert worker_names([node("a", "control-plane"), node("b", "worker"), node("c")]) == ["b"]
    assert worker_names([node("a", "control-plane"), node("b")]) == ["a", "b"]
    assert worker_names([node("rke2", "control-plane", "etcd", "master")]) == []


@pytest.mark.parametrize("name,expected", [("Kind_Cluster.1", "kind-cluster-1"), ("_a_", "0a0"), ("cluster-1", "cluster-1")])
def test_cluster_ids_from_names(name, expected):
    assert sanitized(name) == expected


def test_clusterset_cidrs_are_dealt_out_in_order():
    assert first_free("243.0.0.0/8", []) == "243.0.0.0/20"
    assert first_free("243.0.0.0/8", ["243.0.0.0/20", "243.0.32.0/20"]) == "243.0.16.0/20"
    with pytest.raises(ValueError, match="not available"):
        first_free("243.0.0.0/20", ["243.0.0.0/20"])


def test_networks_are_shown_as_go_prints_lists():
    assert shown(ClusterNetwork("calico", ("10.46.0.0/24",), ("10.45.0.0/16", "fd00::/112"))) == (
        "        Network plugin:  calico\n        Service CIDRs:   [10.45.0.0/16 fd00::/112]\n        Cluster CIDRs:   [10.46.0.0/24]"
    )


def test_tables():
    assert table([("NODE", 3), ("NAT", 0)], [("abcdef", True), ("x", ["a", "b"])]) == "NODE   NAT    \nabcd   yes    \nx      a, b   "
    assert table([("NODE", 0)], []) == ""


def test_image_overrides():
    assert image_overrides(["submariner-gateway=r/g:1=2"]) == {"submariner-gateway": "r/g:1=2"}
    with pytest.raises(ValueError, match="invalid override submariner-gateway provided"):
        image_overrides(["submariner-gateway"])
    with pytest.raises(ValueError, match="invalid override component gateway provided"):
        image_overrides(["gateway=x"])


def test_the_resource_of_a_join():
    words = "--clusterid a --natt=false --air-gapped --health-check=false --force-udp-encaps --coredns-custom-configmap ns/cm".split()
    values = parse(words, flags_of("join", V16)).values
    spec = submariner(values, INFO, INFO.client_token, "broker-secret-x", "0.16.3", None)["spec"]
    assert spec["brokerK8sApiServer"] == "192.168.100.11:6443"
    assert (spec["brokerK8sApiServerToken"], spec["brokerK8sRemoteNamespace"]) == ("secret", "broker-ns")
    assert (spec["clusterCIDR"], spec["serviceCIDR"]) == ("", "")
    assert spec["connectionHealthCheck"] == {"intervalSeconds": 1, "maxPacketLossCount": 5}
    assert (spec["natEnabled"], spec["airGappedDeployment"], spec["ceIPSecForceUDPEncaps"]) == (False, True, True)
    assert spec["coreDNSCustomConfig"] == {"configMapName": "cm", "namespace": "ns"}
    assert "clustersetIPCIDR" not in spec and "loadBalancerEnabled" not in spec


def test_the_operator_carries_the_proxies():
    container = operator_deployment("r/o:1", True, {"HTTPS_PROXY": "http://p", "NO_PROXY": ""})["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["submariner-operator", "-v=3"]
    assert [each["name"] for each in container["env"]] == ["WATCH_NAMESPACE", "POD_NAME", "OPERATOR_NAME", "HTTPS_PROXY"]
