# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What files say of a kernel's modules: which are loaded, built in, or lie ready to be loaded, and which modprobe(8) is told to leave alone."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import OPTIONS
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import BUILT_IN, LOADABLE, LOADED, MISSING

_OBJECT = re.compile(r"\.ko(?:\.(?:gz|xz|zst|bz2))?$")
_OPTION = re.compile(r"^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$", re.MULTILINE)
# What distributions' and hardening guides' `install` lines run in place of loading.
_NOTHING = re.compile(r"(?:^|/)(?:true|false|nologin|exit|echo|logger|sh|bash|dash)(?:;|$)|^:;?$")
_LOADS = re.compile(r"\b(?:modprobe|insmod)\b")


class Sources(t.NamedTuple):
    """What could be read of a running kernel; None where a source was not there or did not let itself be read.

    :param loaded: names in /proc/modules.
    :param built_in: names in modules.builtin.
    :param on_disk: names in modules.dep; empty where the running kernel has no folder below /lib/modules, so that nothing can be loaded.
    :param options: the kernel's configuration, option without CONFIG\\_ to ``y``, ``m`` or ``n``.
    :param known_to_sysfs: names below /sys/module: loaded ones, and built-in ones that have parameters or a version.
    """

    loaded: frozenset[str] | None = None
    built_in: frozenset[str] | None = None
    on_disk: frozenset[str] | None = None
    options: t.Mapping[str, str] | None = None
    known_to_sysfs: frozenset[str] = frozenset()


def canonical(name: str) -> str:
    """A module's name as the kernel spells it: a dash in a file's name is an underscore."""
    return _OBJECT.sub("", name.strip().rpartition("/")[2]).replace("-", "_")


def loaded(text: str) -> frozenset[str]:
    """/proc/modules. One that is on its way in or out (``Loading``, ``Unloading``) does not count."""
    rows = (line.split() for line in text.splitlines())
    return frozenset(canonical(row[0]) for row in rows if row and (len(row) < 5 or row[4] == "Live"))


def built_in(text: str) -> frozenset[str]:
    """modules.builtin."""
    return frozenset(canonical(line) for line in text.splitlines() if line.strip())


def on_disk(text: str) -> frozenset[str]:
    """modules.dep."""
    return frozenset(canonical(line.partition(":")[0]) for line in text.splitlines() if ":" in line)


def options(text: str) -> dict[str, str]:
    """A kernel's configuration: what is not set is ``n``; options that are numbers or texts keep their text."""
    found = {}
    for name, value, unset in _OPTION.findall(text):
        if unset:
            found[unset] = "n"
        else:
            found[name] = value
    return found


def barred(files: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    """Modules that modprobe.d(5) keeps away, each with the file and line that do.

    ``install NAME /bin/true`` and its kin, which load nothing, end every attempt to load it, ``blacklist NAME`` those of the kernel itself: a link of kind
    vxlan or a set of type hash:ip then finds none.

    :param files: path and text of each.
    """
    found: dict[str, str] = {}
    for path, text in files:
        for line in text.replace("\\\n", " ").splitlines():
            words = line.split()
            if len(words) < 2 or words[0] not in ("install", "blacklist"):
                continue
            if words[0] == "blacklist" or (len(words) > 2 and _NOTHING.search(words[2]) and not _LOADS.search(" ".join(words[2:]))):
                found.setdefault(canonical(words[1]), f"{path}: {' '.join(words)}")
    return found


def states(names: t.Iterable[str], sources: Sources) -> dict[str, str]:
    """The state of each module that something tells of; one that nothing tells of is left out."""
    found = {}
    for name in names:
        state = _state(name, sources)
        if state:
            found[name] = state
    return found


def _state(name: str, sources: Sources) -> str:
    if sources.loaded is not None and name in sources.loaded:
        return LOADED
    if sources.built_in is not None and name in sources.built_in:
        return BUILT_IN
    option = option_of(name, sources.options)
    if option == "y" or (name in sources.known_to_sysfs and sources.loaded is not None):
        return BUILT_IN
    if sources.on_disk is not None and name in sources.on_disk:
        return LOADABLE
    # A kernel that cannot load modules has what its configuration says, and no more.
    if sources.options is not None and (option == "n" or sources.options.get("MODULES", "n") == "n"):
        return MISSING
    if sources.on_disk is not None and (sources.built_in is not None or option == "m"):
        return MISSING
    return ""


def option_of(name: str, configuration: t.Mapping[str, str] | None) -> str:
    """``y``, ``m`` or ``n``: what a configuration says of a module; empty where there is no configuration, or it says nothing."""
    if configuration is None:
        return ""
    return next((configuration[option] for option in OPTIONS.get(name, ()) if option in configuration), "")
