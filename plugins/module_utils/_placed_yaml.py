# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""YAML that remembers on which line everything stands."""

from __future__ import annotations

import types
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError

DEEPEST = 20  # levels of mappings and lists


class Placed(t.NamedTuple):
    """A value and its line, counted from 1. Mappings and sequences hold Placed values, scalars what YAML makes of them."""

    value: t.Any
    line: int


def load_placed(text: str, file: str, yaml: types.ModuleType) -> Placed:
    """The single document of ``text``.

    :param file: its name, for messages. :param yaml: PyYAML.
    :raises InputError: it is no YAML, holds several documents, or a mapping names a key twice or one that is no text.
    """
    loader = None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return Placed(None, 1) if node is None else _placed(node, file, yaml, loader, depth=0)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{file}, line {mark.line + 1 if mark is not None else 1}: this is no YAML: {problem}.") from error
    except RecursionError as error:
        raise InputError(f"{file}: its YAML is nested too deeply.") from error
    finally:
        if loader is not None:
            loader.dispose()


def _placed(node: t.Any, file: str, yaml: types.ModuleType, loader: t.Any, depth: int) -> Placed:
    line = node.start_mark.line + 1
    if depth > DEEPEST:
        raise InputError(f"{file}, line {line}: nested more than {DEEPEST} levels deep, or inside itself.")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Placed] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str) or key in found:
                reason = f"key {key} stands here twice" if isinstance(key, str) else "a key must be a text"
                raise InputError(f"{file}, line {key_node.start_mark.line + 1}: {reason}.")
            found[key] = _placed(value_node, file, yaml, loader, depth + 1)
        return Placed(found, line)
    if isinstance(node, yaml.SequenceNode):
        return Placed([_placed(entry, file, yaml, loader, depth + 1) for entry in node.value], line)
    return Placed(loader.construct_object(node), line)
