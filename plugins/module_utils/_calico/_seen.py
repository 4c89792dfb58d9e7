# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One value that a judgement about Calico rests on, and where it was read."""

from __future__ import annotations

import typing as t


class Seen(t.NamedTuple):
    """The fields of a check's evidence, in its order.

    :param object: names what was read, e.g. ``APIService v3.projectcalico.org``.
    :param field: path in it; "" for the whole.
    :param note: where else it comes from, or what it means; "" where it speaks for itself.
    """

    object: str
    field: str
    value: str
    note: str = ""
