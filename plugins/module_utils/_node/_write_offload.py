# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Switches offload features of links off, now and whenever the device appears."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_offload as settings
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import FOLDERS, Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_offload import FILE, Feature
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import ours, replace
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome


def apply_offload(host: Host, entries: t.Sequence[t.Mapping[str, t.Any]], outcome: Outcome, *, exclusive: bool = False) -> None:
    """Have features off on some devices.

    :param exclusive: switch on again what an earlier run switched off and this one does not name; else that stays off.
    :raises SubmarinerError: a feature cannot be switched off, or nothing here would do it after a boot; nothing was changed then.
    """
    wished = settings.wishes(entries)
    before = ours(host, FILE)
    listed = settings.merged(wished if exclusive else [*settings.written(before), *wished])
    ethtool = find_program("ethtool")
    if not find_program("udevadm"):
        raise SubmarinerError("udev is not installed here, so nothing would switch the features off after a boot. Nothing was changed.")
    there = _devices(host)
    held: dict[str, dict[str, Feature]] = {}
    asked: dict[str, list[str]] = {}
    for wish in wished:
        devices = settings.matching(wish, there)
        if not devices:
            outcome.lines.append(f"{wish.device} is not there yet: {' '.join(wish.features)} will be off from its first moment on")
        for device in devices:
            held[device] = held.get(device) or _features(host, device)
            _require_possible(device, wish, held[device])
            asked.setdefault(device, []).extend(name for name in wish.features if name not in asked[device])
    off = {device: [name for name in names if held[device][name].on] for device, names in asked.items()}
    off = {device: names for device, names in off.items() if names}
    was = settings.remembered(before)
    dropped = {device: [name for name in on if not settings.covered(name, asked.get(device, ()))] for device, on in was.items() if device in there}
    back = {device: names for device, names in dropped.items() if names and exclusive}
    kept = {device: [name for name in was.get(device, ()) if name not in back.get(device, ())] for device in {**was, **off}}
    for device, names in off.items():
        kept[device] = list(dict.fromkeys([*kept[device], *settings.members(held[device], names)]))
    _tell(off, back, outcome)
    outcome.require_consent([f"switch {' '.join(names)} off on {device}" for device, names in off.items()] + _words_back(back))
    if not outcome.check_mode:
        _switch_off(host, off, held, outcome)
        _switch_back(host, back, outcome)
    _write(host, before, settings.render(listed, ethtool, kept), outcome)


def remove_offload(host: Host, outcome: Outcome) -> None:
    """Remove our rule, and switch on again what we switched off. Devices that were made later keep their features off until they are made anew."""
    before = ours(host, FILE)
    there = _devices(host)
    back = {device: on for device, on in settings.remembered(before).items() if device in there}
    _tell({}, back, outcome)
    outcome.require_consent(_words_back(back))
    if not outcome.check_mode:
        _switch_back(host, back, outcome)
    _write(host, before, "", outcome)


def find_program(name: str) -> str:
    """Where a program is, as a rule of udev must name it.

    :raises SubmarinerError: ethtool is not installed.
    """
    path = os.pathsep.join(dict.fromkeys([*FOLDERS, *filter(None, os.environ.get("PATH", "").split(os.pathsep))]))
    found = shutil.which(name, path=path) or ""
    if not found and name == "ethtool":
        raise SubmarinerError("ethtool is not installed here, and the rule that switches features off after a boot runs it. Install package ethtool.")
    return found


def _devices(host: Host) -> tuple[str, ...]:
    try:
        return tuple(name for name in host.names("/sys/class/net") if host.exists(f"/sys/class/net/{name}/mtu"))  # bonding_masters is a file
    except Unreadable as error:
        raise SubmarinerError(error.why) from error


def _features(host: Host, device: str) -> dict[str, Feature]:
    try:
        return settings.features(host.output(["ethtool", "-k", device]))
    except Unreadable as error:
        raise SubmarinerError(f"The features of {device} cannot be read: {error.why}. Nothing was changed.") from error


