# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _join_options as join_options
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._no_proxy import complete

UPSTREAM = pathlib.Path(__file__).resolve().parents[6] / "shared/facts/subctl-cli.json"


def test_the_command_line_of_a_proxied_air_gapped_cluster():
    words = join_options.command_line(
        {
            "cluster_id": "cluster-1",
            "cluster_cidr": "10.46.0.0/16",
            "service_cidr": "10.45.0.0/16",
            "natt": False,
            "air_gapped": True,
            "health_check": False,
            "force_udp_encaps": True,
            "https_proxy": "http://proxy:3128",
            "no_proxy": ["10.0.0.0/8", ".svc"],
            "image_overrides": {"submariner-gateway": "mirror/gateway:1", "submariner-operator": "mirror/operator:1"},
            "custom_domains": [],
            "globalnet_cluster_size": 0,
            "broker_url": None,
        }
    )
    assert words == [
        "--clusterid=cluster-1",
        "--clustercidr=10.46.0.0/16",
        "--servicecidr=10.45.0.0/16",
        "--natt=false",
        "--force-udp-encaps=true",
        "--air-gapped=true",
        "--health-check=false",
        "--image-override=submariner-gateway=mirror/gateway:1",
        "--image-override=submariner-operator=mirror/operator:1",
        "--https-proxy=http://proxy:3128",
        "--no-proxy=10.0.0.0/8,.svc",
        "--label-gateway=false",
    ]


def test_every_flag_of_join_is_covered_and_none_is_invented():
    if not UPSTREAM.exists():
        pytest.skip("the list of upstream's flags is not beside the checkout")
    flags = {f"--{entry['name']}" for entry in json.loads(UPSTREAM.read_text())["commands"]["subctl join"] if isinstance(entry, dict)}
    ours = {option.flag for option in join_options.OPTIONS}
    assert ours <= flags
    kubectl = set(
        "--as --as-group --as-uid --certificate-authority --client-certificate --client-key --cluster --context --disable-compression --help --insecure-skip-tls-verify "
        "--kubeconfig --password --proxy-url --request-timeout --server --tls-server-name --token --user --username".split()
    )
    assert flags - kubectl - ours == {"--label-gateway"}


def test_a_deployed_spec_gives_back_the_options_that_made_it():
    spec = {
        "clusterID": "west",
        "natEnabled": False,
        "ceIPSecNATTPort": 4501,
        "cableDriver": "wireguard",
        "connectionHealthCheck": {"intervalSeconds": 2},
        "coreDNSCustomConfig": {"configMapName": "custom", "namespace": "kube-system"},
        "brokerK8sInsecure": True,
        "globalCIDR": "242.1.0.0/16",
        "imageOverrides": {"submariner-gateway": "x"},
    }
    options = join_options.from_spec(spec, {"NO_PROXY": "a, b,"})
    assert options["cluster_id"] == "west"
    assert options["natt"] is False
    assert options["natt_port"] == 4501
    assert options["health_check"] is False  # omitted means off: the CRD has no default for it
    assert options["health_check_interval"] == 2
    assert options["coredns_custom_configmap"] == "kube-system/custom"
    assert options["check_broker_certificate"] is False
    assert options["globalnet"] is True
    assert options["image_overrides"] == {"submariner-gateway": "x"}
    assert options["no_proxy"] == ["a", "b"]


@pytest.mark.parametrize(
    "name, one, other",
    [
        ("https_proxy", "http://user:new@proxy:3128", "http://user:********@proxy:3128"),
        ("broker_url", "https://broker:6443", "broker:6443"),
        ("version", "v0.18.1", "0.18.1"),
        ("custom_domains", ["b", "a"], ["a", "b"]),
        ("coredns_custom_configmap", "custom", "kube-system/custom"),
    ],
)
def test_two_spellings_of_the_same_value_do_not_differ(name, one, other):
    assert join_options.normalised(name, one) == join_options.normalised(name, other)


def test_the_no_proxy_list_keeps_the_users_entries_first_and_adds_what_the_cluster_needs():
    entries = complete(["example.com", "10.46.0.0/16"], ["10.46.0.0/16"], ["10.45.0.0/16"], ["192.168.100.11", ""])
    assert entries[:2] == ["example.com", "10.46.0.0/16"]
    assert {"10.45.0.0/16", "192.168.100.11", ".svc", ".cluster.local"} <= set(entries)
    assert len(entries) == len(set(entries))


def test_a_proxys_password_is_known_as_a_secret_and_a_masked_one_as_lost():
    assert join_options.proxy_passwords({"http_proxy": "http://user:CANARY@proxy:3128", "https_proxy": "http://proxy:3128"}) == ("CANARY",)
    assert join_options.masked({"http_proxy": "http://user:********@proxy:3128", "https_proxy": "http://proxy:3128"}) == ("http_proxy",)


def test_a_rejoin_gives_the_broker_with_its_scheme_or_not_at_all():
    current = {"broker_url": "broker:6443", "natt": True}
    assert join_options.carried_over(current, "https://broker:6443") == {"broker_url": "", "natt": True}
    assert join_options.carried_over(current, "https://internal:6443")["broker_url"] == "https://broker:6443"
