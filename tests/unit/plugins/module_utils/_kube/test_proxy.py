# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy leads to a server."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube._proxy import Proxy, bypasses, choose_proxy

SERVER = "https://api.example.org:6443"


@pytest.mark.parametrize(
    "options, of_kubeconfig, environ, expected",
    [
        ({}, "", {}, None),
        ({"proxy": "http://o"}, "http://k", {"HTTPS_PROXY": "http://e"}, Proxy("http://o", "option proxy")),
        ({}, "http://k", {"HTTPS_PROXY": "http://e"}, Proxy("http://k", "proxy-url of the kubeconfig")),
        ({}, "http://k", {"NO_PROXY": "*"}, Proxy("http://k", "proxy-url of the kubeconfig")),
        ({"no_proxy": "example.org"}, "http://k", {}, None),
        ({}, "", {"HTTPS_PROXY": "http://e"}, Proxy("http://e", "environment variable HTTPS_PROXY")),
        ({}, "", {"https_proxy": "http://l", "HTTPS_PROXY": "http://e"}, Proxy("http://l", "environment variable https_proxy")),
        ({}, "", {"HTTP_PROXY": "http://e"}, None),
        ({}, "", {"ALL_PROXY": "socks5://e"}, Proxy("socks5://e", "environment variable ALL_PROXY")),
        ({}, "", {"HTTPS_PROXY": "http://e", "NO_PROXY": ".example.org"}, None),
        ({"no_proxy": "other.org"}, "", {"HTTPS_PROXY": "http://e", "NO_PROXY": ".example.org"}, Proxy("http://e", "environment variable HTTPS_PROXY")),
    ],
)
def test_the_nearest_setting_wins(options, of_kubeconfig, environ, expected):
    assert choose_proxy(SERVER, options, of_kubeconfig, environ) == expected


@pytest.mark.parametrize("server", ["https://127.0.0.1:6443", "https://localhost:6443", "https://[::1]:6443"])
def test_the_environments_proxy_never_serves_loopback(server):
    assert choose_proxy(server, {}, "", {"HTTPS_PROXY": "http://e"}) is None
    assert choose_proxy(server, {"proxy": "http://o"}, "", {}) == Proxy("http://o", "option proxy")


@pytest.mark.parametrize(
    "server, no_proxy, expected",
    [
        (SERVER, "", False),
        (SERVER, "*", True),
        (SERVER, "example.org", True),
        (SERVER, " .EXAMPLE.org , x", True),
        (SERVER, "*.example.org", True),
        (SERVER, "ample.org", False),
        (SERVER, "api.example.org:6443", True),
        (SERVER, "api.example.org:443", False),
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://10.1.2.3", "10.1.2.3:443", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://110.1.2.3", "10.1.2.3", False),
        ("https://10.1.2.3", "2.3", False),
        ("https://[fd00::5]:6443", "fd00::/8", True),
        ("https://[fd00::5]:6443", "fd00::5", True),
        ("https://[fd00::5]:6443", "10.0.0.0/8,nonsense/99", False),
    ],
)
def test_no_proxy(server, no_proxy, expected):
    assert bypasses(server, no_proxy) is expected


def test_a_password_is_not_shown():
    proxy = Proxy("http://me:s3cr3t%3A@proxy.example.org:3128", "option proxy")
    assert proxy.shown == "http://proxy.example.org:3128" and proxy.basic_auth == "me:s3cr3t:"
    assert Proxy("http://proxy:3128", "x").basic_auth == ""
