# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What remedies have written, from the journals of runs."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from tests.lab.client import Object

HIDDEN = re.compile(r"\(hidden, (will change|changed)\)")


class Written(t.NamedTuple):
    """One write of a run.

    :param path: of the object.
    :param sent: the object or the merge patch, None for a deletion.
    :param before: the object as it was, {} where there was none.
    :param stored: the object as the API server keeps it since; {} where it keeps none.
    """

    verb: str
    path: str
    object: str
    sent: Object | None
    before: Object
    stored: Object


def of_journal(file: Path) -> list[Written]:
    """The writes in a controller's copy of a journal, in their order, without those that failed; none where there is no file."""
    if not file.exists():
        return []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    done = {each["n"]: each["after"] or {} for each in lines if each["state"] == "done"}
    intended = [each for each in lines if each["state"] == "intended" and each["n"] in done]
    return [Written(each["verb"], each["path"], each["object"], each["patch"], each["before"] or {}, done[each["n"]]) for each in intended]


def stored(written: t.Iterable[Written]) -> list[Object]:
    """What the API server kept, to be compared with what was shown of it."""
    return sorted((_comparable(each.stored) for each in written), key=_key)


def shown(diff: t.Iterable[Object]) -> list[Object]:
    """What a diff says of it."""
    return sorted((_comparable(each["after"]) for each in diff), key=_key)


def _comparable(obj: Object) -> Object:
    """Without status, and without what is not shown: secrets, certificates of which each dry run makes another, and addresses of Services."""
    plain = json.loads(HIDDEN.sub("(hidden)", json.dumps({key: value for key, value in obj.items() if key != "status"})))
    if plain.get("kind") == "APIService":
        plain["spec"].pop("caBundle", None)
    if plain.get("kind") == "Service":
        plain["spec"] = {key: value for key, value in plain["spec"].items() if key not in ("clusterIP", "clusterIPs")}
    return plain


def _key(obj: Object) -> str:
    return json.dumps(obj, sort_keys=True)
