# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting: kubeconfigs, credentials, TLS and proxies, right and wrong."""

from __future__ import annotations

import copy
import json
import socket
import threading
import time

import pytest
import yaml

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._kube import _session
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import Connection, connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import FORBIDDEN, UNAVAILABLE, KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, read_all
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube import faulty_api as faults
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import QUICK

NODES = "/api/v1/nodes"


def config_of(*servers, current="one", **user):
    """Return a kubeconfig with contexts one, two, three... for ``servers``, all of the same user."""
    names = ("one", "two", "three")[:len(servers)]
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current,
        "clusters": [{"name": f"cluster-{name}", "cluster": {"server": server}} for name, server in zip(names, servers)],
        "contexts": [{"name": name, "context": {"cluster": f"cluster-{name}", "user": "somebody"}} for name in names],
        "users": [{"name": "somebody", "user": user}],
    }


def write(path, config):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config if isinstance(config, str) else yaml.safe_dump(config), encoding="utf-8")
    return str(path)


def ask(params, seconds=20.0):
    return connect(params, patience=QUICK).request("GET", NODES, deadline=Deadline(seconds))


@pytest.fixture(autouse=True)
def nodes(api):
    api.objects[NODES] = {}
    return api


# Kubeconfigs.


def test_a_path_and_its_current_context(api, tmp_path):
    path = write(tmp_path / "kubeconfig", config_of(api.url, "http://127.0.0.1:1", token="tok"))
    connection = connect({"kubeconfig": path}, patience=QUICK)
    connection.request("GET", NODES)
    assert (connection.name, connection.server) == ("one", api.url)
    assert connection.label == f"Cluster one (context one of {path}, {api.url})"
    assert connection.host_params == {"kubeconfig": path, "context": "one"}
    assert api.calls[0].headers["Authorization"] == "Bearer tok"


def test_a_context_by_name(api, tmp_path):
    path = write(tmp_path / "kubeconfig", config_of("http://127.0.0.1:1", f"{api.url}/", token="tok"))
    assert ask({"kubeconfig": path, "context": "two"})["kind"] == "ThingList"


@pytest.mark.parametrize("form", [lambda config: config, yaml.safe_dump, json.dumps], ids=["dict", "YAML", "JSON"])
def test_an_inline_kubeconfig(api, form):
    config = config_of(api.url, token="tok")
    before = copy.deepcopy(config)
    connection = connect({"kubeconfig": form(config)}, patience=QUICK)
    connection.request("GET", NODES)
    assert connection.label == f"Cluster one (context one of the inline kubeconfig, {api.url})"
    assert config == before


def test_several_paths_are_merged_and_the_first_wins(api, tmp_path):
    first = write(tmp_path / "a", config_of("http://127.0.0.1:1", token="a"))
    other = config_of("http://127.0.0.1:2", api.url, current="two", token="b")
    second = write(tmp_path / "b", other)
    connection = connect({"kubeconfig": f"{first}:{tmp_path}/absent:{second}"})
    assert (connection.name, connection.server) == ("one", "http://127.0.0.1:1")
    connection = connect({"kubeconfig": f"{first}:{second}", "context": "two"}, patience=QUICK)
    connection.request("GET", NODES)
    assert api.calls[0].headers["Authorization"] == "Bearer a"  # the user "somebody" of the first file


def test_the_default_kubeconfig_and_kubeconfig_variable(api, tmp_path, monkeypatch):
    path = write(tmp_path / "home/.kube/config", config_of(api.url, token="default"))
    ask({})
    assert connect({}).host_params == {"kubeconfig": path, "context": "one"}
    monkeypatch.setenv("KUBECONFIG", write(tmp_path / "other", config_of(api.url, token="variable")))
    ask({})
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", write(tmp_path / "third", config_of("http://127.0.0.1:1", api.url, token="auth-variable")))
    monkeypatch.setenv("K8S_AUTH_CONTEXT", "two")
    ask({})
    assert [call.headers["Authorization"] for call in api.calls] == ["Bearer default", "Bearer variable", "Bearer auth-variable"]


def broken_yaml():
    return "apiVersion: v1\nusers:\n- user: {token: s3cr3t-token]\n"


