# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How one entry of a journal is undone: decided from the entry and from the object as it is now."""

from __future__ import annotations

import copy
import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import HIDDEN, clean, missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import FIELD_MANAGER
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _history as journal
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._history import Record

# What to do about an entry.
NOTHING, WRITE_PATCH, REMOVE, MAKE, CANNOT, REFUSE = "nothing", "patch", "delete", "create", "cannot", "refuse"


class Undo(t.NamedTuple):
    """
    :param body: the patch of WRITE_PATCH, the object of MAKE.
    :param reason: a sentence about the object: why nothing is to be done, cannot be, or is refused.
    :param lost: fields whose values nobody knows any more, since journals hold no secrets.
    :param mark: whether the entry is settled with this and need not be looked at again.
    """

    action: str
    body: t.Mapping[str, t.Any] | None = None
    reason: str = ""
    lost: tuple[str, ...] = ()
    mark: bool = True


def undo(record: Record, found: t.Mapping[str, t.Any] | None, *, force: bool = False) -> Undo:
    """Decide about one entry, newest first, so that what later entries of the same run did to the object is undone already.

    :param found: the object as it is now, None where there is none.
    :param force: put it back although somebody else has changed it since in the same fields.
    """
    if record.verb == journal.SUBCTL_JOIN and record.state != journal.UNDONE:
        # Also one that failed: nobody knows how far subctl came.
        return Undo(CANNOT, reason=record.irreversible or f"{record.object} was written by subctl join, which nothing here can undo")
    if record.state in (journal.UNDONE, journal.FAILED):
        return Undo(NOTHING, mark=False)
    if record.verb == journal.RESTART and not record.object.startswith("Pod "):
        return Undo(NOTHING)  # it was only made for a while, and has been removed again
    if record.verb == journal.RESTART:
        return Undo(CANNOT, reason=f"{record.object} was restarted; another pod is in its place, and nothing is left of the old one")
    decide = {journal.PATCH: _undo_patch, journal.CREATE: _undo_create, journal.DELETE: _undo_delete}.get(record.verb)
    if decide is None:
        return Undo(CANNOT, reason=f"{record.object} was written by {record.remedy} in a way that cannot be undone here ({record.verb})")
    return decide(record, found, force)


def was_written(record: Record, found: t.Mapping[str, t.Any] | None) -> bool:
    """Of an entry whose end nobody noted: whether the object shows that the write reached the server."""
    metadata = (found or {}).get("metadata") or {}
    if record.verb == journal.PATCH:
        return found is not None and metadata.get("uid") == record.uid and not missing_from(found, known(record.patch)[0])
    if record.verb == journal.CREATE:
        return found is not None and _made_by_us(metadata) and not missing_from(found, known(record.patch)[0])
    if record.verb == journal.SUBCTL_JOIN:
        return found is not None and metadata.get("uid") != record.uid
    return found is None or bool(metadata.get("deletionTimestamp")) or metadata.get("uid") != record.uid


def _made_by_us(metadata: t.Mapping[str, t.Any]) -> bool:
    """Whether this collection may have created an object. It did not exist when the entry was made, or the server would have said so to the dry run.

    Times tell nothing: the entry's is the controller's, the object's the API server's. An aggregated API server may keep no managers at all.
    """
    managers = metadata.get("managedFields") or []
    return not managers or any(each.get("manager") == FIELD_MANAGER for each in managers)


def _undo_patch(record: Record, found: t.Mapping[str, t.Any] | None, force: bool) -> Undo:
    back, lost = known(record.undo)
    sent, dummy = known(record.patch)
    if found is None:
        return Undo(CANNOT, reason=f"{record.object} has been deleted since, so nothing is left to be put back", mark=False)
    back = _sparing(back, record.patch, found)
    if not missing_from(found, back):
        return Undo(NOTHING, reason=f"{record.object} is as it was", lost=lost)
    if found["metadata"].get("uid") != record.uid:
        changed: tuple[str, ...] = ("metadata.uid",)
    else:
        changed = missing_from(found, sent)
    if changed and not force:
        return Undo(REFUSE, reason=_changed(record, changed), mark=False)
    return Undo(WRITE_PATCH, back, lost=lost)


def _sparing(back: t.Any, sent: t.Any, found: t.Any) -> t.Any:
    """A patch that undoes another one, without what it would remove of others': they may have added fields to a mapping that was not there before.

    :param sent: the patch as the journal has it, with marks for secrets: they are its own, too.
    """
    if back is None and isinstance(sent, dict) and isinstance(found, dict) and _has_more(found, sent):
        back = dict.fromkeys(sent)
    if not (isinstance(back, dict) and isinstance(sent, dict)):
        return back
    there = found if isinstance(found, dict) else {}
    return {key: _sparing(value, sent.get(key), there.get(key)) for key, value in back.items()}


