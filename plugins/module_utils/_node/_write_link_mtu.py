# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A link's MTU, now and at boot: judged, tried with a way back, and written down once the host has shown that it still answers."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_link_setting as setting
from ansible_collections.fathom.submariner.plugins.module_utils._node import _write_reversal as reversal
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._link_fit import outgrown, require_fit, require_name
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_link_manager import Manager, configured_mtu, find_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import set_kernel
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome


def apply_link_mtu(host: Host, device: str, mtu: int, seconds: int, outcome: Outcome) -> None:
    """Have a link's MTU be this, now and at boot. A change of the running link waits to be confirmed.

    :param seconds: until an unconfirmed change is taken back.
    :raises SubmarinerError: it cannot be, or must not without consent; nothing was changed then.
    """
    require_fit(host, device, mtu, reversal.mtus(host))
    earlier = reversal.require_free(host, device, outcome.check_mode)
    now = reversal.mtus(host)[device]
    manager = find_manager(host, device)
    configured = configured_mtu(host, manager)
    _facts(outcome, device, manager, now, mtu)
    if earlier:
        outcome.warnings.append(f"{device}: {earlier}.")
    outcome.differs(_what(device), f"{now}\n", f"{mtu}\n")
    if configured != mtu:
        what, before, after = setting.describe(host, manager, mtu)
        outcome.differs(what, before, after)
    _go(host, device, manager, "present", (now, mtu), seconds, outcome, configured != mtu)


def remove_link_mtu(host: Host, device: str, seconds: int, outcome: Outcome) -> None:
    """Put back what an earlier run has changed: what was written, and the MTU that the link had before."""
    record = setting.read_record(host, device)
    if record is None:
        outcome.facts.update(device=device, manager="", pending={})
        return
    require_fit(host, device, record.mtu, reversal.mtus(host))
    reversal.require_free(host, device, outcome.check_mode)
    now = reversal.mtus(host)[device]
    manager = find_manager(host, device)
    if (manager.kind, manager.where) != (record.manager, record.where):
        raise RefusedError(
            f"{device} is set up by {manager.kind} ({manager.where}) now; what we wrote lies with {record.manager} ({record.where}). "
            f"Take it out there by hand, and remove {setting.FOLDER}/{device}.json. Nothing was changed."
        )
    _facts(outcome, device, manager, now, record.mtu)
    outcome.differs(_what(device), f"{now}\n", f"{record.mtu}\n")
    what, before, after = setting.describe(host, manager, None, record)
    outcome.differs(what, before, after)
    outcome.changed = True  # the record goes, if nothing else
    _go(host, device, manager, "absent", (now, record.mtu), seconds, outcome, True)


def confirm_link_mtu(host: Host, device: str, token: str, outcome: Outcome) -> None:
    """Keep a change that was tried: write it down, or take out what was written."""
    require_name(device)
    if outcome.check_mode:
        raise InputError("state=confirmed has nothing to do in check mode, since nothing was tried.")
    try:
        manager = find_manager(host, device)  # before the reversal is ended: what cannot be kept shall go back
    except SubmarinerError as error:
        why = error.message.replace(" Nothing was changed.", "")
        raise SubmarinerError(f"{why} The change of {device} was not confirmed: the link gets its former MTU back by itself.") from error
    pending = reversal.confirm(host, device, token)
    now = reversal.mtus(host).get(device)
    _facts(outcome, device, manager, pending.was, pending.mtu)
    if now != pending.mtu:
        raise SubmarinerError(f"{device} has an MTU of {now} by now, not {pending.mtu}: somebody else changed it. Nothing was written.")
    outcome.wrote(_what(device))
    try:
        _keep(host, device, manager, pending.action, (pending.was, pending.mtu), outcome)
    except SubmarinerError as error:
        raise SubmarinerError(f"{error.message} The link keeps its MTU of {pending.mtu} until the next boot, and no longer.") from error
    outcome.changed = True
    outcome.lines.append(f"the MTU of {device} is {pending.mtu}, and will be after a boot ({manager.where})")


def _go(host: Host, device: str, manager: Manager, action: str, change: tuple[int, int], seconds: int, outcome: Outcome, write: bool) -> None:
    now, mtu = change
    if now != mtu:
        outcome.warnings += outgrown(host, device, mtu)
        text = f"change the MTU of {device} from {now} to {mtu}"
        outcome.lines.append(f"{text}, and back after {seconds} seconds unless the host is reached anew and the change confirmed")
        outcome.require_consent([text])
    if write:
        verb = "keep it in" if action == "present" else "take it out of"
        outcome.lines.append(f"{verb} {manager.where} ({manager.kind}){', once confirmed' if now != mtu else ''}")
    if outcome.check_mode:
        return
    if now != mtu:
        outcome.facts["pending"] = reversal.attempt(host, device, action, mtu, seconds)._asdict()
    elif write:
        _keep(host, device, manager, action, change, outcome)


def _keep(host: Host, device: str, manager: Manager, action: str, change: tuple[int, int], outcome: Outcome) -> None:
    was, mtu = change
    if action == "present":
        setting.persist(host, device, manager, mtu, was)
    else:
        setting.undo(host, device, manager)
    outcome.wrote(setting.name_of(manager))
    if reversal.mtus(host).get(device) != mtu:  # what applies the setting may have its own idea of it
        set_kernel(host, f"/sys/class/net/{device}/mtu", str(mtu))


def _what(device: str) -> str:
    return f"MTU of {device}"


def _facts(outcome: Outcome, device: str, manager: Manager, before: int, mtu: int) -> None:
    outcome.facts.update(device=device, manager=manager.kind, where=manager.where, before=before, mtu=mtu, pending={})
