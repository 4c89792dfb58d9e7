# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own CustomResourceDefinitions: hand-written, structural, with the fields that matter here."""

from __future__ import annotations

import typing as t
from pathlib import Path

from tests.lab import documents
from tests.lab.client import Object
from tests.lab.info import LabError

CRDS = Path(__file__).parent / "crds"
CRD_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def load(names: t.Iterable[str], wanted_by: str) -> list[Object]:
    """The definitions of ``crds/NAME.yaml``. Raises LabError for a file that is not there.

    :param wanted_by: for that error.
    """
    found: list[Object] = []
    for name in names:
        path = CRDS / f"{name}.yaml"
        if not path.exists():
            raise LabError(f"{wanted_by} wants the CRDs {name!r}, but there is no {path}")
        found += documents.parse(path.read_text(encoding="utf-8"))
    return found


def is_established(definition: Object) -> bool:
    """Whether the API server serves what a definition defines."""
    conditions = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
