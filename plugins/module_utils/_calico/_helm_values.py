# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Values of a Helm chart as text (``spec.valuesContent`` of a HelmChartConfig): what they are with a fragment merged in, and whether they have it.

A fragment is a mapping whose leaves must stand in the values; None stands for absence, as in a merge patch (RFC 7386). ``replace`` names dotted paths whose
whole value is the fragment's, so that nothing of the old one is left beside it.
"""

from __future__ import annotations

import copy
import types
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError, edited, load_documents, same

Values = t.Dict[str, t.Any]


class Merged(t.NamedTuple):
    """:param text: the values with the fragment; the same text where they have it already.
    :param changed: whether the two mean different things.
    """

    text: str
    changed: bool


def parse_values(text: str, yaml: types.ModuleType) -> Values:
    """Return what a chart's values mean; ``{}`` for an empty text.

    :raises EditError: they are no YAML, several documents, or no mapping.
    """
    documents = load_documents(text, yaml) or [None]
    if len(documents) > 1:
        raise EditError("it holds several YAML documents")
    found = {} if documents[0] is None else documents[0]
    if not isinstance(found, dict):
        raise EditError("it is YAML, and no mapping")
    return found


def merge_values(text: str, fragment: t.Mapping[str, t.Any], replace: t.Iterable[str], yaml: types.ModuleType) -> Merged:
    """Merge a fragment into a text of values; comments, order and all other values stay as they are.

    :raises EditError: the text is no mapping in YAML, or cannot be changed without touching something else.
    """
    found = parse_values(text, yaml)
    wanted = with_fragment(found, fragment, tuple(replace))
    if same(found, wanted):
        return Merged(text, False)
    return Merged(edited(text, wanted, yaml), True)


def with_fragment(found: t.Any, fragment: t.Mapping[str, t.Any], replace: t.Collection[str], path: str = "") -> Values:
    """Return ``found`` with a fragment merged in; neither is changed."""
    result: Values = dict(found) if isinstance(found, dict) and path not in replace else {}
    for key, value in fragment.items():
        own = f"{path}.{key}" if path else str(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, t.Mapping):
            result[key] = with_fragment(result.get(key), value, replace, own)
        else:
            result[key] = copy.deepcopy(value)
    return result


def patch_for(found: t.Any, fragment: t.Mapping[str, t.Any], replace: t.Collection[str], path: str = "") -> Values:
    """Return the merge patch that brings a fragment into an object; unlike the fragment it removes by name what stands in a replaced value beside it."""
    known = found if isinstance(found, dict) else {}
    inside = any(path == each or path.startswith(each + ".") for each in replace)
    patch: Values = {key: None for key in known if key not in fragment} if inside else {}
    for key, value in fragment.items():
        own = f"{path}.{key}" if path else str(key)
        patch[key] = patch_for(known.get(key), value, replace, own) if isinstance(value, t.Mapping) else copy.deepcopy(value)
    return patch


def leaves(fragment: t.Mapping[str, t.Any], path: str = "") -> t.Iterator[str]:
    """The dotted path of each leaf of a fragment; an empty mapping is one."""
    for key, value in fragment.items():
        own = f"{path}.{key}" if path else str(key)
        if isinstance(value, t.Mapping) and value:
            yield from leaves(value, own)
        else:
            yield own


def outranked_by(options: t.Iterable[str], fragment: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The keys of ``HelmChart.spec.set`` (``helm --set``) that decide about the same values as a fragment: they outrank every file of values."""
    paths = tuple(leaves(fragment))
    return tuple(sorted(key for key in options if any(f"{path}.".startswith(f"{key}.") or f"{key}.".startswith(f"{path}.") for path in paths)))
