# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The ``mtu`` of a CNI configuration, in the text that calico-node's init container installs."""

from __future__ import annotations

import json
import re
import typing as t

# install-cni puts values for these (projectcalico/calico cni-plugin/pkg/install); in the place of a number they stand without quotation marks.
_PLACEHOLDER = re.compile(r'(?<=[:\[,\s])(__[A-Z][A-Z0-9_]*__)(?=[\s,}\]])')
_HELD = re.compile(r'"@@(__[A-Z][A-Z0-9_]*__)@@"')
CNI_MTU = "__CNI_MTU__"


def read_conflist(text: str) -> dict[str, t.Any] | None:
    """Return the configuration, None where the text is none. A placeholder without quotation marks becomes ``@@__NAME__@@``."""
    try:
        parsed = json.loads(_PLACEHOLDER.sub(r'"@@\1@@"', text))
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None


def mtu_of(text: str) -> int | str | None:
    """Return what the configuration says: a number (0 where it says none), CNI_MTU where install-cni fills it in, None where it cannot be told."""
    plugin = _calico(read_conflist(text))
    if plugin is None:
        return None
    found = plugin.get("mtu", 0)
    if found == f"@@{CNI_MTU}@@":
        return CNI_MTU
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def with_mtu(text: str, mtu: int) -> str | None:
    """Return the text with another MTU of Calico's plugin, without any for 0; all else says what it said. None where that cannot be done."""
    parsed = read_conflist(text)
    plugin = _calico(parsed)
    if plugin is None:
        return None
    if mtu:
        plugin["mtu"] = mtu
    else:
        plugin.pop("mtu", None)
    return _HELD.sub(r"\1", json.dumps(parsed, indent=2 if "\n" in text else None))


def _calico(parsed: dict[str, t.Any] | None) -> dict[str, t.Any] | None:
    if parsed is None:
        return None
    plugins = parsed.get("plugins", [parsed])  # a .conf file is one plugin
    found = [entry for entry in plugins if isinstance(entry, dict) and entry.get("type") == "calico"] if isinstance(plugins, list) else []
    return found[0] if len(found) == 1 else None
