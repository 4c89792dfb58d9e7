# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Through which proxy a server is reached."""

from __future__ import annotations

import ipaddress
import typing as t
from urllib.parse import unquote, urlsplit


class Proxy(t.NamedTuple):
    """``url`` may hold a password: print ``shown`` only."""

    url: str
    source: str  # for messages: where the proxy was configured

    @property
    def shown(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    @property
    def basic_auth(self) -> str:
        """``user:password`` of the URL, which urllib3 does not send by itself; "" where there is none."""
        parts = urlsplit(self.url)
        return f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""


def choose_proxy(server: str, options: t.Mapping[str, t.Any], of_kubeconfig: str, environ: t.Mapping[str, str]) -> Proxy | None:
    """Return the proxy for ``server``: the option's, else the kubeconfig's ``proxy-url``, else the environment's.

    As in kubectl (Go's net/http), the environment's never serves a loopback address, and NO_PROXY does not apply to a kubeconfig's
    ``proxy-url``, which is about this one cluster; the option ``no_proxy`` applies to all three.
    """
    exceptions = str(options.get("no_proxy") or "")
    if options.get("proxy"):
        chosen = Proxy(str(options["proxy"]), "option proxy")
    elif of_kubeconfig:
        chosen = Proxy(of_kubeconfig, "proxy-url of the kubeconfig")
    else:
        variable = _variable(urlsplit(server).scheme, environ)
        if not variable or _is_loopback(server):
            return None
        chosen = Proxy(environ[variable], f"environment variable {variable}")
        exceptions = exceptions or environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return None if bypasses(server, exceptions) else chosen


def bypasses(server: str, no_proxy: str) -> bool:
    """True when a comma-separated NO_PROXY list (names, suffixes, addresses, CIDRs, ``*``, each with or without port) holds ``server``."""
    parts = urlsplit(server)
    host = (parts.hostname or "").lower()
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    address = _address(host)
    for entry in (entry.strip().lower() for entry in no_proxy.split(",")):
        if entry == "*":
            return True
        if address is not None and _in_network(address, entry):
            return True
        name, dummy, entry_port = entry.rpartition(":")
        if entry_port.isdigit() and name.count(":") == 0:
            if entry_port != str(port):
                continue
            entry = name
        entry = entry.lstrip(".").removeprefix("*.") if entry.startswith((".", "*.")) else entry
        if entry and (host == entry or (address is None and host.endswith(f".{entry}"))):
            return True
    return False


def _variable(scheme: str, environ: t.Mapping[str, str]) -> str:
    # HTTP_PROXY in capitals is what a CGI server makes of the header "Proxy:", but a module is no CGI script.
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return next((name for name in names if environ.get(name)), "")


def _is_loopback(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