def _has_more(found: t.Any, sent: t.Any) -> bool:
    """Whether a mapping has fields that were not sent."""
    if not (isinstance(found, dict) and isinstance(sent, dict)):
        return False
    return any(key not in sent or _has_more(value, sent[key]) for key, value in found.items())


def _undo_create(record: Record, found: t.Mapping[str, t.Any] | None, force: bool) -> Undo:
    if found is None:
        return Undo(NOTHING, reason=f"{record.object} is gone already")
    if found["metadata"].get("deletionTimestamp"):
        return Undo(NOTHING, reason=f"{record.object} is being deleted")
    if record.state == journal.INTENDED and not was_written(record, found):
        return Undo(NOTHING, reason=f"{record.object} was not written before the run ended; the one that is there is somebody else's")
    if record.new_uid and found["metadata"].get("uid") != record.new_uid:
        changed: tuple[str, ...] = ("metadata.uid",)
    else:
        changed = missing_from(found, known(record.patch)[0])
    if changed and not force:
        return Undo(REFUSE, reason=_changed(record, changed), mark=False)
    return Undo(REMOVE)


def _undo_delete(record: Record, found: t.Mapping[str, t.Any] | None, force: bool) -> Undo:
    if record.before is None:
        return Undo(CANNOT, reason=f"{record.object} was deleted, and what it was is not in the journal", mark=False)
    body = _decided(record.before)
    kept, lost = known(body)
    if found is not None and found["metadata"].get("deletionTimestamp"):
        return Undo(REFUSE, reason=f"{record.object} is still being deleted; try again when it is gone", mark=False)
    if found is not None and found["metadata"].get("uid") == record.uid:
        return Undo(NOTHING, reason=f"{record.object} was not deleted before the run ended")
    if lost:
        return Undo(CANNOT, reason=f"{record.object} holds secrets, which no journal keeps: {', '.join(lost[:5])}", lost=lost, mark=False)
    if found is None:
        return Undo(MAKE, kept)
    changed = missing_from(found, {key: value for key, value in kept.items() if key != "metadata"})
    if changed:
        return Undo(REFUSE, reason=f"another {record.object} is there meanwhile, which differs in {', '.join(changed[:8])}", mark=False)
    return Undo(NOTHING, reason=f"{record.object} is there again")


def _changed(record: Record, fields: t.Sequence[str]) -> str:
    return f"{record.object} has been changed since by somebody else, in {', '.join(fields[:8])}"


def _decided(obj: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What of an object somebody decided: no status, no book-keeping."""
    body = {key: value for key, value in clean(obj).items() if key != "status"}
    metadata = {key: value for key, value in dict(body.get("metadata") or {}).items() if key not in ("deletionTimestamp", "ownerReferences")}
    return {**body, "metadata": metadata} if "metadata" in body else body


def known(tree: t.Any, path: str = "") -> tuple[t.Any, tuple[str, ...]]:
    """A copy without the values that a journal does not keep, and the paths of those.

    A list that holds one is left out as a whole: in a merge patch a list replaces a list, and a mark must never be written as a value.
    """
    if isinstance(tree, dict):
        result, lost = {}, ()
        for key, value in tree.items():
            where = f"{path}.{key}" if path else str(key)
            if value == HIDDEN:
                lost = (*lost, where)
                continue
            kept, gone = known(value, where)
            lost = (*lost, *gone)
            if not (gone and isinstance(value, list)):
                result[key] = kept
        return result, lost
    if isinstance(tree, list):
        parts = [known(entry, f"{path}[{index}]") for index, entry in enumerate(tree)]
        return [kept for kept, dummy in parts], tuple(
            name for index, (dummy, gone) in enumerate(parts) for name in (gone or ((f"{path}[{index}]",) if tree[index] == HIDDEN else ()))
        )
    return copy.deepcopy(tree), ()


def overlapped(record: Record, pools: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Why a deleted IPPool cannot come back, "" where it can.

    Calico takes no pool that overlaps another (projectcalico/calico libcalico-go/lib/clientv3/ippool.go), which no dry run tells; and Submariner's route agent,
    which makes the pools of what remote clusters announce, never removes one.

    :param pools: those that are there.
    """
    was = _network(record.before)
    if record.verb != journal.DELETE or "/ippools/" not in record.path or was is None:
        return ""
    for pool in pools:
        other, name = _network(pool), pool["metadata"]["name"]
        if other is not None and name != record.path.rpartition("/")[2] and other.version == was.version and other.overlaps(was):
            return f"{record.object} cannot be put back: IPPool {name}, which has been made since, overlaps it, and Calico refuses overlapping pools"
    return ""


def _network(pool: t.Mapping[str, t.Any] | None) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(str(((pool or {}).get("spec") or {}).get("cidr") or ""), strict=False)
    except ValueError:
        return None


def owners(record: Record) -> list[t.Mapping[str, t.Any]]:
    """Owner references of a deleted object, to be kept only where the owner is still the same."""
    return list(((record.before or {}).get("metadata") or {}).get("ownerReferences") or [])
