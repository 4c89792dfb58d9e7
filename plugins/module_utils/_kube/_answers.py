# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Reading what the server answered: a Kubernetes object, or which error and what to do about it."""

from __future__ import annotations

import json
import re
import typing as t
from email.utils import parsedate_to_datetime

from ansible_collections.fathom.submariner.plugins.module_utils._kube import _errors as e
from ansible_collections.fathom.submariner.plugins.module_utils._kube._transport import Reply

_LONGEST_QUOTE = 1000  # characters of the API's own words
_LONGEST_VALUE = 40  # characters of a value in them

# "patch: Invalid value: "{...the whole object...}": strict decoding error": kube-apiserver quotes what it was sent, with any secret in it
# (apiserver pkg/endpoints/handlers/patch.go). A CIDR or a name is short; tokens, keys and objects are not.
_QUOTED_VALUE = re.compile(r'(Invalid|Duplicate|Unsupported) value: ("(?:[^"\\]|\\.)*"|map\[.*\}|\{.*\})', re.DOTALL)


class BrokenBody(Exception):
    """A body that is no Kubernetes object, in words."""


class Status(t.NamedTuple):
    """A metav1.Status; all empty where the body was something else."""

    message: str = ""
    reason: str = ""
    object_name: str = ""  # details.name: the object that the answer is about
    from_api: bool = False


def parse_object(reply: Reply) -> dict[str, t.Any]:
    """Return the JSON object of a successful reply.

    :raises BrokenBody: cut short, no JSON (a login page), or not a Kubernetes object.
    """
    try:
        parsed = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise BrokenBody(describe_foreign(reply)) from None
    if not isinstance(parsed, dict) or "kind" not in parsed and "major" not in parsed:  # /version has no kind
        raise BrokenBody("the body is JSON, and no Kubernetes object")
    return parsed


def parse_text(reply: Reply) -> str:
    """Return the text of a successful reply, a log."""
    return reply.body.decode("utf-8", "replace")


def describe_foreign(reply: Reply) -> str:
    """What a body is that is no JSON, in words."""
    text = reply.body[:4096].decode("utf-8", "replace")
    if not text.strip():
        return "the body is empty"
    if "html" in str(reply.headers.get("Content-Type", "")).lower() or re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>([^<]{1,100})", text, re.IGNORECASE)
        return "the body is a web page" + (f' ("{_one_line(title.group(1))}")' if title else "") + ", as of a login or a proxy"
    return f"the body is cut short or no JSON ({len(reply.body)} bytes)"


def read_status(reply: Reply) -> Status:
    """Return the Status of an unsuccessful reply; plain text counts as its message, a web page does not."""
    try:
        parsed = json.loads(reply.body)
    except (ValueError, RecursionError):
        if re.match(rb"\s*<", reply.body):
            return Status(message=describe_foreign(reply))
        return Status(message=_quote(reply.body[:_LONGEST_QUOTE].decode("utf-8", "replace")))
    if not isinstance(parsed, dict) or parsed.get("kind") != "Status":
        return Status()
    details = parsed.get("details")
    name = details.get("name") if isinstance(details, dict) else ""
    return Status(_quote(str(parsed.get("message") or "")), str(parsed.get("reason") or ""), str(name or ""), True)