@pytest.mark.parametrize(
    "config, context, parts",
    [
        (broken_yaml(), None, ["not valid YAML in line 3, column 29"]),
        ("just words", None, ["There is no kubeconfig in"]),
        ("", None, ["There is no kubeconfig in"]),
        (config_of("http://a", "http://b"), "wrong", ["no context wrong", "one, two", "option context"]),
        (config_of("http://a", current="gone"), None, ["no context gone", "although it is its current-context", "It holds: one"]),
        (config_of("http://a", current=""), None, ["no current-context", "It holds: one", "Set the option context"]),
        ({**config_of("http://a"), "clusters": []}, None, ["means the cluster cluster-one, which it does not hold"]),
        ({**config_of("http://a"), "users": []}, None, ["means the user somebody, which it does not hold"]),
        (config_of(""), None, ["cluster cluster-one", "has no server"]),
        (config_of("127.0.0.1:6443"), None, ["127.0.0.1:6443", "is not a URL"]),
        ({**config_of("http://a"), "contexts": {"one": {}}}, None, ["contexts must be a list of entries with a name"]),
    ],
)
def test_what_is_wrong_with_a_kubeconfig_is_said_without_its_secrets(tmp_path, config, context, parts):
    path = write(tmp_path / "kubeconfig", config)
    with pytest.raises(InputError) as caught:
        connect({"kubeconfig": path, "context": context})
    for part in parts:
        assert part in caught.value.message
    assert path in caught.value.message and "s3cr3t" not in caught.value.message


def test_broken_inline_yaml_does_not_quote_itself():
    with pytest.raises(InputError) as caught:
        connect({"kubeconfig": broken_yaml()})
    assert caught.value.message.startswith("The inline kubeconfig is not valid YAML in line 3") and "s3cr3t" not in caught.value.message


def test_an_absent_kubeconfig_is_named():
    with pytest.raises(InputError, match="There is no kubeconfig /absent/kubeconfig. Correct the option kubeconfig"):
        connect({"kubeconfig": "/absent/kubeconfig"})


def test_no_cluster_at_all_says_what_can_be_set(tmp_path):
    with pytest.raises(InputError) as caught:
        connect({})
    for part in ("No cluster was named", f"{tmp_path}/home/.kube/config", "K8S_AUTH_KUBECONFIG", "host and api_key"):
        assert part in caught.value.message


def test_an_unreadable_kubeconfig_is_named(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match=f"The kubeconfig {folder} cannot be read: Is a directory"):
        connect({"kubeconfig": str(folder)})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="binary cannot be read: it is not UTF-8"):
        connect({"kubeconfig": str(tmp_path / "binary")})


def test_a_certificate_file_that_a_kubeconfig_names_in_vain(tmp_path):
    path = write(tmp_path / "kubeconfig", config_of("https://127.0.0.1:1", **{"client-certificate": "absent.pem", "client-key": "absent.key"}))
    with pytest.raises(InputError, match=f"the credentials cannot be loaded: File does not exist: {tmp_path}/absent.pem"):
        connect({"kubeconfig": path})


# Credentials.


def test_options_alone_read_no_kubeconfig(api, tmp_path):
    write(tmp_path / "home/.kube/config", broken_yaml())
    connection = connect({"host": f"{api.url}/", "username": "me", "password": "pw"}, patience=QUICK)
    connection.request("GET", NODES)
    assert api.calls[0].headers["Authorization"] == "Basic bWU6cHc="
    assert connection.server == api.url and connection.name == api.url.partition("//")[2]


def test_options_override_the_kubeconfig(api, tmp_path):
    path = write(tmp_path / "kubeconfig", config_of("http://127.0.0.1:1", token="tok"))
    ask({"kubeconfig": path, "host": api.url, "api_key": "other"})
    assert api.calls[0].headers["Authorization"] == "Bearer other"


