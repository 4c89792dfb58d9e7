# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Keeps NetworkManager off the devices of Calico and Submariner, by a file of ours and a reload; on request switches nm-cloud-setup off."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node import _settings_network_manager as settings
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_network_manager import FILE
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_file import any_text, drop, ours, replace
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome

UNITS = ("nm-cloud-setup.timer", "nm-cloud-setup.service")
_TIMEOUT = 30.0  # seconds for one program
_SETTLE = 20  # times half a second for NetworkManager to let go of devices after a reload


def apply_network_manager(host: Host, names: t.Sequence[str], disable_cloud_setup: bool, outcome: Outcome, *, exclusive: bool = False) -> None:
    """Have NetworkManager leave devices alone.

    Where other files list exceptions alone, everything else is left alone already, and an entry of ours would turn that into a list of our devices alone.

    :param exclusive: take out of our file what is not among ``names``, and switch nm-cloud-setup on again unless it is to be off; else both stay as they are.
    :raises SubmarinerError: it is not possible, or NetworkManager does not let go of a device.
    """
    specs = settings.device_specs(names)
    if not specs and not disable_cloud_setup:
        raise InputError("unmanaged_devices is empty and disable_cloud_setup is off: nothing to do. state=absent removes what an earlier run has set up.")
    before = ours(host, FILE)
    installed = host.exists("/etc/NetworkManager") or host.exists("/usr/sbin/NetworkManager")
    outcome.facts["installed"] = installed
    if not installed:
        outcome.lines.append("NetworkManager is not installed here: nothing to do")
        return
    was = settings.remembered(before)
    units = _switched_on(host) if disable_cloud_setup else {}
    back = was if exclusive and not disable_cloud_setup else {}
    remembered = {unit: state for unit, state in {**units, **was}.items() if unit not in back}
    mine, others = settings.acting([(FILE, before)]).act, settings.acting(_files(host, "")).act
    all_but = settings.only_exceptions(others) and not mine
    listed = [] if all_but else specs if exclusive else list(dict.fromkeys([*mine, *specs]))
    after = settings.render(listed, remembered) if listed or remembered else ""
    found = _devices(host)
    held = [each.name for each in found or () if each.managed and settings.covers(specs, each.name)]
    _require_not_its_own(found or (), specs)
    outcome.differs(FILE, before, after)
    _tell_devices(held, outcome)
    if all_but:
        outcome.lines.append(f"other files list exceptions alone ({', '.join(others)}): NetworkManager leaves everything else alone already")
    if before != after:
        outcome.lines.append(f"write {FILE}" if after else f"remove {FILE}")
    _tell_units(units, back, outcome)
    outcome.require_consent(_handed_back([each for each in mine if each not in listed], settings.acting(_files(host, after)).act, back))
    if not outcome.check_mode:
        if before != after:
            replace(host, FILE, after)
            outcome.wrote(FILE)
        for unit in units:
            _systemctl(host, ["disable", "--now", unit])
            outcome.wrote(unit)
        _put_back(host, back, outcome)
        if found is not None and (before != after or held):
            _reload(host)
            _await_released(host, held)
    if found is not None and (before != after or held):
        outcome.lines.append("reload NetworkManager's configuration; it is not restarted, no connection is touched")
    _warn(host, after, specs, outcome)
    if settings.only_exceptions(others) and listed:
        outcome.warnings.append(
            f"Other files list exceptions alone ({', '.join(others)}), by which NetworkManager would leave all other devices alone. The entries of {FILE} end "
            "that. state=absent restores it."
        )


def remove_network_manager(host: Host, outcome: Outcome) -> None:
    """Remove our file and reload; switch on again what we switched off."""
    before = ours(host, FILE)
    outcome.facts["installed"] = host.exists("/etc/NetworkManager")
    outcome.differs(FILE, before, "")
    if not before:
        return
    back = settings.remembered(before)
    outcome.lines.append(f"remove {FILE}, and reload NetworkManager's configuration where it runs")
    _tell_units({}, back, outcome)
    outcome.require_consent(_handed_back(settings.acting([(FILE, before)]).act, settings.acting(_files(host, "")).act, back))
    if not outcome.check_mode:
        drop(host, FILE)
        outcome.wrote(FILE)
        _put_back(host, back, outcome)
        if _devices(host) is not None:
            _reload(host)


def _handed_back(dropped: t.Sequence[str], act: t.Sequence[str], units: t.Mapping[str, str]) -> list[str]:
    """What interrupts: NetworkManager takes addresses and routes off devices that it manages again, and nm-cloud-setup makes routing rules of its own.

    :param dropped: what our file no longer names. :param act: what acts without it. :param units: those that are switched on again.
    """
    told = []
    if dropped and settings.only_exceptions(act):
        told.append(f"have NetworkManager leave all devices alone again that other files do not except ({', '.join(act)})")
    elif set(dropped) - set(act):
        told.append(f"let NetworkManager manage {', '.join(each for each in dropped if each not in act)} again")
    return [*told, *(f"switch {unit} on again" for unit in units)]


