# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks: an aggregated API server believes the headers of a client whose certificate is the front proxy's, and nobody else's."""

from __future__ import annotations

import email.message
import json
import ssl
import tempfile
import typing as t
import urllib.parse

from tests.lab.client import Client, Object

MASTERS = "system:masters"
TRUST = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"


class Caller(t.NamedTuple):
    user: str
    groups: list[str]
    extra: dict[str, list[str]]


class FrontProxy:
    """The trust that kube-apiserver publishes for its aggregated servers.

    :param published: the data of ConfigMap kube-system/extension-apiserver-authentication.
    """

    def __init__(self, published: Object) -> None:
        self._ca = published["requestheader-client-ca-file"]
        self._names = json.loads(published.get("requestheader-allowed-names", "[]"))
        self._user_headers = json.loads(published["requestheader-username-headers"])
        self._group_headers = json.loads(published["requestheader-group-headers"])
        self._extra_prefixes = [each.lower() for each in json.loads(published["requestheader-extra-headers-prefix"])]

    @classmethod
    def read(cls, client: Client) -> FrontProxy:
        return cls(client.get(TRUST)["data"])

    def tls(self, cert_file: str, key_file: str) -> ssl.SSLContext:
        """For a server that lets anybody in, but learns who holds a certificate of the front proxy's CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert_file, key_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        with tempfile.NamedTemporaryFile("w", suffix=".crt") as bundle:
            bundle.write(self._ca)
            bundle.flush()
            context.load_verify_locations(bundle.name)
        return context

    def caller(self, certificate: t.Mapping[str, t.Any] | None, headers: email.message.Message) -> Caller | None:
        """The user for whom the front proxy speaks; None for everybody else.

        :arg certificate: what SSLSocket.getpeercert() gives for a verified certificate.
        """
        if not certificate:
            return None
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        if self._names and not set(names) & set(self._names):
            return None
        user = next((headers[each] for each in self._user_headers if headers.get(each)), None)
        if user is None:
            return None
        groups = [value for each in self._group_headers for value in headers.get_all(each, [])]
        extra: dict[str, list[str]] = {}
        for key, value in headers.items():
            for prefix in self._extra_prefixes:
                if key.lower().startswith(prefix):
                    extra.setdefault(urllib.parse.unquote(key[len(prefix):].lower()), []).append(value)
        return Caller(user, groups, extra)
