# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""One exchange over the connection pool: bytes out, bytes in, within the deadline, and every way it fails put into words."""

from __future__ import annotations

import gzip
import socket
import ssl
import typing as t
import zlib
from http.client import HTTPException

from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_urllib3
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline, DeadlineExpired, call_within

CONNECT_TIMEOUT = 10.0  # seconds; a longer silence than that is a firewall's
BROKEN_COMPRESSION = (gzip.BadGzipFile, EOFError, zlib.error)
_PIECE = 1 << 20  # bytes


class Reply(t.NamedTuple):
    """A whole response. ``headers`` is case-insensitive; ``wire_bytes`` is the body's size before decompression.

    A successful one is decompressed when its body is asked for: several may wait for their turn to be parsed.
    """

    status: int
    headers: t.Mapping[str, str]
    raw: bytes
    wire_bytes: int
    compressed: bool = False

    @property
    def body(self) -> bytes:
        """
        :raises OSError, EOFError, zlib.error: it is compressed and broken; ``fault_of`` knows them.
        """
        return gzip.decompress(self.raw) if self.compressed else self.raw


class Fault(Exception):
    """There was no whole response.

    :param text: what happened, as the end of a sentence.
    :param hint: what to do, a sentence of its own.
    :param transient: trying again may help.
    :param reached: the server may have acted on the request.
    """

    def __init__(self, text: str, hint: str, *, transient: bool, reached: bool) -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.transient = transient
        self.reached = reached


def exchange(pool: t.Any, method: str, url: str, headers: t.Any, body: bytes | None, deadline: Deadline, idle: float) -> Reply:
    """Send one request and return its whole response, whatever its status. Redirects are not followed, nothing is retried.

    :param pool: the urllib3 PoolManager of a kubernetes ApiClient.
    :param idle: seconds of silence after which the connection is given up.
    :raises Fault: no whole response.
    :raises DeadlineExpired: the deadline passed first.
    """
    opened: list[t.Any] = []

    def run() -> Reply:
        response = open_response(pool, method, url, headers, body, deadline, idle)
        opened.append(response)
        return _read_whole(response)

    try:
        return call_within(deadline, run)
    except DeadlineExpired:
        for response in opened:
            hang_up(response)
        raise
    except Fault:
        raise
    except Exception as error:
        raise fault_of(error) from error


def _read_whole(response: t.Any) -> Reply:
    # Decompressed here and not by urllib3, which does not count a chunked body's bytes.
    raw = b"".join(response.stream(_PIECE, decode_content=False))
    compressed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
    if compressed and not 200 <= response.status < 300:
        return Reply(response.status, response.headers, gzip.decompress(raw), len(raw))
    return Reply(response.status, response.headers, raw, len(raw), compressed)


def open_response(pool: t.Any, method: str, url: str, headers: t.Any, body: bytes | None, deadline: Deadline, idle: float) -> t.Any:
    """Return the urllib3 response of one request as soon as its headers have arrived, its body unread."""
    read = max(0.001, min(idle, deadline.left()))
    return pool.request(
        method,
        url,
        headers=headers,
        body=None if body is None else _unless_expired(body, deadline),
        timeout=load_urllib3().Timeout(connect=min(CONNECT_TIMEOUT, read), read=read),
        retries=False,
        redirect=False,
        preload_content=False,
    )


def hang_up(response: t.Any) -> None:
    """Wake the thread that is blocked reading ``response``, so that it ends."""
    try:
        if hasattr(response, "shutdown"):  # urllib3 >= 2.3
            response.shutdown()
        else:
            response.connection.sock.shutdown(socket.SHUT_RD)
    except (RuntimeError, ValueError, OSError, AttributeError):
        pass  # it was read to its end in the meantime


class Watch:
    """The open stream of a watch, or the reply that refused it (``failure``)."""

    def __init__(self, response: t.Any) -> None:
        self._response = response
        self.failure: Reply | None = None
        if not 200 <= response.status < 300:
            self.failure = _read_whole(response)

    def lines(self) -> t.Iterator[bytes]:
        """Yield each whole line as it arrives; a line that the connection cut is not yielded.

        :raises Fault: the connection broke or fell silent.
        """
        rest = b""
        try:
            for piece in self._pieces():
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole
        except Exception as error:
            raise fault_of(error) from error

    def _pieces(self) -> t.Iterator[bytes]:
        read1 = getattr(self._response, "read1", None)
        if read1 is None:  # urllib3 1.26: gives a chunked body chunk by chunk, which is event by event
            yield from self._response.stream(_PIECE)
            return
        while True:
            piece = read1(_PIECE)
            if not piece:
                return
            yield piece

    def interrupt(self) -> None:
        """Make ``lines`` end; for another thread than the one that is in it."""
        hang_up(self._response)

    def close(self) -> None:
        self._response.close()


def open_watch(pool: t.Any, url: str, headers: t.Any, deadline: Deadline, idle: float) -> Watch:
    """Return the stream of a watch whose response has begun.

    :raises Fault: there is none.
    :raises DeadlineExpired: the deadline passed first.
    """
    try:
        return call_within(deadline, lambda: Watch(open_response(pool, "GET", url, headers, None, deadline, idle)))
    except (DeadlineExpired, Fault):
        raise
    except Exception as error:
        raise fault_of(error) from error