def retry_after(reply: Reply) -> float | None:
    """Seconds that the server asks to wait (RFC 9110 section 10.2.3: a number or a date), None where it does not ask."""
    value = str(reply.headers.get("Retry-After") or "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(str(reply.headers.get("Date")))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):
        return None


def is_aggregation_failure(reply: Reply) -> bool:
    """True for a 503 that kube-apiserver gives in place of an aggregated API server that does not answer.

    It is plain text, unlike its own 503 (kube-aggregator pkg/apiserver/handler_proxy.go: "service unavailable"; apimachinery
    pkg/util/proxy/upgradeaware.go: "error trying to reach service").
    """
    return reply.status == 503 and reply.body.startswith((b"service unavailable", b"error trying to reach service"))


def is_before_forwarding(reply: Reply) -> bool:
    """True where that 503 says that the request never left kube-apiserver."""
    return reply.body.startswith(b"service unavailable") or b"dial tcp" in reply.body


def error_of(label: str, method: str, path: str, reply: Reply) -> e.KubeError:
    """Return the error that an unsuccessful reply means.

    :param label: names the cluster and its server.
    """
    status = read_status(reply)
    keywords: dict[str, t.Any] = {"status": reply.status, "reason": status.reason, "api_message": status.message}
    said = f"{reply.status}{f': {status.message}' if status.message else ''}".rstrip(".")

    def sentence(verdict: str, advice: str) -> str:
        return f"{label}: {method} {path} {verdict} ({said}). {advice}"

    if reply.status == 401:
        return e.KubeError(
            sentence("was not authorized", "The credentials are not valid, or no longer: renew the token or certificate."), e.FORBIDDEN, **keywords
        )
    if reply.status == 403 and (method == "GET" or not _is_admission(status)):
        advice = "Grant this to the user or service account in RBAC, or use other credentials."
        if 'User "system:anonymous"' in status.message:
            advice = "No credentials were sent: set kubeconfig, or api_key, or client_cert and client_key."
        return e.KubeError(sentence("is forbidden", advice), e.FORBIDDEN, **keywords)
    if reply.status == 400 and "HTTP request to an HTTPS server" in status.message:
        return e.KubeError(sentence("was refused", "Write https:// instead of http:// in the server's address."), **keywords)
    if reply.status in (400, 403, 422):
        advice = "The server does not understand the request." if method == "GET" else "Nothing was changed by this request."
        return e.InvalidError(sentence("was refused", advice), **keywords)
    if reply.status == 404 and status.reason == "NotFound" and status.object_name:
        return e.NotFoundError(sentence("found nothing", "The object does not exist (any more)."), **keywords)
    if reply.status in (404, 405):
        return e.KubeError(
            sentence("is not served", "This cluster does not have that API: its CRD or aggregated API is not installed, or is of another version."),
            e.NOT_SERVED,
            **keywords,
        )
    if reply.status == 409:
        advice = "Nothing was changed by this request. Read the object again and decide anew."
        return e.ConflictError(sentence("conflicts with what is there", advice), **keywords)
    if reply.status == 410:
        return e.KubeError(sentence("has expired", "The list must be read anew."), **keywords)
    if reply.status == 429:
        return e.KubeError(sentence("was refused for too many requests", "The API server is overloaded: try again later."), **keywords)
    if 300 <= reply.status < 400:
        target = _one_line(str(reply.headers.get("Location") or ""))[:200].partition("?")[0]
        advice = "An API server does not redirect: check the server's address, and proxies or logins on the way."
        return e.KubeError(sentence(f"was redirected to {target}", advice), **keywords)
    if is_aggregation_failure(reply):
        group = path.split("/")[2] if path.startswith("/apis/") and path.count("/") >= 3 else "this group"
        advice = (
            f"The aggregated API server behind {group} does not answer; the rest of the cluster may be well. "
            "See kubectl get apiservices, and the pods of its Service."
        )
        return e.KubeError(sentence("is unavailable", advice), **keywords)
    return e.KubeError(sentence("failed", "The API server or a proxy before it is in trouble: see its logs."), **keywords)


def _is_admission(status: Status) -> bool:
    """True where a 403 comes from admission (webhook, policy, quota, Pod Security) and not from the authorizer.

    The authorizer's words are `... is forbidden: User "x" cannot list resource ...` (apiserver pkg/endpoints/handlers/responsewriters/errors.go).
    """
    return not re.search(r'User "[^"]*" cannot ', status.message) and status.reason == "Forbidden" and status.from_api


def _quote(text: str) -> str:
    """Return the API's words fit for output: one line, not endless, and without long values."""

    def shortened(found: re.Match[str]) -> str:
        return found.group() if len(found.group(2)) <= _LONGEST_VALUE and found.group(2)[:2] != '"{' else f"{found.group(1)} value"

    return _one_line(_QUOTED_VALUE.sub(shortened, text))[:_LONGEST_QUOTE]


def _one_line(text: str) -> str:
    return " ".join(text.split())
