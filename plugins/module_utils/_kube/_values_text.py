# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Values of a Helm chart, as YAML in a string or as an object, without their secrets: a diff still shows everything else."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._deps import MissingLibraryError, load_yaml

_SECRET_KEY = re.compile(
    r"token|psk|pass(word|wd|phrase)|pwd$|secret|credential|dockerconfig"
    r"|(private|api|access|encryption|signing)_?key|(^|[^a-z])(key|auth|pem|p12|pfx|jks)$",
    re.IGNORECASE,
)
_HINT = re.compile(r"token|psk|pass|pwd|secret|credential|key|auth|dockerconfig|pem|p12|pfx|jks|://", re.IGNORECASE)  # without one of these, nothing matches
_SECRET_VALUE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@|://(?=[^/\s@]*\d)[\w.~%+-]{16,}@")
_COMMENT = re.compile(r"(?m)(^|[ \t])(#[^\n]*?(?:token|psk|pass|pwd|secret|credential|key|auth)[^\n:=]*[:=])[^\n]*", re.IGNORECASE)


def hide_secrets(text: str, mark: str) -> str:
    """Return a text of YAML with ``mark`` in place of every value under a key that names a secret, in comments too.

    The whole of it is replaced where it cannot be told what is one.
    """
    if not _HINT.search(text):
        return text
    try:
        yaml = load_yaml()
        spans = sorted({span for node in yaml.compose_all(text, Loader=yaml.SafeLoader) for span in _spans(node, yaml)}, reverse=True)
    except MissingLibraryError:
        return mark
    except Exception:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # PyYAML raises much more than YAMLError on odd texts
        return mark
    for start, end in spans:
        tail = "\n" if text[start:end].endswith("\n") else ""  # of a block scalar
        text = text[:start] + mark + tail + text[end:]
    return _COMMENT.sub(lambda found: f"{found.group(1)}{found.group(2)} {mark}", text)


def hide_secret_values(node: t.Any, mark: str, *, dotted: bool = False, secret: bool = False) -> t.Any:
    """Return a copy of values that are an object with ``mark`` in place of what :func:`hide_secrets` would hide in their text.

    :param dotted: the keys are paths, as of ``helm --set``: ``registry.auth.user``, ``env[0].value``.
    :param secret: all of it stands below a key that names a secret.
    """
    if isinstance(node, dict):
        return {key: hide_secret_values(value, mark, dotted=dotted, secret=secret or _names_secret(node, str(key), dotted)) for key, value in node.items()}
    if isinstance(node, list):
        return [hide_secret_values(entry, mark, dotted=dotted, secret=secret) for entry in node]
    if isinstance(node, bool) or node is None or node == "":
        return node
    return mark if secret or _SECRET_VALUE.search(str(node)) else node


def _names_secret(node: t.Mapping[t.Any, t.Any], key: str, dotted: bool) -> bool:
    parts = [key, *re.split(r"[.\[\]]+", key)] if dotted else [key]
    if any(map(_SECRET_KEY.search, parts)):
        return True
    named = node.get(f"{key[:-len('value')]}name") if key == "value" or (dotted and key.endswith(".value")) else None
    return isinstance(named, str) and bool(_SECRET_KEY.search(named))


def _spans(root: t.Any, yaml: t.Any) -> t.Iterator[tuple[int, int]]:
    pending, seen = [(root, False)], set()
    while pending:
        node, secret = pending.pop()
        if (id(node), secret) in seen:
            continue
        seen.add((id(node), secret))
        if isinstance(node, yaml.MappingNode):
            named = next((value.value for key, value in node.value if key.value == "name" and isinstance(value, yaml.ScalarNode)), "")
            for key, value in node.value:
                own = isinstance(key.value, str) and bool(_SECRET_KEY.search(key.value)) or (key.value == "value" and bool(_SECRET_KEY.search(named)))
                pending.append((value, secret or own))
        elif isinstance(node, yaml.SequenceNode):
            pending.extend((entry, secret) for entry in node.value)
        elif node is not None and node.start_mark.index < node.end_mark.index and (_SECRET_VALUE.search(node.value) or (secret and _hides(node))):
            yield node.start_mark.index, node.end_mark.index


def _hides(node: t.Any) -> bool:
    """Switches and absences are no secrets."""
    return bool(node.value) and node.tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:null")
