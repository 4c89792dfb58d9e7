# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Running ``subctl`` so that it can neither ask, nor hang, nor print a secret."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import typing as t
from urllib.parse import unquote

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _join_options as join_options
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import parse_submariner_version

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_VERSION = re.compile(r"\bv?(\d+\.\d+\.\d+[-.\w+]*)")
_KEPT = 4000  # characters of output that an error message keeps: the end, where the reason is

# Text of a failing join -> what it means and what to do (subctl cmd/subctl/join.go, pkg/join/join.go, pkg/restconfig).
_KNOWN_FAILURES: tuple[tuple[str, str], ...] = (
    ("unknown flag:", "This subctl does not know an option that was asked for. Install the subctl of the wanted Submariner version, or leave the option out."),
    ("is older than the deployed", "subctl is older than the Submariner that runs in the cluster. Install the subctl of that version, or a newer one."),
    (
        "must be unique",
        "The broker holds a Cluster of this id that this cluster did not make: another member has the id, or this one was removed uncleanly. Choose another "
        "cluster_id, or, where the cluster of that record is gone for good, remove its records at the broker with role fathom.submariner.broker_records.",
    ),
    ("Error collecting CIDR", "subctl found no CIDR and wanted to ask for it. Give cluster_cidr and service_cidr."),
    ("Error getting gateway node", "subctl wanted to ask which node is the gateway. Give gateway_nodes."),
    ("Error loading the broker information", "The broker file cannot be read. It is the broker-info.subm that subctl deploy-broker wrote."),
    (
        "Unable to retrieve Globalnet information",
        "The broker was deployed by another release of subctl, which keeps this information in another form. Use the subctl of the broker's release.",
    ),
    (
        "Unable to retrieve ClustersetIP information",
        "The broker was deployed by an older release of subctl, without clusterset IPs. Use the subctl of the broker's release.",
    ),
    (
        "timed out waiting for the condition",
        "The old Submariner object could not be removed: its operator must run, and must be able to discover the network, to end its finalizer.",
    ),
    ("context deadline exceeded", "The operator's Deployment did not become Available: look at its pod, its image may not be reachable from here."),
    (
        "broker admin config: Unauthorized",
        "The broker does not accept the token of broker_info: it was revoked, or the broker was deployed anew. 'subctl recover-broker-info', run where the "
        "broker is, writes the file anew.",
    ),
    ("Unauthorized", "An API server does not accept the credentials: those of this cluster's kubeconfig have expired or were revoked."),
    *(
        (text, "subctl could not reach an API server: this cluster's, or the broker's that broker_info names. A proxy must let this host through to both.")
        for text in ("connection refused", "i/o timeout", "no such host", "no route to host", "network is unreachable", "Proxy Authentication Required")
    ),
    (
        "certificate signed by unknown authority",
        "The broker's certificate is not trusted. Give the broker's CA in broker_info, or check_broker_certificate=false.",
    ),
    ("certificate has expired or is not yet valid", "An API server's certificate has expired, or the clock of this host is wrong."),
    ("x509: certificate is valid for", "The API server's certificate is for other names: the broker's URL, or broker_url, must be one of those that it names."),
    # subctl goes on after these two where it may, so they are the reason only where nothing else is.
    ("is forbidden", "The credentials lack the right that is named: subctl join needs an administrator of this cluster, and the token of broker_info."),
    ("fails to meet Submariner's version requirements", "Kubernetes here is older than Submariner supports. ignore_requirements=true goes on all the same."),
)


