# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as Kubernetes reads it: a time is a text, written with quotes or without."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

from tests.lab.client import Object

TIMESTAMP = "tag:yaml.org,2002:timestamp"


# libyaml's where PyYAML was built with it: ten times as quick, and a layout has two thousand lines.
_BASE: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):
    """PyYAML's without times."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP] for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read(path: Path) -> t.Any:
    """The one document of a file. Raises YAMLError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader


def parse(text: str) -> list[Object]:
    """The documents of a text, empty ones left out. Raises YAMLError."""
    return [each for each in yaml.load_all(text, Loader=_Loader) if each]  # noqa: S506 - a SafeLoader
