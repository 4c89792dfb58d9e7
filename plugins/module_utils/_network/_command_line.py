# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Options of a process, read from the ``command`` and ``args`` of its container.

RKE2's static pods have their options in ``args``, kubeadm's in ``command``, others in one string for a shell; an option and its
value may be one word (``--f=v``) or two (``--f v``). All of it is read here, since a reader that knew only one of these forms
is what makes Submariner guess wrong (submariner-operator#3180).
"""

from __future__ import annotations

import shlex
import typing as t

COMMAND = "command"
ARGS = "args"


class OptionValue(t.NamedTuple):
    """One occurrence of an option.

    :param value: what stands behind it; None when nothing does (the last word, or another option follows).
    :param field: ``command`` or ``args``.
    """

    value: str | None
    field: str


def option_values(command: t.Sequence[str], args: t.Sequence[str], option: str) -> tuple[OptionValue, ...]:
    """Every occurrence of ``option`` (``--cluster-cidr``), in order. Of several the last one counts (spf13/pflag).

    Kubernetes runs ``command`` followed by ``args``, so a two-word option may begin in one and end in the other.
    """
    words = [(word, field) for field, entries in ((COMMAND, command), (ARGS, args)) for entry in entries for word in _words(entry, option)]
    found = []
    for position, (word, field) in enumerate(words):
        if word.startswith(option + "="):
            found.append(OptionValue(word[len(option) + 1:], field))
        elif word == option:
            following = words[position + 1][0] if position + 1 < len(words) else None
            found.append(OptionValue(None if following is None or following.startswith("-") else following, field))
    return tuple(found)


def _words(entry: str, option: str) -> list[str]:
    """The words of one entry: itself, or those of the shell line that it is."""
    if not any(character.isspace() for character in entry):
        return [entry]
    if entry.startswith(option + "=") and " -" not in entry:
        return [entry]
    try:
        return shlex.split(entry)
    except ValueError:  # an unbalanced quote: a shell would refuse it, but the option is still legible
        return entry.split()
