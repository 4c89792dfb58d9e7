# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in of subctl: what it takes, what it refuses and how, without a cluster."""

from __future__ import annotations

import base64
import http.server
import io
import json
import stat
import threading
import typing as t

import pytest
import yaml

from tests.lab.client import ApiError
from tests.lab.standins import _broker_info as broker_info
from tests.lab.standins._cobra import Flag, UsageError, parse
from tests.lab.standins._discovery import ClusterNetwork
from tests.lab.standins._subctl_access import ConfigError, contexts, from_flags, with_token
from tests.lab.standins._subctl_deploy import broker_config_maps
from tests.lab.standins._subctl_flags import COMMANDS, flags_of
from tests.lab.standins._subctl_join import first_free, sanitized, shown, worker_names
from tests.lab.standins._subctl_objects import image_overrides, member_accounts, operator_deployment, submariner
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
    for content, why in ((b"[]", "json: cannot unmarshal array into Go value"), (b"hello", "invalid character 'h' looking"), (b"", "unexpected end of JSON")):
        (tmp_path / "odd.subm").write_text(base64.urlsafe_b64encode(content).decode())
        assert f"error unmarshalling data: {why}" in run("join", "odd.subm")[2]
    broker_info.write(tmp_path, INFO)
    code, _out, err = run("join", "broker-info.subm", "--context", "nope")
    assert code == 1
    assert "broker-info.subm indicates broker is at https://192.168.100.11:6443" in err
    assert "invalid configuration: no configuration has been provided" in err
    assert "secret" not in err
    assert "No Kubernetes configuration or context was found" in run("show", "networks")[2]


@pytest.mark.parametrize(
    "text,offset",
    [("", None), ("aGk=\n", None), ("a-_A", None), ("a!b\n", 1), ("aGk+", 3), ("a=bc", 1), ("aG=k", 2), ("aGk=x", 4), ("aG", 0), ("aGkaG", 4), ("aG=", 3)],
)
def test_base64_is_refused_where_go_refuses_it(text, offset):
    assert broker_info.corrupt_at(text) == offset


class Stub(http.server.BaseHTTPRequestHandler):
    """A cluster of one gateway node, without Submariner unless ``objects`` has it."""

    objects: t.ClassVar[dict[str, t.Any]] = {}

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        node = {"metadata": {"name": "n1", "labels": {"submariner.io/gateway": "true"}}, "spec": {"podCIDR": "10.46.0.0/24"}}
        known = {"/version": {"major": "1", "minor": "27", "gitVersion": "v1.27.9"}, "/api/v1/nodes": {"items": [node]}, **self.objects}
        self.answer(200 if path in known else 404, known.get(path) or {"reason": "NotFound", "message": f"{path} not found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(422, {"reason": "Invalid", "message": "The range of valid IPs is 10.45.0.0/16"})

    def answer(self, status: int, body: t.Any) -> None:
        payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Silent."""


class Tls(Stub):
    """What Go's TLS server says to plain HTTP."""

    def do_GET(self) -> None:
        self.answer(400, "Client sent an HTTP request to an HTTPS server.\n")


@pytest.fixture
def serve():
    """Starts a server; gives host and port."""
    servers = []

    def start(handler: type[Stub], objects: dict[str, t.Any] | None = None) -> str:
        played = type("Played", (handler,), {"objects": objects or {}})
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), played))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_port}"

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