class Subctl:
    """One ``subctl`` program on this host."""

    def __init__(self, path: str, secrets: t.Iterable[str] = ()) -> None:
        """:param path: a file, or a name to look up on PATH. :param secrets: texts that no message may contain.

        :raises InputError: when there is no such program.
        """
        found = shutil.which(os.path.expanduser(path))
        if found is None:
            raise InputError(
                f"subctl was not found: {path!r} is neither an executable file nor a program on PATH ({os.environ.get('PATH', '')}) of "
                "the host that runs this task. "
                "Install the subctl of your Submariner version there, or give its path in option subctl. Nothing was written."
            )
        self.path = found
        # In a URL a password may be escaped, and a program may print it as it is sent.
        self._secrets = sorted({form for secret in secrets if secret for form in (secret, unquote(secret))}, key=len, reverse=True)

    def version(self, timeout: float = 30) -> str:
        """The version that the program reports, e.g. ``0.19.0-rc3``; "" when it reports none, as builds from a branch do."""
        code, output = self._run([self.path, "version"], timeout)
        if code != 0:
            raise SubmarinerError(f"{self.path} version failed with exit code {code}: {output}. Is it subctl, and built for this machine?")
        match = _VERSION.search(output)
        return match.group(1) if match else ""

    def join_command(self, broker_info: str, options: t.Mapping[str, t.Any], kubeconfig: t.Sequence[str]) -> list[str]:
        """The whole command line of a join. Token and key are in the files that it names; a proxy's password stands in it, since subctl takes it nowhere else.

        (subctl cmd/subctl/root.go, addHTTPProxyFlags: no default from the environment, no file.)
        """
        return [self.path, "join", broker_info, *kubeconfig, *join_options.command_line(options)]

    def join(self, command: t.Sequence[str], timeout: float, environment: t.Mapping[str, str] | None = None) -> str:
        """Run a join and return what it printed.

        :param environment: variables beside those of this process.

        :raises SubmarinerError: with the meaning of the failure; exit code 0 only says that the Submariner object was created.
        """
        code, output = self._run(command, timeout, environment)
        shown = self.redacted(" ".join(command))
        if code == 0:
            return output
        if code == 2 and ("panic:" in output or "goroutine" in output):
            raise SubmarinerError(
                f"subctl crashed (exit code 2, a Go panic) while running: {shown}\n{output}\n"
                "A control-plane option in two-token form (--cluster-cidr 10.0.0.0/16 without '=') is known to do that up to 0.19; use "
                "another version of subctl."
            )
        meaning = next((advice for text, advice in _KNOWN_FAILURES if text in output), "Its own words are above.")
        raise SubmarinerError(f"subctl failed with exit code {code}: {shown}\n{output}\n{meaning}")

    def redacted(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "********")
        return text

    def _run(self, command: t.Sequence[str], timeout: float, environment: t.Mapping[str, str] | None = None) -> tuple[int, str]:
        try:
            # A session of its own, so that a deadline ends also what subctl has started.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**_environment(), **(environment or {})},
            )
        except OSError as error:
            raise SubmarinerError(f"{command[0]} cannot be started: {error.strerror}. Is it built for this machine, and executable?") from error
        try:
            raw = process.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raw = process.communicate()[0]
            raise SubmarinerError(
                f"subctl did not end within {timeout:.0f} s and was killed: {self.redacted(' '.join(command))}\n{self._shown(raw)}\n"
                "It may have created some objects; running the same task again goes on from what is there."
            ) from error
        return process.returncode, self._shown(raw)

    def _shown(self, raw: bytes) -> str:
        text = self.redacted(_ANSI.sub("", raw.decode("utf-8", "replace"))).strip()
        return text if len(text) <= _KEPT else "[...]" + text[-_KEPT:]


def require_version(version: str, deployed: str, stated: t.Mapping[str, t.Any]) -> None:
    """Refuse a subctl that is older than what is deployed, or that does not know an option, before anything is written.

    subctl means to refuse the former itself, but its own version begins with "v", which its comparison does not parse, so it goes on
    (subctl pkg restconfig, checkVersionMismatch; seen with 0.17.3 against 0.19).

    :param version: what the program reports; "" (a development build) is taken as new enough.
    :param deployed: version of the Submariner in the cluster, "" where there is none.
    :param stated: the options that the user gave.
    :raises InputError: naming both versions.
    """
    if _older(version, deployed):
        raise InputError(
            f"subctl is {version}, older than the deployed Submariner {deployed}: it would write objects of an older form. Install subctl {deployed}."
        )
    for name, value in stated.items():
        option = join_options.BY_NAME[name]
        if value not in (None, "", [], {}) and _older(version, option.since):
            raise InputError(f"Option {name} needs subctl {option.since} or newer ({option.flag}), and this one is {version}. Nothing was written.")


def known_to(version: str, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Drop the options that this subctl has no flag for; used for values carried over from the cluster, which the user did not ask for."""
    return {name: value for name, value in options.items() if not _older(version, join_options.BY_NAME[name].since)}


def _older(version: str, other: str) -> bool:
    """True when both are known versions and the first is the older one; a build from a branch, or none, is taken as new enough."""
    left, right = parse_submariner_version(version), parse_submariner_version(other)
    return left is not None and right is not None and left.point < right.point


def _environment() -> dict[str, str]:
    # Without a home that is a terminal's, and with a dumb terminal, nothing is drawn over and over.
    return {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