def _require_possible(device: str, wish: settings.Wish, held: t.Mapping[str, Feature]) -> None:
    unknown = [name for name in wish.features if name not in held]
    if unknown:
        raise RefusedError(f"{device} has no feature {', '.join(unknown)}; `ethtool -k {device}` lists what it has. Nothing was changed.")
    fixed = [name for name in wish.features if held[name].on and held[name].fixed]
    if fixed:
        raise RefusedError(f"The driver of {device} does not let {', '.join(fixed)} be switched off (ethtool says fixed). Nothing was changed.")


def _switch_off(host: Host, off: t.Mapping[str, t.Sequence[str]], held: t.Mapping[str, t.Mapping[str, Feature]], outcome: Outcome) -> None:
    """All of them, or none: what was switched off before one that fails is switched on again."""
    touched: dict[str, t.Sequence[str]] = {}
    try:
        for device, names in off.items():
            touched[device] = settings.members(held[device], names)
            _switch(host, device, names, "off")
    except SubmarinerError as error:
        left = []
        for device, names in touched.items():
            try:
                _switch(host, device, names, "on")
            except SubmarinerError:
                left.append(device)
                outcome.wrote(_what(device))
        if left:
            raise SubmarinerError(f"{error.message} On {', '.join(left)} not all could be switched on again: see `ethtool -k`.") from error
        raise
    for device in off:
        outcome.wrote(_what(device))


def _switch(host: Host, device: str, names: t.Sequence[str], value: str) -> None:
    try:
        done = host.run(["ethtool", "-K", device, *(word for name in names for word in (name, value))])
    except Unreadable as error:
        raise SubmarinerError(f"{device}: {error.why}. {FILE} is as it was.") from error
    if done.code:
        raise SubmarinerError(f"{device}: ethtool -K {' '.join(names)} {value} ended with {done.code}: {' '.join(done.err.split())}. {FILE} is as it was.")
    now = _features(host, device)
    wrong = [name for name in names if name in now and now[name].on != (value == "on")]
    if wrong:
        raise SubmarinerError(f"ethtool was told to switch {', '.join(wrong)} {value} on {device}, and they are not. {FILE} is as it was.")


def _switch_back(host: Host, back: t.Mapping[str, t.Sequence[str]], outcome: Outcome) -> None:
    for device, names in back.items():
        _switch(host, device, names, "on")
        outcome.wrote(_what(device))


def _what(device: str) -> str:
    return f"features of {device}"


def _words_back(back: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    return [f"switch {' '.join(names)} on again on {device}" for device, names in back.items()]


def _tell(off: t.Mapping[str, t.Sequence[str]], back: t.Mapping[str, t.Sequence[str]], outcome: Outcome) -> None:
    for device, names in off.items():
        outcome.differs(_what(device), "".join(f"{name}: on\n" for name in names), "".join(f"{name}: off\n" for name in names))
        outcome.lines.append(f"switch {' '.join(names)} off on {device}")
    for device, names in back.items():
        outcome.differs(_what(device), "".join(f"{name}: off\n" for name in names), "".join(f"{name}: on\n" for name in names))
    outcome.lines += _words_back(back)


def _write(host: Host, before: str, after: str, outcome: Outcome) -> None:
    outcome.differs(FILE, before, after)
    if before == after:
        return
    outcome.lines.append(f"write {FILE}" if after else f"remove {FILE}")
    if outcome.check_mode:
        return
    replace(host, FILE, after)
    try:
        told = host.run(["udevadm", "control", "--reload"])
        why = f"udevadm control --reload ended with {told.code}: {' '.join(told.err.split())}" if told.code else ""
    except Unreadable as error:
        why = error.why
    if why:
        outcome.warnings.append(f"udev was not told of {FILE}: {why}. It reads it at the next boot at the latest.")
