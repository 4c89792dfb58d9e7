# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which modules a kernel has, and in which state."""

from __future__ import annotations

import gzip
import typing as t
import zlib

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import all_modules
from ansible_collections.fathom.submariner.plugins.module_utils._node import _parse_modules as parse
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._node._unseen import Sight

# modprobe.d(5): a file of the same name in an earlier folder hides that of a later one.
_MODPROBE_D = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d")


class Kernel(t.NamedTuple):
    """:param states: by module; :param barred: modules that modprobe.d keeps away, to where it does."""

    states: t.Mapping[str, str]
    barred: t.Mapping[str, str]


def read_modules(host: Host, sight: Sight, release: str) -> Kernel:
    """:param release: of the running kernel."""
    sources, why = read_sources(host, release)
    wanted = all_modules()
    states = parse.states(wanted, sources)
    unknown = [name for name in wanted if name not in states]
    if unknown:
        told = "; ".join(dict.fromkeys(why.values())) or "its configuration and folders do not tell"
        sight.miss("modules", f"of {len(unknown)} modules ({', '.join(unknown[:4])}{'...' if len(unknown) > 4 else ''}) nothing tells their state: {told}")
    barred = {name: where for name, where in parse.barred(modprobe_files(host, sight)).items() if name in wanted}
    return Kernel(states, barred)


def read_sources(host: Host, release: str) -> tuple[parse.Sources, dict[str, str]]:
    """What tells of modules, and of each kind that could not be read, why.

    :param release: of the running kernel.
    """
    why: dict[str, str] = {}
    trees = (f"/lib/modules/{release}", f"/usr/lib/modules/{release}")
    options = _first(why, "options", [*((lambda path=path: _configuration(host, path)) for path in _configurations(release))])
    loaded = _first(why, "loaded", [lambda: parse.loaded(host.text("/proc/modules"))])
    # A kernel that was built without modules has no such file: what is not built in is not there.
    can_load = loaded is not None or host.exists("/proc/modules") or (options or {}).get("MODULES") == "y"
    no_tree = not any(host.exists(tree) for tree in trees)
    built_in = _first(why, "built_in", [*((lambda tree=tree: parse.built_in(host.text(f"{tree}/modules.builtin"))) for tree in trees)])
    on_disk = _first(why, "on_disk", [*((lambda tree=tree: parse.on_disk(host.text(f"{tree}/modules.dep"))) for tree in trees)])
    if can_load and no_tree and host.exists("/proc"):
        on_disk = frozenset()
    sysfs = _first(why, "sysfs", [lambda: frozenset(host.names("/sys/module"))]) or frozenset()
    if not can_load and loaded is None and host.exists("/proc"):
        loaded = frozenset()
    if on_disk is not None:
        why.pop("options", None)
    return parse.Sources(loaded, built_in, on_disk, options, sysfs), why


def modprobe_files(host: Host, sight: Sight) -> t.Iterator[tuple[str, str]]:
    """Path and text of each file of modprobe.d(5) that acts."""
    seen: set[str] = set()
    for folder in _MODPROBE_D:
        for name in sight.of("modules_barred", lambda folder=folder: host.names(folder), (), absent=()):
            if name.endswith(".conf") and name not in seen:
                seen.add(name)
                path = f"{folder}/{name}"
                yield path, sight.of("modules_barred", lambda path=path: host.text(path), "", absent="")


def _configurations(release: str) -> tuple[str, ...]:
    return (
        "/proc/config.gz",
        f"/boot/config-{release}",
        f"/lib/modules/{release}/config",
        f"/usr/lib/modules/{release}/config",
        f"/usr/lib/ostree-boot/config-{release}",
    )


def _configuration(host: Host, path: str) -> dict[str, str]:
    if not path.endswith(".gz"):
        return parse.options(host.text(path))
    try:
        return parse.options(gzip.decompress(host.data(path)).decode("utf-8", "replace"))
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"{path} is damaged: {error}") from error


def _first(why: dict[str, str], what: str, readers: t.Sequence[t.Callable[[], t.Any]]) -> t.Any:
    """What the first of the readers finds that can read; None, and a reason, when none can."""
    said = []
    for read in readers:
        try:
            return read()
        except Unreadable as error:
            said.append(error.why)
    why[what] = ", ".join(said)
    return None
