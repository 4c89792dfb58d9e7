# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What can go wrong when talking to an API server, as answers that a user can tell apart."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError

# The same strings as the states of _snapshot._model.Answer, which this room must not import.
OK = "ok"
FORBIDDEN = "forbidden"
NOT_SERVED = "not_served"
UNAVAILABLE = "unavailable"
TIMED_OUT = "timed_out"


class KubeError(SubmarinerError):
    """A request that an API server did not answer as asked.

    :param message: for the user: cluster, server, verb and path, the API's own words, and what to do.
    :param state: FORBIDDEN, NOT_SERVED, UNAVAILABLE or TIMED_OUT.
    :param status: the HTTP status, 0 where there was no response.
    :param reason: ``reason`` of the Kubernetes Status object (``AlreadyExists``, ``Expired``...), "" where there was none.
    :param api_message: what the API itself said, "" where it said nothing.
    :param transient: the same request may succeed later on; it was tried as often as is worth while.
    """

    def __init__(
        self,
        message: str,
        state: str = UNAVAILABLE,
        *,
        status: int = 0,
        reason: str = "",
        api_message: str = "",
        transient: bool = False,
        **details: t.Any,
    ) -> None:
        super().__init__(message, **details)
        self.state = state
        self.status = status
        self.reason = reason
        self.api_message = api_message
        self.transient = transient


class NotFoundError(KubeError):
    """The object (not its kind) does not exist."""


class ConflictError(KubeError):
    """409: the object changed since it was read, its uid is another, or it exists already. Nothing was written."""


class InvalidError(KubeError):
    """400, 422, or 403 from admission: the server understood who asked and refused what was asked. Nothing was written."""


class TimedOutError(KubeError):
    """The total deadline passed first. ``state`` is always TIMED_OUT."""

    def __init__(self, message: str, **keywords: t.Any) -> None:
        keywords.pop("state", None)
        super().__init__(message, TIMED_OUT, **keywords)


class UncertainError(KubeError):
    """A write was sent and its answer was lost: it may or may not have been carried out."""