def _devices(host: Host) -> list[settings.Device] | None:
    """None where NetworkManager does not run."""
    try:
        done = host.run(["nmcli", "-t", "-f", "DEVICE,STATE", "device"], _TIMEOUT)
    except Unreadable as error:
        if error.absent:
            return None
        raise SubmarinerError(f"NetworkManager does not answer: {error.why}. Nothing was changed.") from error
    return settings.devices(done.out) if done.code == 0 else None


def _require_not_its_own(found: t.Iterable[settings.Device], specs: t.Sequence[str]) -> None:
    own = [each.name for each in found if each.own and settings.covers(specs, each.name)]
    if own:
        raise RefusedError(
            f"NetworkManager itself brought up {', '.join(own)}: made unmanaged, it loses its addresses. Take it out of unmanaged_devices. Nothing was changed."
        )


def _tell_devices(held: t.Sequence[str], outcome: Outcome) -> None:
    if held:
        outcome.differs("managed devices", "".join(f"{name}\n" for name in held), "")
        outcome.lines.append(f"have NetworkManager let go of {', '.join(held)}")


def _tell_units(off: t.Mapping[str, str], back: t.Mapping[str, str], outcome: Outcome) -> None:
    for unit, state in off.items():
        outcome.differs(unit, f"{state}\n", "disabled inactive\n")
        outcome.lines.append(f"switch {unit} off; routes and rules that it has added stay until the next boot")
    for unit, state in back.items():
        outcome.differs(unit, "disabled inactive\n", f"{state}\n")
        outcome.lines.append(f"switch {unit} on again, as it was before")


def _switched_on(host: Host) -> dict[str, str]:
    """Of nm-cloud-setup's units those that are enabled or run, to what they are; it installs routing rules of its own on clouds (RKE2's known issues)."""
    found = {}
    for unit in UNITS:
        enabled, active = (_systemctl(host, [verb, unit], strict=False).out.strip() for verb in ("is-enabled", "is-active"))
        if enabled.startswith("enabled") or active in ("active", "activating"):
            found[unit] = f"{enabled} {active}"
    return found


def _put_back(host: Host, units: t.Mapping[str, str], outcome: Outcome) -> None:
    for unit, state in units.items():
        if state.startswith("enabled"):
            _systemctl(host, ["enable", unit])
            outcome.wrote(unit)
        if state.endswith(" active") and unit.endswith(".timer"):
            _systemctl(host, ["start", unit])


def _systemctl(host: Host, words: t.Sequence[str], strict: bool = True) -> Completed:
    try:
        done = host.run(["systemctl", *words], _TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"{error.why}. {' '.join(words)} was not done.") from error
    if strict and done.code:
        raise SubmarinerError(f"systemctl {' '.join(words)} ended with {done.code}: {' '.join(done.err.split())}")
    return done


def _reload(host: Host) -> None:
    try:
        done = host.run(["nmcli", "general", "reload", "conf"], _TIMEOUT)
    except Unreadable as error:
        raise SubmarinerError(f"{FILE} was written, but NetworkManager was not reloaded: {error.why}.") from error
    if done.code:  # before NetworkManager 1.22
        _systemctl(host, ["reload", "NetworkManager"])


def _await_released(host: Host, held: t.Sequence[str]) -> None:
    still: list[str] = []
    for _attempt in range(_SETTLE):
        still = [each.name for each in _devices(host) or () if each.managed and each.name in held]
        if not still:
            return
        time.sleep(0.5)
    raise SubmarinerError(f"NetworkManager has read {FILE} anew and still manages {', '.join(still)}: another file may say otherwise, or except it.")


def _warn(host: Host, after: str, specs: t.Sequence[str], outcome: Outcome) -> None:
    said = settings.acting(_files(host, after))
    excepted = [spec for spec in specs if f"{settings.EXCEPT}{spec}" in said.act]
    if excepted:
        outcome.warnings.append(f"Another file excepts {', '.join(excepted)} (except:), which wins over every other entry. Remove that there.")
    lacking = [] if settings.only_exceptions(said.act) else [spec for spec in specs if spec not in said.act]
    if lacking:
        outcome.warnings.append(f"{said.by} is read after {FILE} and takes away {', '.join(lacking)}. Remove that there, or write += for = in it.")
    outcome.facts["unmanaged_devices"] = list(said.act)


def _files(host: Host, our_text: str) -> list[tuple[str, str]]:
    """As they will be, in the order in which NetworkManager reads them: /usr/lib and /run by name, the main file, /etc by name."""
    texts: dict[str, dict[str, str]] = {}
    hidden: set[str] = set()
    for folder in reversed(settings.FOLDERS):
        try:
            names = [name for name in host.names(folder) if name.endswith(".conf") and name not in hidden]
        except Unreadable:
            names = []
        hidden.update(names)
        texts[folder] = {f"{folder}/{name}": any_text(host, f"{folder}/{name}") for name in names}
    of_etc = {path: text for path, text in texts[settings.FOLDERS[2]].items() if path != FILE}
    if our_text:
        of_etc[FILE] = our_text
    packaged = {**texts[settings.FOLDERS[0]], **texts[settings.FOLDERS[1]]}
    return [
        *((path, packaged[path]) for path in sorted(packaged, key=lambda path: path.rpartition("/")[2])),
        (settings.MAIN, any_text(host, settings.MAIN)),
        *((path, of_etc[path]) for path in sorted(of_etc)),
    ]
