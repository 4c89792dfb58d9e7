# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""A connection to one API server: raw JSON requests, retried as their verb allows, within one deadline, and counted."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_kubernetes
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube import _answers
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline, DeadlineExpired
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import (
    FORBIDDEN,
    TIMED_OUT,
    KubeError,
    TimedOutError,
    UncertainError,
)
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import resolve
from ansible_collections.fathom.submariner.plugins.module_utils._kube._pages import Page, Project, parse_page
from ansible_collections.fathom.submariner.plugins.module_utils._kube._session import Session, Target, find_target, open_session
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import BROKEN_COMPRESSION, Fault, Reply, Watch, exchange, fault_of, open_watch

T = t.TypeVar("T")

DEFAULT_TIMEOUT = 60.0  # seconds, for a request without a deadline of its own
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"  # kubernetes.io, Kubernetes API concepts
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class Patience(t.NamedTuple):
    """How long to try. Times are seconds; tests scale them."""

    attempts: int = 6  # of one request; being told to come back (429) does not count, only the deadline bounds it
    first_pause: float = 0.2  # doubles each time
    longest_pause: float = 8.0
    longest_retry_after: float = 30.0  # a server that asks for more is asked again earlier
    idle: float = 30.0  # silence on an open connection

    def pause(self, attempt: int, retry_after: float | None = None) -> float:
        """Return the seconds to wait after attempt number ``attempt``, with jitter, so that many clients do not return together.

        Never less than the server asks for, up to ``longest_retry_after``.
        """
        backoff = min(self.first_pause * 2 ** min(attempt - 1, 30), self.longest_pause) * random.uniform(0.5, 1.0)
        if retry_after is None:
            return backoff
        return max(min(retry_after, self.longest_retry_after), backoff) + random.uniform(0, self.first_pause)


class Usage(t.NamedTuple):
    """What a connection cost so far. ``seconds`` runs from its first request to the end of its last."""

    requests: int = 0
    bytes_read: int = 0  # as received, so compressed where the server compresses
    retries: int = 0
    seconds: float = 0.0


