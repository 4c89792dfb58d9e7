# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Secrets taken out of raw Kubernetes objects and logs before they leave the cluster's owner.

Three nets, each behind the other: fields and variables whose *names* are those of secrets; text that *looks like* a credential wherever it stands; and every
*value* that the first net caught, wherever it turns up again. Masking what is masked changes nothing.
"""

from __future__ import annotations

import functools
import json
import re
import typing as t

MASK = "********"
# Names of fields, variables, options and keys of configuration files.
_SECRET_NAME = re.compile(
    r"token|passw|passphrase|secret|psk|private[_-]?key|api[_-]?key|access[_-]?key|encryption[_-]?key|credential|bearer|authorization|kubeconfig"
    r"|^(auth|cert|crt|ca)$|[_.-](auth|cert|crt|key|ca)([_.-](data|file|pem))?$|certificate(-authority)?-data|client-key"
    r"|caBundle|brokerK8sCA|BROKER_K8S_CA$|datastore-endpoint",
    re.IGNORECASE,
)
# Names that hold those words, and name or describe a secret without being one (api/core/v1, submariner-operator api/v1alpha1).
_HARMLESS_NAME = re.compile(
    r"secretname|secretref|secretnamespace|secretkeyref|keyref|brokerK8sSecret$|ceIPSecPSKSecret$|pullsecrets?$|tokenexpirationseconds"
    r"|BROKER_K8S_SECRET$|CE_IPSEC_PSKSECRET$|automountserviceaccounttoken|serviceaccounttoken$|bootstraptokens?ttl|secrettype"
    r"|certificatemanagement|certdir|[-_]dir$",
    re.IGNORECASE,
)
# Names whose values are secrets beyond doubt; of the others' values only those that look like one are looked for elsewhere.
_SURELY_SECRET = re.compile(r"token|passw|passphrase|psk|private[_-]?key|api[_-]?key|access[_-]?key", re.IGNORECASE)
_LOOKS_SECRET = re.compile(r"(?=.*[A-Z0-9])(?=.*[a-zA-Z])[^\s/]{16,}|.*\n.*", re.DOTALL)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_TEXT = re.compile(
    r"(?P<jwt>eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)"
    r"|(?P<pem>LS0tLS1CRUdJTi[A-Za-z0-9+/=]*)"  # "-----BEGIN " in base64
    r"|(?P<userinfo>(?<=://)[^/@\s\"'\\:]+:[^@\s\"'\\]+(?=@))"
    r"|(?P<bare_token>(?<=://)(?=[^/@\s\"'\\]*\d)[\w.~%+-]{16,}(?=@))"  # a token in the place of the user
    r"|(?P<rancher>\bK10[0-9a-f]{20,}::[\w:.-]+)"
    r"|(?P<openshift>\bsha256~[\w-]{20,})"
    r"|(?P<header>(?i:\b(?:bearer|basic) )[A-Za-z0-9+/=_.~-]{16,})"
)
# In logs, arguments and configuration files alone: an object's own words must stay what the API said.
_ASSIGNED = re.compile(
    r"(?P<name>(?i:[\w.-]*(?:token|passwo?r?d|passphrase|psk|secret[_-]?key|private[_-]?key|api[_-]?key|access[_-]?key|client[_-]?secret"
    r"|certificate-authority-data|client-certificate-data|client-key-data|PreSharedKey|SharedSecret))[\"'\\]*)"
    r"(?P<between>\s*[:=]\s*[\"'\\]*)(?P<value>[^\s\"',;\\}&]{8,})"
)
# "--token VALUE" inside of one string, as in the script of a shell.
_SPELLED = re.compile(r"(?P<option>--[A-Za-z-]*(?:token|secret|passw|passphrase|access-key|api-key|psk)[A-Za-z-]*\s+)(?!-)(?P<value>[^\s\"'\\;&|]{8,})")
_OPTION = re.compile(r"--?[A-Za-z0-9-]*(?:token|secret|passw|passphrase|access-key|api-key|datastore-endpoint|psk)[A-Za-z0-9-]*", re.IGNORECASE)
_ANY_OPTION = re.compile(r"--?[A-Za-z]")
URL_PASSWORD = re.compile(r"(?<=:)(?!//)\S*(?=@)")  # up to the last @: a password may hold @, : and / unescaped
_PROXY = re.compile(r"(?i:https?_proxy)")
_APPLIED = "objectset.rio.cattle.io/applied"  # a whole object, compressed
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_FREE_TEXT = frozenset(("data", "binaryData", "valuesContent", "args", "command"))
_PLAIN_VALUE = re.compile(r"(?i:true|false|yes|no|null|none|[0-9.]{1,5}|/(?:etc|var|usr|opt|run|home|host|node-certs|calico-secrets)/[\w./-]+|\*+|)")
_LONGEST_NUMBER = 5  # digits of a number that is a port, a duration or a size: YAML makes a password of digits a number
SHORTEST = 8  # characters of a value that is looked for elsewhere: shorter ones are words


def redacted_text(text: str, assigned: bool = False) -> str:
    """``text`` without what looks like a credential.

    :param assigned: mask also what follows ``password=`` and the like.
    """
    if "-----BEGIN " in text:
        text = _PEM.sub(MASK, text)
    text = _TEXT.sub(lambda found: f"{found.group()[: found.group().index(' ') + 1]}{MASK}" if found["header"] else MASK, text)
    if not assigned:
        return text
    text = _SPELLED.sub(lambda found: found.group() if _PLAIN_VALUE.fullmatch(found["value"]) else f"{found['option']}{MASK}", text)
    return _ASSIGNED.sub(lambda found: found.group() if _PLAIN_VALUE.fullmatch(found["value"]) else f"{found['name']}{found['between']}{MASK}", text)


@functools.lru_cache(maxsize=1024)
def redacted_message(text: str) -> str:
    """As :func:`redacted_text`, of the messages of conditions, events and statuses, which thousands of objects repeat."""
    return redacted_text(text)


def is_secret_name(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)


class Redactor:
    """Redacts one cluster's objects and logs, and remembers the secrets that it met."""

    def __init__(self, known: t.Iterable[str] = ()) -> None:
        self._values: set[str] = {value for value in known if len(value) >= SHORTEST}

    def learn(self, value: t.Any, name: str = "") -> None:
        """Mask this value wherever it stands, unless it is a word that stands elsewhere with good reason.

        :param name: of the field that holds it.
        """
        if not isinstance(value, str) or len(value) < SHORTEST or _PLAIN_VALUE.fullmatch(value) or value == MASK:
            return
        if not name or _SURELY_SECRET.search(name) or _LOOKS_SECRET.fullmatch(value):
            self._values.add(value)

    def object(self, obj: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """A copy of an object's JSON without its secrets; a Secret keeps nothing but its names."""
        if obj.get("kind") == "Secret":
            return {key: value for key, value in obj.items() if key not in ("data", "stringData")}
        return t.cast("dict[str, t.Any]", self._walk(obj, "", False))

    def arguments(self, arguments: t.Iterable[str]) -> tuple[str, ...]:
        """A command line without the values of options that name a secret."""
        return tuple(self._arguments(list(arguments)))

    def text(self, text: str) -> str:
        """A log, or any other text, without its secrets."""
        return self.known(redacted_text(text, assigned=True))

    def known(self, text: str, escaped: bool = False) -> str:
        """``text`` without the secrets that were met so far.

        :param escaped: ``text`` is JSON, in which line ends and quotes of a secret are escaped.
        """
        for value in sorted(self._values, key=len, reverse=True):
            wanted = json.dumps(value, ensure_ascii=False)[1:-1] if escaped else value
            if wanted in text:
                text = text.replace(wanted, MASK)
        return text

    def _mask(self, value: t.Any, name: str) -> t.Any:
        if isinstance(value, str):
            if not value or _PLAIN_VALUE.fullmatch(value):
                return value
            self.learn(value, name)
            return MASK
        if isinstance(value, list):
            return [self._mask(entry, name) for entry in value]
        return self._walk(value, "", False)

    def _walk(self, node: t.Any, name: str, free: bool) -> t.Any:
        if isinstance(node, dict):
            return self._walk_object(node, free or name in _FREE_TEXT)
        if isinstance(node, list):
            if name in ("args", "command"):
                return self._arguments(node)
            return [self._walk(entry, name, free) for entry in node]
        if isinstance(node, str):
            return self._string(node, free or name in _FREE_TEXT)
        return node

    def _walk_object(self, node: t.Mapping[str, t.Any], free: bool) -> dict[str, t.Any]:
        walked: dict[str, t.Any] = {}
        for key, value in node.items():
            if key == "fieldsV1":
                walked[key] = value  # names of fields, no values
            elif key == "value" and isinstance(value, str) and _PROXY.fullmatch(str(node.get("name"))):
                walked[key] = URL_PASSWORD.sub(MASK, value)
            elif key == "value" and node.get("name") == "CNI_NETWORK_CONFIG":
                walked[key] = self._walk(value, key, True)
            elif key == "terminated":
                walked[key] = self._walk(value, key, True)  # its message may be the end of a log
            elif key == _APPLIED:
                walked[key] = MASK
            elif key == "value" and isinstance(value, str) and is_secret_name(str(node.get("name") or "")):
                walked[key] = self._mask(value, str(node.get("name")))
            elif isinstance(value, str) and is_secret_name(key):
                walked[key] = self._mask(value, key)
            elif isinstance(value, list) and is_secret_name(key) and all(isinstance(entry, str) for entry in value):
                walked[key] = self._mask(value, key)
            elif isinstance(value, (int, float)) and not isinstance(value, bool) and len(str(value)) > _LONGEST_NUMBER and is_secret_name(key):
                walked[key] = self._mask(str(value), key)
            elif isinstance(value, str) and (key == _LAST_APPLIED or key.endswith(("/node-args", "/node-env"))):
                walked[key] = self._embedded(value)
            elif key == "valuesContent" and isinstance(value, str):
                walked[key] = self._values_content(value)
            else:
                walked[key] = self._walk(value, key, free)
        return walked

    def _string(self, text: str, free: bool) -> str:
        return redacted_text(text, assigned=free)

    def _arguments(self, arguments: list[t.Any]) -> list[t.Any]:
        """Options that name a secret, as ``--token=x`` and as ``--token x``."""
        kept: list[t.Any] = []
        for argument in arguments:
            if not isinstance(argument, str):
                kept.append(self._walk(argument, "", True))
                continue
            option, equals, value = argument.partition("=")
            if equals and _OPTION.fullmatch(option):
                kept.append(f"{option}={self._mask(value, option)}")
            elif kept and isinstance(kept[-1], str) and _OPTION.fullmatch(kept[-1]) and not _ANY_OPTION.match(argument):
                kept.append(self._mask(argument, kept[-1]))
            else:
                kept.append(self._string(argument, True))
        return kept

    def _embedded(self, text: str) -> str:
        """JSON inside of a string: an object, or a list of arguments."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return MASK
        if isinstance(found, list):
            return json.dumps(self._arguments(found), separators=(",", ":"))
        return json.dumps(self.object(found) if isinstance(found, dict) else found, separators=(",", ":"))

    def _values_content(self, text: str) -> str:
        """Helm values: YAML, whose structure tells more than its lines do; comments go as well."""
        from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_documents import Malformed
        from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_yaml import parse_yaml

        try:
            found = parse_yaml(text.encode("utf-8", "replace"))
        except Malformed:
            return self._string(text, True)
        if not isinstance(found, (dict, list)):
            return self._string(text, True)
        # JSON is YAML.
        return json.dumps(self._walk(found, "", True), separators=(",", ":"))