def _unless_expired(body: bytes, deadline: Deadline) -> t.Iterator[bytes]:
    """Yield ``body``, unless nobody waits for the outcome any more: an abandoned call must not write later on."""
    if deadline.expired:
        raise DeadlineExpired()
    yield body


def fault_of(error: BaseException) -> Fault:
    """Return ``error`` as a Fault. Texts of exceptions that may quote a header (a token) are not used."""
    exceptions = load_urllib3().exceptions
    chain = _chain(error)
    if isinstance(error, exceptions.ProxyError):
        return _proxy_fault(chain)
    # A wrong host name is urllib3's own CertificateError, a ValueError, where urllib3 and not OpenSSL compares names.
    certificate = next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ == "CertificateError"), None)
    if certificate is not None:
        reason = getattr(certificate, "verify_message", None) or str(certificate)
        return Fault(
            f"the server's certificate is not accepted: {reason.rstrip('.')}",
            "Check that the CA (ca_cert, or certificate-authority of the kubeconfig) is this cluster's, that server names a host of the "
            "certificate, and that no proxy terminates TLS.",
            transient=False,
            reached=False,
        )
    broken_tls = _first(chain, ssl.SSLError) or (error if isinstance(error, exceptions.SSLError) else None)
    if broken_tls is not None:
        return _tls_fault(broken_tls)
    if isinstance(error, exceptions.ConnectTimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return Fault("nothing answers at this address", "Check the server's address, and firewalls on the way.", transient=True, reached=False)
    if isinstance(error, exceptions.NewConnectionError):
        cause = _first(chain, OSError)
        return Fault(
            f"no connection: {_os_text(cause) if cause is not None else 'the address cannot be reached'}",
            "Check that the API server runs, and the address and the proxy that lead to it.",
            transient=True,
            reached=False,
        )
    if isinstance(error, (exceptions.ReadTimeoutError, TimeoutError)):
        return Fault("the server fell silent", "Check the API server's load, and proxies on the way.", transient=True, reached=True)
    if isinstance(error, BROKEN_COMPRESSION):
        return Fault("the compressed body is broken", "Check proxies on the way.", transient=True, reached=True)
    if isinstance(error, (exceptions.LocationValueError, exceptions.URLSchemeUnknown, UnicodeError)):
        return Fault("the server's address is not a valid URL", "Correct host, or server of the kubeconfig.", transient=False, reached=False)
    if isinstance(error, (exceptions.HTTPError, HTTPException, OSError)):
        cause = _first(chain, OSError)
        return Fault(
            f"the connection broke: {_os_text(cause)}" if cause is not None else "the connection broke in the middle of the response",
            "Check the API server's health, and proxies on the way.",
            transient=True,
            reached=True,
        )
    return Fault(f"the request failed ({type(error).__name__})", "This is a defect: please report it.", transient=False, reached=True)


def _proxy_fault(chain: list[BaseException]) -> Fault:
    cause = _first(chain, OSError)
    text = _os_text(cause) if cause is not None else "no connection"
    refused = any(code in text for code in ("403", "405", "407"))
    return Fault(
        f"the proxy did not let us through: {text}",
        "Check proxy, no_proxy and proxy_headers (or proxy-url of the kubeconfig, or HTTPS_PROXY and NO_PROXY).",
        transient=not refused,
        reached=False,
    )


def _tls_fault(error: BaseException) -> Fault:
    reason = str(getattr(error, "reason", None) or error)
    upper = reason.upper().replace(" ", "_")
    if "EOF" in upper or "ZERO_RETURN" in upper:
        return Fault(
            "the connection was closed during TLS",
            "Check the API server's health, proxies on the way, and the client certificate if there is one.",
            transient=True,
            reached=True,
        )
    if "ALERT" in upper or "CERTIFICATE_REQUIRED" in upper:
        text, hint = f"the server refused the TLS handshake ({reason})", "Check the client certificate and key: expired, or another cluster's?"
    elif "WRONG_VERSION_NUMBER" in upper or "HTTP_REQUEST" in upper or "RECORD_LAYER_FAILURE" in upper:
        text, hint = "the server does not speak TLS on this port", "Check the server's address: scheme, port, and the proxy."
    else:
        text, hint = f"TLS failed ({reason})", "Check ca_cert, client_cert and client_key: do the files hold PEM, and do certificate and key match?"
    return Fault(text, hint, transient=False, reached=False)


def _os_text(error: BaseException) -> str:
    """Words for an OSError without its numbers: "Connection refused"."""
    text = getattr(error, "strerror", None) or (str(error.args[0]) if error.args and isinstance(error.args[0], str) else "")
    return text.rstrip(".") or type(error).__name__


def _chain(error: BaseException) -> list[BaseException]:
    """``error`` and what caused it: causes, contexts, and exceptions that urllib3 keeps among the arguments."""
    chain: list[BaseException] = []
    pending: list[t.Any] = [error]
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or any(current is seen for seen in chain):
            continue
        chain.append(current)
        pending.extend((current.__cause__, current.__context__, getattr(current, "reason", None), *current.args))
    return chain


def _first(chain: list[BaseException], kind: type) -> t.Any:
    return next((error for error in chain if isinstance(error, kind)), None)