def test_awx_variables_do_not_make_every_cluster_the_same(api, tmp_path, monkeypatch):
    monkeypatch.setenv("K8S_AUTH_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("K8S_AUTH_API_KEY", "of-awx")
    path = write(tmp_path / "kubeconfig", config_of(api.url, token="tok"))
    ask({"kubeconfig": path})
    monkeypatch.setenv("K8S_AUTH_HOST", api.url)
    ask({})
    assert [call.headers["Authorization"] for call in api.calls] == ["Bearer tok", "Bearer of-awx"]


@pytest.mark.parametrize("source", ["options", "kubeconfig"])
def test_impersonation(api, tmp_path, source):
    if source == "options":
        params = {"host": api.url, "impersonate_user": "jane", "impersonate_groups": ["a", "b"]}
    else:
        params = {"kubeconfig": write(tmp_path / "kubeconfig", config_of(api.url, **{"as": "jane", "as-groups": ["a", "b"], "as-uid": "7"}))}
    ask(params)
    headers = api.calls[0].headers
    assert headers["Impersonate-User"] == "jane" and headers.get_all("Impersonate-Group") == ["a", "b"]
    assert headers["Impersonate-Uid"] == (None if source == "options" else "7")


def test_groups_without_a_user_cannot_be_impersonated(api):
    with pytest.raises(InputError, match="impersonate_groups needs impersonate_user"):
        connect({"host": api.url, "impersonate_groups": ["a"]})


def test_a_token_with_line_breaks_is_refused_unquoted(api):
    with pytest.raises(InputError) as caught:
        connect({"host": api.url, "api_key": "s3cr3t\nmore"})
    assert "line breaks" in caught.value.message and "s3cr3t" not in caught.value.message


def test_in_a_pod_its_service_account_is_used(api, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("pod-token")
    (tmp_path / "ca.crt").write_text("a certificate")
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr("kubernetes.config.incluster_config.SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    target = _session.find_target({}, {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"})
    assert (target.name, target.server, target.source) == ("in-cluster", "https://[fd00::1]:6443", "the pod's service account")
    session = _session.open_session(target)
    assert session.headers["Authorization"].lower() == "bearer pod-token"


# Exec plugins and expiring tokens.


def plugin(tmp_path, script):
    path = tmp_path / "plugin.sh"
    path.write_text(f"#!/bin/sh\necho run >> {tmp_path}/runs\n{script}\n")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "interactiveMode": "Never"}}


def runs(tmp_path):
    return (tmp_path / "runs").read_text().count("run")


def token_script(tmp_path):
    """The token is the number of the run."""
    return (
        f"""n=$(wc -l < {tmp_path}/runs | tr -d ' '); printf '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", """
        """"status": {"token": "token-%s"}}' "$n" """
    )


def only(*tokens):
    """Answer 401 to every other token."""

    def fault(handler, call):
        if call.headers["Authorization"] in [f"Bearer {token}" for token in tokens]:
            handler.proceed(call)
        else:
            handler.reply(*faults.failure(401, "Unauthorized", "Unauthorized"))

    return fault


def test_an_exec_plugin_is_run_once_for_many_requests(api, tmp_path):
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, token_script(tmp_path)))}, patience=QUICK)
    read_all(connection, [ListRequest(str(index), NODES, dict) for index in range(8)], Deadline(20))
    assert {call.headers["Authorization"] for call in api.calls} == {"Bearer token-1"} and runs(tmp_path) == 1


def test_an_expired_token_is_renewed_once_for_all_threads(api, tmp_path):
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, token_script(tmp_path)))}, patience=QUICK)
    api.inject("GET", NODES, *[only("token-2")] * 30)
    results = read_all(connection, [ListRequest(str(index), NODES, dict) for index in range(8)], Deadline(20))
    assert {result.state for result in results.values()} == {"ok"}
    assert runs(tmp_path) == 2


def test_a_write_is_sent_again_after_renewal(api, tmp_path):
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, token_script(tmp_path)))}, patience=QUICK)
    api.inject("POST", NODES, only("token-2"))
    connection.request("POST", NODES, body={"kind": "Node", "metadata": {"name": "n"}})
    assert [call.headers["Authorization"] for call in api.calls] == ["Bearer token-1", "Bearer token-2"]


def test_a_new_token_that_is_refused_too_ends_it(api, tmp_path):
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, token_script(tmp_path)))}, patience=QUICK)
    api.inject("GET", NODES, *[only("none")] * 10)
    with pytest.raises(KubeError) as caught:
        connection.request("GET", NODES)
    assert caught.value.state == FORBIDDEN and caught.value.status == 401 and "renew the token" in caught.value.message
    assert len(api.calls) == 2


def test_a_watch_renews_an_expired_token_too(api, tmp_path):
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, token_script(tmp_path)))}, patience=QUICK)
    api.inject("WATCH", NODES, only("token-2"))
    connection.open_watch(NODES, {"watch": "true", "resourceVersion": "100", "timeoutSeconds": 0.1}, Deadline(2), 1.0).close()
    assert runs(tmp_path) == 2 and len(api.calls) == 2


