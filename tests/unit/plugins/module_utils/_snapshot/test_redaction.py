# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret leaves with a bundle, and what is no secret stays."""

from __future__ import annotations

import base64
import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import Redactor, is_secret_name, redacted_text

SECRETS = st.text(string.ascii_letters + string.digits + "+/=_-", min_size=12, max_size=60).filter(
    lambda text: any(map(str.isdigit, text)) and text[0].isalnum()
)
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7vT\nkQ==\n-----END RSA PRIVATE KEY-----\n"


def places(secret):
    """Objects that hold a secret, each in a way of its own."""
    return [
        {"kind": "Submariner", "spec": {"brokerK8sApiServerToken": secret, "clusterCIDR": "10.0.0.0/16"}},
        {"kind": "Submariner", "spec": {"ceIPSecPSK": secret}},
        {"kind": "ServiceDiscovery", "spec": {"brokerK8sCA": base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{secret}".encode()).decode()}},
        {"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"env": [{"name": "BROKER_K8S_APISERVERTOKEN", "value": secret}]}]}}}},
        {"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": secret}]}]}}}},
        {"kind": "Pod", "spec": {"containers": [{"args": ["--token", secret, "--v=2"]}]}},
        {"kind": "Pod", "spec": {"containers": [{"command": ["sh", "-c", f"run --password={secret}"]}]}},
        {"kind": "Pod", "spec": {"containers": [{"env": [{"name": "HTTPS_PROXY", "value": f"http://user:{secret}@proxy:3128"}]}]}},
        {"kind": "Node", "metadata": {"annotations": {"rke2.io/node-args": json.dumps(["server", "--token", secret])}}},
        {"kind": "Node", "metadata": {"annotations": {"rke2.io/node-env": json.dumps({"RKE2_TOKEN": secret})}}},
        {"kind": "ConfigMap", "data": {"config.conf": f"users:\n- user:\n    token: {secret}\n"}},
        {"kind": "HelmChartConfig", "spec": {"valuesContent": f"registry:\n  password: {secret}\ninstallation:\n  mtu: 1400\n"}},
        {"kind": "HelmChart", "spec": {"set": {"global.token": secret}}},
        {"kind": "APIService", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {"apiKey": secret}})}}},
        {"kind": "Secret", "data": {"whatever": secret}, "stringData": {"more": secret}, "metadata": {"name": "s"}},
    ]


@given(SECRETS)
@settings(max_examples=60, deadline=None)
def test_a_planted_secret_survives_nowhere(secret):
    for obj in places(secret):
        redactor = Redactor()
        cleaned = json.dumps(redactor.object(obj))
        assert secret not in cleaned, obj
        assert json.dumps(redactor.object(json.loads(cleaned))) == cleaned


@given(SECRETS)
@settings(max_examples=60, deadline=None)
def test_what_was_met_in_an_object_is_known_in_logs(secret):
    redactor = Redactor()
    redactor.object({"spec": {"ceIPSecPSK": secret}})
    assert secret not in redactor.text(f"loaded {secret} from disk")
    assert secret not in redactor.known(json.dumps({"a": f'"{secret}"'}), escaped=True)


@pytest.mark.parametrize(
    "text",
    [
        "token eyJhbGciOiJSUzI1NiIsImtpZCI6Ing.eyJpc3MiOiJrdWJlcm5ldGVzL3Nlcn.c2lnbmF0dXJlLWhlcmU end",
        "proxy http://user:hunter2hunter2@proxy:3128 refused",
        "proxy http://hunter2hunter2hunter2@proxy:3128 refused",
        f"key {PEM} end",
        f"data {base64.b64encode(PEM.encode()).decode()} end",
        "Authorization: Bearer abcdefghijklmnop1234567890",
        "joined with K10" + "ab" * 32 + "::server:hunter2hunter2",
        'psk="hunter2hunter2" chosen',
        '{"password":"hunter2hunter2"}',
        "client-key-data: hunter2hunter2hunter2",
        "oc login --token=sha256~abcdefghijklmnopqrstuvwxyz0123",
    ],
)
def test_what_looks_like_a_credential_is_masked_in_logs(text):
    found = redacted_text(text, assigned=True)
    assert not [secret for secret in ("hunter2", "eyJpc3Mi", "MIIEpAIB", "TUlJRXBB", "abcdefghijklmnop", "abababab") if secret in found]
    assert "********" in found
    assert redacted_text(found, assigned=True) == found
    assert found.split()[0] == text.split()[0] or text.startswith(("{", "psk"))


@pytest.mark.parametrize(
    "obj",
    [
        {"spec": {"brokerK8sSecret": "submariner-broker-secret", "ceIPSecPSKSecret": "submariner-ipsec-psk"}},
        {"spec": {"volumes": [{"secret": {"secretName": "calico-apiserver-certs"}}], "automountServiceAccountToken": True}},
        {"spec": {"tolerations": [{"key": "node.kubernetes.io/not-ready"}], "imagePullSecrets": [{"name": "registry"}]}},
        {"metadata": {"managedFields": [{"fieldsV1": {"f:spec": {"f:brokerK8sApiServerToken": {}}}}]}},
        {"status": {"conditions": [{"message": "the token: of the broker expired", "reason": "SecretNotFound"}]}},
        {"data": {"Corefile": ".:53 {\n  forward . /etc/resolv.conf\n}\n"}},
        {
            "spec": {
                "containers": [
                    {
                        "args": ["--cluster-cidr=10.46.0.0/16", "--service-account-key-file=/etc/k/sa.pub"],
                        "env": [{"name": "BROKER_K8S_SECRET", "value": "x-y"}],
                    }
                ]
            }
        },
    ],
)
def test_what_is_no_secret_stays(obj):
    assert Redactor().object(obj) == obj


def test_helm_values_keep_their_meaning():
    found = Redactor().object({"spec": {"valuesContent": "# password: in a comment\nfelixConfiguration:\n  mtu: 1400\nsecret: topsecret99\n"}})
    assert json.loads(found["spec"]["valuesContent"]) == {"felixConfiguration": {"mtu": 1400}, "secret": "********"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("token", True),
        ("tls.key", True),
        ("etcd_key", True),
        ("ca.crt", True),
        ("caBundle", True),
        ("key", False),
        ("secretName", False),
        ("DB_PASSWORD", True),
        ("name", False),
    ],
)
def test_names(name, expected):
    assert is_secret_name(name) is expected