@pytest.fixture
def cluster(serve, tmp_path):
    """Writes ``config`` for a stub cluster."""

    def start(objects: dict[str, t.Any] | None = None) -> str:
        address = serve(Stub, objects)
        config = {
            "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": f"http://{address}"}}],
            "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
            "users": [{"name": "me", "user": {"token": "t"}}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        return address

    return start


JOIN = ("join", "broker-info.subm", "--kubeconfig", "config", "--clusterid", "one")
CIDRS = ("--clustercidr", "10.46.0.0/16", "--servicecidr", "10.45.0.0/16")
SUBMARINER = "/apis/submariner.io/v1alpha1/namespaces/submariner-operator/submariners/submariner"
JOINED = {SUBMARINER: {"spec": {"version": "0.99.0", "clustersetIPCIDR": "243.0.0.0/20"}}}


def test_a_broker_file_without_a_token_is_a_panic(run, cluster, tmp_path):
    cluster()
    broker_info.write(tmp_path, INFO._replace(client_token={}))
    code, out, err = run(*JOIN, *CIDRS)
    assert code == 2
    assert " ✓ Gathering relevant information from Broker\npanic: runtime error: invalid memory address or nil pointer dereference\n" in err
    assert "subctl version" not in err and "There are 1 node(s) labeled as gateways:\n    - n1\n" in out


@pytest.mark.parametrize("version,shows", [("0.18.1", False), ("0.19.0", True)])
def test_a_newer_deployment_is_not_refused_and_its_clusterset_cidr_is_shown(run, cluster, tmp_path, version, shows):
    cluster(JOINED)
    broker_info.write(tmp_path, INFO._replace(broker_url="https://127.0.0.1:1", client_token={**INFO.client_token, "data": {}}))
    code, out, err = run(*JOIN, *CIDRS, version=version)
    assert code == 1 and "older than" not in err
    assert ("        ClustersetIP CIDR:     243.0.0.0/20\n" in out) is shows
    assert ' ✗ Error retrieving broker admin config: Get "https://127.0.0.1:1/apis/' in err


def test_a_broker_url_without_scheme_is_spoken_to_in_plain_http(run, cluster, serve, tmp_path):
    cluster()
    address = serve(Tls)
    broker_info.write(tmp_path, INFO)
    code, _out, err = run(*JOIN, *CIDRS, "--broker-url", address, version="0.18.1")
    assert code == 1 and f" ✓ Overriding broker URL using {address}\n" in err
    assert " ✗ Error retrieving broker admin config: unexpected error when reading response body. Please retry. Original error: read tcp " in err
    assert "connection reset by peer" in err
    with pytest.raises(ApiError, match="unexpected error when reading response body"):
        with_token(address, "t", b"", True, "test").get("/version")


def test_who_does_not_verify_talks_of_tls(tmp_path):
    assert with_token("one:6443", "t", b"", False, "test").server == "https://one:6443"
    assert with_token("one:6443", "t", b"", True, "test").server == "http://one:6443"
    assert with_token("", "t", b"", True, "test").server == "http://localhost"


def test_all_is_shown_of_a_cluster_without_submariner(run, cluster):
    cluster()
    code, out, err = run("show", "all", "--kubeconfig", "config")
    assert code == 0 and out == 'Cluster "one"\n\n\n\n'
    assert err.endswith(" ✓ Showing versions\n ⚠ Submariner connectivity feature is not installed\n") and err.count("not installed") == 1


def test_what_fails_does_not_keep_the_rest_from_being_shown(run, cluster):
    cluster(JOINED)
    code, out, err = run("show", "all", "--kubeconfig", "config")
    assert code == 1 and err.count(" ✗ No gateways detected\n") == 3
    assert "Discovered network details via Submariner:" in out and " ✓ Showing versions\n" in err


def test_joins_up_to_0_18_need_a_list_of_members_in_the_globalnet_config_map(run, cluster, serve, tmp_path):
    maps = "/api/v1/namespaces/broker-ns/configmaps/submariner-globalnet-info"
    cluster()
    broker_info.write(tmp_path, INFO._replace(broker_url=f"http://{serve(Stub, {maps: {'data': {'globalnetEnabled': 'false'}}})}"))
    assert "Unable to retrieve Globalnet information: error reading globalnet clusterInfo: unexpected end of JSON input" in run(*JOIN, *CIDRS)[2]
    err = run(*JOIN, *CIDRS, version="0.19.0")[2]
    assert "Unable to retrieve ClustersetIP information: error retrieving clustersetip ConfigMap: " in err


def test_the_config_maps_of_a_broker():
    values = parse([], flags_of("deploy-broker", V19)).values
    (globalnet,) = broker_config_maps(values, V18, "broker-ns")
    assert globalnet["data"] == {"globalnetEnabled": "false", "clusterinfo": "[]"}
    globalnet, clusterset = broker_config_maps(values, V19, "broker-ns")
    assert globalnet["data"] == {"globalnetEnabled": "false"} and globalnet["metadata"]["labels"] == {"component": "submariner-globalnet"}
    assert clusterset["data"] == {"clustersetIPEnabled": "false", "clustersetIPCidrRange": '"243.0.0.0/8"', "clustersetIPClusterSize": "0"}


def test_accounts_may_mount_what_they_list_since_the_secrets_have_fixed_names():
    enforced = {account["metadata"]["name"]: account for account, _role, _binding in member_accounts(SubmarinerVersion(0, 17, 3))}
    assert {"submariner-diagnose", "submariner-globalnet"} <= set(enforced)
    assert all(each["metadata"]["annotations"] == {"kubernetes.io/enforce-mountable-secrets": "true"} for each in enforced.values())
    assert enforced["submariner-gateway"]["secrets"] == [{"name": "submariner-broker-secret"}, {"name": "submariner-ipsec-psk"}]
    assert not any("annotations" in account["metadata"] for account, _role, _binding in member_accounts(SubmarinerVersion(0, 17, 2)))


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
    assert err.startswith(" ✗ Error building the cluster.Info for the default configuration: error retrieving Submariner: ")
    assert 'Get "https://127.0.0.1:1/apis/submariner.io/v1alpha1": dial tcp 127.0.0.1:1: connect: connection refused\n' in err


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
    assert "+00_00" not in backup
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
    assert image_overrides(["submariner-gateway=r/g:1=2"], V18) == {"submariner-gateway": "r/g:1=2"}
    with pytest.raises(ValueError, match="invalid override submariner-gateway provided"):
        image_overrides(["submariner-gateway"], V18)
    with pytest.raises(ValueError, match="invalid override component gateway provided"):
        image_overrides(["gateway=x"], V17)
    with pytest.raises(ValueError, match='invalid image override component "gateway" provided. Valid components are'):
        image_overrides(["gateway=x"], V18)


def test_image_overrides_are_looked_at_before_the_file_since_0_18(run):
    code, out, err = run("join", "--image-override", "foo", "none.subm", version="0.18.0")
    assert (code, out) == (1, "invalid override foo provided. Please use `a=b` syntax\n")
    assert err.startswith("Error: invalid override foo provided. Please use `a=b` syntax\nUsage:\n  subctl join [flags]\n")
    assert "error reading file" in run("join", "--image-override", "foo", "none.subm", version="0.17.3")[2]


def test_the_resource_of_a_join():
    words = "--clusterid a --natt=false --air-gapped --health-check=false --force-udp-encaps --coredns-custom-configmap ns/cm".split()
    values = parse(words, flags_of("join", V16)).values
    spec = submariner(values, INFO, INFO.client_token, "broker-secret-x", "0.16.3", None, V16)["spec"]
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