def test_a_token_file_that_was_rotated_is_read_again(api, tmp_path):
    (tmp_path / "token").write_text("old")
    connection = connect({"kubeconfig": config_of(api.url, tokenFile=str(tmp_path / "token"))}, patience=QUICK)
    (tmp_path / "token").write_text("new")
    api.inject("GET", NODES, only("new"))
    connection.request("GET", NODES)
    assert [call.headers["Authorization"] for call in api.calls] == ["Bearer old", "Bearer new"]


def test_a_fixed_token_that_is_refused_is_not_sent_again(api, connection):
    api.inject("GET", NODES, only("none"))
    with pytest.raises(KubeError) as caught:
        connection.request("GET", NODES)
    assert caught.value.state == FORBIDDEN and len(api.calls) == 1


@pytest.mark.parametrize(
    "script, words",
    [
        ("echo 'sso session has expired, run login' >&2; exit 3", "process returned 3. sso session has expired, run login"),
        ("echo not-json", "failed to decode"),
        ("""echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {}}'""", "missing token"),
    ],
)
def test_a_plugin_that_fails_is_quoted_and_not_passed_over(api, tmp_path, script, words):
    with pytest.raises(InputError) as caught:
        connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, script))})
    assert words in caught.value.message and f"exec plugin {tmp_path}/plugin.sh gave no credentials" in caught.value.message
    assert api.calls == []


def test_a_plugin_that_is_not_installed_is_named(api):
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/absent/aws"}}
    with pytest.raises(InputError, match="/absent/aws.*No such file"):
        connect({"kubeconfig": config_of(api.url, **user)})


def test_a_plugin_that_hangs_is_given_up(api, tmp_path, monkeypatch):
    monkeypatch.setattr(_session, "LOADING_TIMEOUT", 0.3)
    start = time.monotonic()
    with pytest.raises(InputError, match="could not be loaded within"):
        connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, "exec sleep 3"))})
    assert time.monotonic() - start < 2.5  # the plugin's three seconds are not waited for


def test_a_plugin_that_hangs_at_renewal_does_not_outlive_the_deadline(api, tmp_path):
    script = f"[ $(wc -l < {tmp_path}/runs) -lt 2 ] || exec sleep 3; {token_script(tmp_path)}"
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, script))}, patience=QUICK)
    api.inject("GET", NODES, *[only("none")] * 10)
    start = time.monotonic()
    results = read_all(connection, [ListRequest(str(index), NODES, dict) for index in range(4)], Deadline(0.5))
    assert time.monotonic() - start < 2.5
    assert {result.state for result in results.values()} <= {FORBIDDEN, "timed_out"}
    assert any("exec plugin" in result.detail for result in results.values())


def test_a_plugin_that_fails_at_renewal_is_told_as_forbidden(api, tmp_path):
    script = token_script(tmp_path) + f"; [ $(wc -l < {tmp_path}/runs) -lt 2 ] || {{ echo 'log in again' >&2; exit 1; }}"
    connection = connect({"kubeconfig": config_of(api.url, **plugin(tmp_path, script))}, patience=QUICK)
    api.inject("GET", NODES, only("none"))
    with pytest.raises(KubeError) as caught:
        connection.request("GET", NODES)
    assert caught.value.state == FORBIDDEN and "log in again" in caught.value.message and "(401)" in caught.value.message


# TLS. Each message says which certificate is at fault.


def tls_failure(params):
    with pytest.raises(KubeError) as caught:
        ask(params)
    assert caught.value.state == UNAVAILABLE and not caught.value.transient
    return caught.value.message


def test_tls_with_client_certificate(tls_api):
    tls_api.server.objects[NODES] = {}
    ask({"host": tls_api.server.url, "ca_cert": tls_api.ca, "client_cert": tls_api.client_cert, "client_key": tls_api.client_key})
    ask({"host": tls_api.server.url, "validate_certs": False})
    assert len(tls_api.server.calls) == 2


def test_a_wrong_ca_is_said(tls_api):
    message = tls_failure({"host": tls_api.server.url, "ca_cert": tls_api.other_ca})
    assert "certificate is not accepted" in message and "ca_cert" in message and tls_api.server.url in message and f"GET {NODES}" in message
    assert tls_api.server.calls == []


