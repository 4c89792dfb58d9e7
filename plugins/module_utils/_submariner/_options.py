# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""How Submariner itself reads an option of a control-plane pod, faults included.

This imitates ``FindPodCommandParameter`` of submariner-operator (pkg/discovery/network/pods.go at 0.14 to 0.19); to learn what an
option really is, use :mod:`_network._command_line`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod


class UpstreamOption(t.NamedTuple):
    """What Submariner gets out of a pod.

    :param value: empty when it finds nothing.
    :param field: where it found the value.
    :param panics: True when it ends in a Go panic (exit code 2): it splits at ``=`` and takes the second part unseen.
    """

    value: str = ""
    field: str = ""
    panics: bool = False


def upstream_option(pod: Pod, option: str, *, reads_args: bool) -> UpstreamOption:
    """Go through the containers as Submariner does.

    ``args`` are looked at only from inside the loop over ``command``, so a container without ``command`` is never read; a shell
    line is split at blanks only in ``command``; an option and its value in two words panic.

    :param reads_args: whether the version looks into ``args`` at all (``_version.ARGS_READ``).
    """
    for container in pod.containers:
        prefix = f"spec.containers[{container.name}]"
        for word in container.command:
            if word.startswith(option):
                return _second_part(word, f"{prefix}.command")
            in_args = next((argument for argument in container.args if argument.startswith(option)), None)
            if reads_args and in_args is not None:
                return _second_part(in_args, f"{prefix}.args")
            for part in word.split(" ") if " " in word else ():
                if part.startswith(option):
                    return _second_part(part, f"{prefix}.command")
    return UpstreamOption()


def _second_part(word: str, field: str) -> UpstreamOption:
    _option, equals, value = word.partition("=")
    return UpstreamOption(value, field) if equals else UpstreamOption("", field, panics=True)