class _Setback(Exception):
    """One attempt failed with ``error``.

    :param transient: another attempt may succeed.
    :param reached: the server may have carried the request out.
    :param attempts: how many are worth while; None for as many as the deadline allows.
    """

    def __init__(self, error: KubeError, *, transient: bool, reached: bool, attempts: int | None, retry_after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        error.transient = transient
        self.transient = transient
        self.reached = reached
        self.attempts = attempts
        self.retry_after = retry_after


def connect(params: t.Mapping[str, t.Any], *, patience: Patience = Patience()) -> Connection:
    """Return a connection to the cluster that the connection options mean. No request is sent; an exec plugin is run.

    :param params: a module's parameters (see _options.AUTH_ARGUMENT_SPEC); what they leave open comes from ``K8S_AUTH_*``.
    :raises SubmarinerError: a library is missing, or the options mean nothing that exists.
    """
    load_kubernetes()
    options = resolve(params, os.environ)
    return Connection(find_target(options, os.environ), patience)


class Connection:
    """Safe to use from several threads.

    ``name`` is the context (or the host) and ``label`` names cluster, kubeconfig, server and proxy, both for messages;
    ``host_params`` are the connection options in effect (kubeconfig and context too, where they were left open), to hand on to
    another program: they hold secrets.
    """

    def __init__(self, target: Target, patience: Patience = Patience()) -> None:
        self.name = target.name
        self.label = target.label
        self.server = target.server
        self.host_params: t.Mapping[str, t.Any] = target.host_params
        self.patience = patience
        self._target = target
        self._session = open_session(target)
        self._session_lock = threading.Lock()
        self._count_lock = threading.Lock()
        self._parser = ThreadPoolExecutor(max_workers=1, thread_name_prefix="submariner-parse")
        self._requests = self._bytes = self._retries = 0
        self._first = self._last = 0.0
        self._unreachable = False  # a request has used up its attempts, and nothing has answered since

    def request(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, t.Any] | None = None,
        body: t.Any = None,
        content_type: str | None = None,
        deadline: Deadline | None = None,
        *,
        repeatable: bool | None = None,
    ) -> dict[str, t.Any]:
        """Return the JSON object that the server answers.

        A request that may have been carried out is sent again only where that does no harm; one that was certainly not (no
        connection, 429, 503 with Retry-After) always is. client-go draws the same line (rest/with_retry.go).

        :param repeatable: sending the request twice does no harm; defaults to True for GET.
        :raises KubeError: see its ``state``; UncertainError where a write's answer was lost.
        """
        repeatable = method == "GET" if repeatable is None else repeatable
        content = None if body is None else json.dumps(body).encode("utf-8")
        return self._repeat(_answers.parse_object, method, path, query, content, content_type, deadline, repeatable)

    def request_metadata(self, path: str, deadline: Deadline | None = None) -> dict[str, t.Any]:
        """Return an object's metadata alone: what a Secret holds does not leave the server.

        :raises KubeError: see its ``state``.
        """
        return self._repeat(_answers.parse_object, "GET", path, None, None, _METADATA, deadline, True)

    def list_metadata(self, path: str, query: t.Mapping[str, t.Any], deadline: Deadline | None = None) -> list[dict[str, t.Any]]:
        """Return the metadata alone of the objects of a list that is not long: what Secrets hold does not leave the server.

        :raises KubeError: see its ``state``.
        """
        found = self._repeat(_answers.parse_object, "GET", path, query, None, _METADATA_LIST, deadline, True)
        return [item.get("metadata") or {} for item in found.get("items") or ()]

    def request_text(self, path: str, query: t.Mapping[str, t.Any] | None = None, deadline: Deadline | None = None) -> str:
        """Return the text that the server answers to a GET: a log. Bytes that are no UTF-8 are replaced.

        It is asked for twice at the most: the server asks a kubelet, and one that does not answer at once seldom does later.

        :raises KubeError: see its ``state``.
        """
        return self._repeat(_answers.parse_text, "GET", path, query, None, None, deadline, True, most=2)

    def request_page(self, path: str, query: t.Mapping[str, t.Any], project: Project, deadline: Deadline) -> Page:
        """Return a page of a list, each object projected.

        All pages are parsed by one thread, one at a time: they are large, and memory that one thread has freed is of no use to another
        (glibc's malloc keeps an arena for each).

        :raises KubeError: see its ``state``.
        :raises OddObject: ``project`` broke on an object.
        """

        def parse(reply: Reply) -> Page:
            return self._parser.submit(parse_page, reply, project).result()

        return self._repeat(parse, "GET", path, query, None, None, deadline, True)

    def _repeat(
        self,
        parse: t.Callable[[Reply], T],
        method: str,
        path: str,
        query: t.Mapping[str, t.Any] | None,
        content: bytes | None,
        content_type: str | None,
        deadline: Deadline | None,
        repeatable: bool,
        most: int | None = None,
    ) -> T:
        """
        :param most: attempts, however much is worth while else.
        """
        deadline = Deadline(DEFAULT_TIMEOUT) if deadline is None else deadline
        attempt = 0
        last: KubeError | None = None
        while True:
            if deadline.expired:
                raise self._timed_out(method, path, deadline, last, lost=False)
            try:
                return self._answer(parse, method, path, query, content, content_type, deadline)
            except DeadlineExpired:
                raise self._timed_out(method, path, deadline, last, lost=not repeatable) from None
            except _Setback as setback:
                attempt += 1
                last = setback.error
                self._judge(setback, method, attempt, repeatable)
                if most is not None and attempt >= most:
                    raise setback.error from None
                pause = self.patience.pause(attempt, setback.retry_after)
            if pause >= deadline.left():
                raise self._timed_out(method, path, deadline, last, lost=False)
            self._count(retries=1)
            time.sleep(pause)

    def _judge(self, setback: _Setback, method: str, attempt: int, repeatable: bool) -> None:
        """Return where the request may be sent again; else raise what the user is told."""
        error = setback.error
        if not setback.transient:
            raise error
        if setback.reached and not repeatable:
            raise UncertainError(
                f"{error.message} The {method} was sent and its answer was lost: it may or may not have been carried out. "
                "Read the object before sending it again.",
                status=error.status,
                api_message=error.api_message,
            )
        if setback.attempts is not None and attempt >= setback.attempts:
            self._unreachable = error.status == 0 and not setback.reached
            raise error
        if self._unreachable and error.status == 0:
            raise error  # another request has waited for this server already: do not wait once for each list

    def _timed_out(self, method: str, path: str, deadline: Deadline, last: KubeError | None, lost: bool) -> KubeError:
        message = f"{self.label}: {method} {path} had no usable answer within the {deadline.seconds:g} s allowed."
        if last is not None:
            message += f" The last attempt: {last.message.replace(f'{self.label}: ', '', 1)}"
        if lost:
            return UncertainError(f"{message} The {method} may or may not have been carried out. Read the object before sending it again.", TIMED_OUT)
        return TimedOutError(message, status=last.status if last else 0, api_message=last.api_message if last else "")

    def _answer(
        self,
        parse: t.Callable[[Reply], T],
        method: str,
        path: str,
        query: t.Mapping[str, t.Any] | None,
        content: bytes | None,
        content_type: str | None,
        deadline: Deadline,
    ) -> T:
        """Return what ``parse`` makes of one attempt's answer. The attempt includes one renewal of the credentials where they are not accepted."""
        session = self._session
        reply = self._exchange(session, method, path, query, content, content_type, deadline)
        if reply.status == 401 and self._renew(session, deadline):
            reply = self._exchange(self._session, method, path, query, content, content_type, deadline)
        attempts = self.patience.attempts
        if 200 <= reply.status < 300:
            try:
                return parse(reply)
            except _answers.BrokenBody as broken:
                error = KubeError(
                    f"{self.label}: {method} {path} was answered {reply.status}, but {broken}. Check the server's address, and proxies on the way.",
                    status=reply.status,
                )
                raise _Setback(error, transient=True, reached=True, attempts=attempts) from None
            except BROKEN_COMPRESSION as broken:
                raise self._setback(fault_of(broken), method, path) from broken
        error = _answers.error_of(self.label, method, path, reply)
        wait = _answers.retry_after(reply)
        if reply.status == 429:
            raise _Setback(error, transient=True, reached=False, attempts=None, retry_after=wait)
        if _answers.is_aggregation_failure(reply):
            raise _Setback(error, transient=True, reached=not _answers.is_before_forwarding(reply), attempts=min(2, attempts))
        if reply.status >= 500:
            # A 500 or 504 may bear Retry-After, too, after etcd has lost count (apimachinery pkg/api/errors: NewServerTimeout, NewTimeoutError).
            refused = reply.status == 503 and wait is not None
            raise _Setback(error, transient=True, reached=not refused, attempts=attempts, retry_after=wait)
        raise error

    def _exchange(
        self,
        session: Session,
        method: str,
        path: str,
        query: t.Mapping[str, t.Any] | None,
        content: bytes | None,
        content_type: str | None,
        deadline: Deadline,
    ) -> Reply:
        headers = session.headers
        if content is not None:
            headers = headers.copy()
            headers["Content-Type"] = content_type or "application/json"
            headers["Content-Length"] = str(len(content))
        elif content_type is not None:
            headers = headers.copy()
            headers["Accept"] = content_type
        self._count(requests=1)
        try:
            reply = exchange(session.pool, method, self._url(path, query), headers, content, deadline, self.patience.idle)
        except Fault as fault:
            raise self._setback(fault, method, path) from fault
        finally:
            self._count()
        self._unreachable = False
        self._count(received=reply.wire_bytes)
        return reply

    def _setback(self, fault: Fault, method: str, path: str) -> _Setback:
        error = KubeError(f"{self.label}: {method} {path} got no answer: {fault.text}. {fault.hint}")
        return _Setback(error, transient=fault.transient, reached=fault.reached, attempts=self.patience.attempts)

    def _renew(self, stale: Session, deadline: Deadline) -> bool:
        """Load the credentials anew (a token file, an exec plugin); True where they are now others than in ``stale``."""
        if not self._session_lock.acquire(timeout=deadline.left()):
            raise DeadlineExpired()
        try:
            if self._session is not stale:
                return True
            fresh = open_session(self._target, deadline.left())
            if fresh.credentials == stale.credentials:
                return False
            self._session = fresh
            return True
        except SubmarinerError as error:
            raise KubeError(f"{error.message} They were loaded again because the API server no longer accepts the old ones (401).", FORBIDDEN) from error
        finally:
            self._session_lock.release()

    def _url(self, path: str, query: t.Mapping[str, t.Any] | None) -> str:
        given = {name: value for name, value in (query or {}).items() if value not in (None, "")}
        return f"{self.server}{path}{'?' if given else ''}{urlencode(given)}"

    def _count(self, *, requests: int = 0, received: int = 0, retries: int = 0) -> None:
        now = time.monotonic()
        with self._count_lock:
            self._first = self._first or now
            self._last = now
            self._requests += requests
            self._bytes += received
            self._retries += retries

    def usage(self) -> Usage:
        with self._count_lock:
            return Usage(self._requests, self._bytes, self._retries, self._last - self._first)

    def close(self) -> None:
        """Close idle connections."""
        self._session.pool.clear()

    def open_watch(self, path: str, query: t.Mapping[str, t.Any], deadline: Deadline, idle: float) -> Watch:
        """Return the open stream of one watch. One attempt: who watches knows best from where to go on.

        :param idle: seconds of silence after which the stream is given up.
        :raises KubeError: it could not be opened.
        """
        try:
            session = self._session
            watch = self._begin_watch(session, path, query, deadline, idle)
            if watch.failure is not None and watch.failure.status == 401 and self._renew(session, deadline):
                watch = self._begin_watch(self._session, path, query, deadline, idle)
        except DeadlineExpired:
            raise self._timed_out("WATCH", path, deadline, None, lost=False) from None
        if watch.failure is None:
            return watch
        error = _answers.error_of(self.label, "WATCH", path, watch.failure)
        error.transient = watch.failure.status == 429 or watch.failure.status >= 500
        raise error

    def _begin_watch(self, session: Session, path: str, query: t.Mapping[str, t.Any], deadline: Deadline, idle: float) -> Watch:
        headers = session.headers.copy()
        headers["Accept-Encoding"] = "identity"  # a compressor would hold events back
        self._count(requests=1)
        try:
            return open_watch(session.pool, self._url(path, query), headers, deadline, idle)
        except Fault as fault:
            raise self._setback(fault, "WATCH", path).error from fault