def test_an_expired_server_certificate_is_said(expired_tls_api):
    assert "certificate has expired" in tls_failure({"host": expired_tls_api.server.url, "ca_cert": expired_tls_api.ca})


def test_a_name_that_the_certificate_does_not_have_is_said(tls_api):
    url = tls_api.server.url.replace("127.0.0.1", "localhost")
    assert "localhost" in tls_failure({"host": url, "ca_cert": tls_api.ca}).partition("not accepted")[2]


def test_a_client_certificate_of_another_cluster_is_said(tls_api):
    params = {"host": tls_api.server.url, "ca_cert": tls_api.ca, "client_cert": tls_api.stranger_cert, "client_key": tls_api.stranger_key}
    assert "refused the TLS handshake" in tls_failure(params)


def test_a_key_that_does_not_belong_to_its_certificate_is_said(tls_api):
    params = {"host": tls_api.server.url, "ca_cert": tls_api.ca, "client_cert": tls_api.client_cert, "client_key": tls_api.stranger_key}
    assert "do certificate and key match" in tls_failure(params)


def test_a_server_without_tls_is_said(api):
    assert "does not speak TLS" in tls_failure({"host": api.url.replace("http://", "https://"), "validate_certs": False})


@pytest.mark.parametrize("option", ["ca_cert", "client_cert", "client_key"])
def test_a_file_that_does_not_exist_is_named_before_anything_is_sent(api, option):
    with pytest.raises(InputError, match=f"The file /absent.pem of option {option} does not exist"):
        connect({"host": api.url, option: "/absent.pem"})


# Addresses and proxies.


def test_a_dead_server_is_named(api):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(KubeError) as caught:
            ask({"host": url})
    assert caught.value.state == UNAVAILABLE and "Connection refused" in caught.value.message and url in caught.value.message


def test_a_name_that_does_not_resolve_is_named(monkeypatch):
    def nowhere(*dummy, **dummies):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(KubeError) as caught:
        ask({"host": "https://api.example.org:6443"})
    assert "Name or service not known" in caught.value.message and "https://api.example.org:6443" in caught.value.message


def test_name_resolution_that_hangs_does_not_outlive_the_deadline(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *dummy, **dummies: release.wait(5) and [])
    start = time.monotonic()
    with pytest.raises(KubeError) as caught:
        ask({"host": "https://api.example.org:6443"}, seconds=0.3)
    release.set()
    assert time.monotonic() - start < 3.0 and caught.value.state == "timed_out"


def test_a_write_that_was_given_up_before_it_was_connected_is_never_sent(api, monkeypatch):
    resolve, hold = socket.getaddrinfo, threading.Event()

    def slow(*arguments, **keywords):
        hold.wait(5)
        return resolve(*arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    connection = connect({"host": api.url}, patience=QUICK)
    earlier = set(threading.enumerate())
    with pytest.raises(KubeError):
        connection.request("POST", NODES, body={"metadata": {"name": "late"}}, deadline=Deadline(0.2))
    hold.set()
    for thread in set(threading.enumerate()) - earlier:
        thread.join(2)
    assert api.calls == [] and api.objects[NODES] == {}


def test_a_proxy_carries_the_request_and_its_own_credentials(api):
    url = api.url.replace("http://", "http://me:p%40ss@")
    api.objects["http://kube.example.org" + NODES] = {}
    connection = connect({"host": "http://kube.example.org", "proxy": url, "proxy_headers": {"user_agent": "us"}}, patience=QUICK)
    connection.request("GET", NODES)
    assert api.calls[0].headers["Proxy-Authorization"] == "Basic bWU6cEBzcw=="
    assert connection.label.endswith(f"through proxy {api.url} (option proxy))") and "p%40ss" not in connection.label


def test_a_proxy_that_refuses_is_named_with_where_it_came_from(api, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", api.url)
    with pytest.raises(KubeError) as caught:
        ask({"host": "https://kube.example.org"})
    for part in ("the proxy did not let us through", api.url, "environment variable HTTPS_PROXY", "no_proxy"):
        assert part in caught.value.message


def test_a_connection_is_made_without_a_request(api):
    assert isinstance(connect({"host": api.url}), Connection)
    assert api.calls == []
