# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""An answer to one question put to a cluster, and the name of an object."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

T = t.TypeVar("T")

OK = "ok"
FORBIDDEN = "forbidden"  # 401 or 403: these credentials may not ask
NOT_SERVED = "not_served"  # the API group or kind does not exist on this cluster
UNAVAILABLE = "unavailable"  # 5xx, refused connection, broken body, after all retries
TIMED_OUT = "timed_out"  # the total deadline passed first
NOT_READ = "not_read"  # nobody asked, or the bundle's format does not hold it


@dataclass(frozen=True)
class Answer(t.Generic[T]):
    """What came back for one question.

    ``state`` is one of the constants above; ``where`` names the question (``GET /api/v1/nodes``, or a file of a bundle);
    ``detail`` is the reason in words when ``state`` is not ``ok``. ``partial`` tells that there are, or may be, more than ``items``: a bounded
    number of them was asked for.
    """

    state: str = NOT_READ
    items: tuple[T, ...] = ()
    where: str = ""
    detail: str = ""
    partial: bool = False

    @property
    def ok(self) -> bool:
        return self.state == OK

    @property
    def known(self) -> bool:
        """True when the question was answered: listed (all there are unless ``partial``), or the kind does not exist on this cluster at all."""
        return self.state in (OK, NOT_SERVED)


class Ref(t.NamedTuple):
    """Names one object, as evidence prints it."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
