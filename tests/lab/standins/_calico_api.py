# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Calico API server does with a request: the verbs on its kinds, on top of the CRDs of the cluster's own API server.

Imitates projectcalico/calico apiserver/pkg/{registry,storage} and libcalico-go of v3.26. Told apart from a CRD by:

* validation and defaults of IPPools (_calico_ippool.py), refused with 422 and libcalico-go's text;
* ``dryRun=All`` never reaches that code (DryRunnableStorage answers first): a dry run accepts a pool that overlaps, and shows no defaults;
* lists ignore ``limit``: they come whole;
* a replace without resourceVersion is refused; of the preconditions of a delete only the UID is looked at;
* deleting an enabled pool disables it first, and half a second passes.
"""

from __future__ import annotations

import datetime
import http.client
import json
import ssl
import threading
import typing as t
import urllib.parse
import uuid

from tests.lab.client import ApiError, Client
from tests.lab.info import ClusterInfo
from tests.lab.standins import _calico_ippool as ippool
from tests.lab.standins import _calico_storage as storage
from tests.lab.standins import _kube_answers as answers
from tests.lab.standins._calico_storage import GROUP, Kind, Object

AFFINITY_SECONDS = 0.5
WATCH_SECONDS = 3600
TOP_LEVEL = ("kind", "apiVersion", "metadata", "spec")
PATCHES = ("application/merge-patch+json",)
LISTED_BY = ("labelSelector", "fieldSelector", "resourceVersion", "resourceVersionMatch")
WATCHED_BY = (*LISTED_BY, "timeoutSeconds", "allowWatchBookmarks", "sendInitialEvents")

Query = t.Mapping[str, str]


class CalicoApi:
    """The verbs. Raises Refused for every answer that is an error; errors of the cluster's API server come through as they are.

    :param pause: how long the deletion of an enabled pool waits, in seconds.
    :ivar kinds: those that the cluster's version of Calico serves, by plural.
    """

    def __init__(self, cluster: ClusterInfo, client: Client, identity: str, pause: float) -> None:
        self._cluster = cluster
        self._client = client
        self._identity = identity
        self._pause = pause
        self._schemas: dict[str, Object] = {}
        self._version = str(cluster.options.get("calico_version", ""))
        self.kinds = storage.kinds(self._version)

    def list(self, kind: Kind, query: Query) -> Object:
        wanted = {key: query[key] for key in LISTED_BY if query.get(key)}
        answer = self._call("GET", kind, query=wanted)
        items = [storage.to_v3({**each, "kind": kind.name}) for each in answer.get("items") or []]
        return storage.as_list(kind, items, answer["metadata"]["resourceVersion"])

    def get(self, kind: Kind, name: str) -> Object:
        return storage.to_v3(self._call("GET", kind, name))

    def create(self, kind: Kind, body: Object, query: Query) -> tuple[Object, list[str]]:
        """The created object, and warnings."""
        obj, warnings = self._accepted(kind, body, query)
        metadata = obj["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
        name = metadata.get("name", "")
        if not name:
            raise answers.invalid(GROUP, kind.name, name, [("metadata.name", "", "name or generateName is required")])
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        metadata.pop("resourceVersion", None)
        if _dry_run(query):
            if self._find(kind, name):
                raise answers.already_exists(GROUP, kind.plural, name)
            return obj, warnings
        self._prepare(kind, obj, None)
        stored = self._call("POST", kind, body=self._stored(obj), name=name)
        return storage.to_v3(stored), warnings

    def replace(self, kind: Kind, name: str, body: Object, query: Query) -> tuple[Object, list[str]]:
        obj, warnings = self._accepted(kind, body, query)
        if obj["metadata"].get("name", name) != name:
            message = f"the name of the object ({obj['metadata']['name']}) does not match the name on the URL ({name})"
            raise answers.Refused(400, "BadRequest", message)
        current = self.get(kind, name)
        if not obj["metadata"].get("resourceVersion"):
            raise answers.invalid(GROUP, kind.name, name, [("metadata.resourceVersion", 0, "must be specified for an update")])
        return self._update(kind, name, current, obj, query), warnings

    def patch(self, kind: Kind, name: str, patch: Object, content_type: str, query: Query) -> tuple[Object, list[str]]:
        if content_type not in PATCHES:
            message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(PATCHES)}"
            raise answers.Refused(415, "UnsupportedMediaType", message)
        current = self.get(kind, name)
        obj, warnings = self._accepted(kind, answers.merge(current, patch), query)
        return self._update(kind, name, current, obj, query), warnings

    def delete(self, kind: Kind, name: str, options: Object, query: Query) -> Object:
        current = self.get(kind, name)
        wanted = (options.get("preconditions") or {}).get("uid")
        uid = current["metadata"]["uid"]
        if wanted and wanted != uid:
            why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
            raise answers.conflict(GROUP, kind.plural, name, f"StorageError: invalid object, Code: 4, Key: /{GROUP}/{kind.plural}/{name}, {why}")
        if not _dry_run(query) and "All" not in options.get("dryRun", ()):
            if kind.plural == "ippools":
                self._release(kind, name, current)
            self._call("DELETE", kind, name, body={"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}})
        details = {"name": name, "group": GROUP, "kind": kind.plural, "uid": uid}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def delete_collection(self, kind: Kind, options: Object, query: Query) -> Object:
        found = self.list(kind, query)
        for each in found["items"]:
            try:
                self.delete(kind, each["metadata"]["name"], options, query)
            except answers.Refused as error:
                if error.code != 404:
                    raise
        return found

    def watch(self, kind: Kind, query: Query, stop: threading.Event) -> t.Iterator[tuple[str, Object]]:
        """Events as the cluster's API server sends them, until it ends the watch or ``stop`` is set."""
        wanted = {"watch": "true", **{key: query[key] for key in WATCHED_BY if query.get(key)}}
        pki = self._cluster.pki
        tls = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        tls.load_cert_chain(str(pki / f"{self._identity}.crt"), str(pki / f"{self._identity}.key"))
        server = urllib.parse.urlsplit(self._cluster.server)
        connection = http.client.HTTPSConnection(server.hostname or "", server.port, timeout=WATCH_SECONDS, context=tls)
        try:
            path = f"{storage.stored_path(kind)}?{urllib.parse.urlencode(wanted)}"
            connection.request("GET", path, headers={"User-Agent": self._identity, "Accept": "application/json"})
            response = connection.getresponse()
            if response.status >= 400:
                raise _refused(ApiError(response.status, "", "", json.loads(response.read() or b"{}")), kind)
            while not stop.is_set():
                line = response.readline()
                if not line:
                    return
                event = json.loads(line)
                obj = event["object"]
                yield event["type"], obj if obj.get("kind") == "Status" else storage.to_v3({**obj, "kind": kind.name})
        except (OSError, http.client.HTTPException, ValueError):
            return  # the cluster's API server went away: the watch ends, and whoever wants to go on asks again
        finally:
            connection.close()

    def allowed(self, user: str, groups: list[str], extra: dict[str, list[str]], verb: str, kind: Kind, name: str) -> tuple[bool, str]:
        """What the cluster's API server says of a user's right, and why, as for every delegated authorization."""
        spec = {
            "user": user,
            "groups": groups,
            "extra": extra,
            "resourceAttributes": {"group": GROUP, "version": "v3", "resource": kind.plural, "verb": verb, "name": name, "namespace": kind.namespace},
        }
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        status = self._client.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]
        return bool(status.get("allowed")), status.get("reason", "")

    def schema(self, kind: Kind) -> Object:
        """The structural schema of a kind: that of the CRD that stores it."""
        if kind.plural not in self._schemas:
            path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.plural}.crd.{GROUP}"
            try:
                versions = self._client.get(path)["spec"]["versions"]
            except ApiError as error:
                raise _refused(error, kind) from error
            self._schemas[kind.plural] = versions[0]["schema"]["openAPIV3Schema"]
        return self._schemas[kind.plural]

    def _accepted(self, kind: Kind, body: Object, query: Query) -> tuple[Object, list[str]]:
        """A body that may be written, without its unknown fields, and warnings of those."""
        if body.get("kind", kind.name) != kind.name or body.get("apiVersion", storage.API_VERSION) != storage.API_VERSION:
            message = (
                f"{body.get('kind')} in version \"{body.get('apiVersion')}\" cannot be handled as a {kind.name}: "
                f"the object is no {kind.name} of {storage.API_VERSION}"
            )
            raise answers.Refused(400, "BadRequest", message)
        obj = {"kind": kind.name, "apiVersion": storage.API_VERSION, "metadata": {}, "spec": {}, **json.loads(json.dumps(body))}
        if kind.namespace:
            obj["metadata"]["namespace"] = kind.namespace
        schema = self.schema(kind)["properties"].get("spec", {})
        unknown = answers.unknown_fields(obj["spec"], schema, ("spec",)) + [(key,) for key in obj if key not in TOP_LEVEL]
        fields = [f'unknown field "{answers.shown_path(each)}"' for each in unknown]
        validation = query.get("fieldValidation") or "Warn"
        if unknown and validation == "Strict":
            message = f'{kind.name} in version "v3" cannot be handled as a {kind.name}: strict decoding error: {", ".join(fields)}'
            raise answers.Refused(400, "BadRequest", message)
        for path in unknown:
            answers.without_field(obj, path)
        return obj, fields if validation == "Warn" else []

    def _update(self, kind: Kind, name: str, current: Object, obj: Object, query: Query) -> Object:
        if obj["metadata"].get("resourceVersion") != current["metadata"]["resourceVersion"]:
            raise answers.modified(GROUP, kind.plural, name)
        for key in ("uid", "creationTimestamp"):
            obj["metadata"][key] = current["metadata"][key]
        if obj == current or _dry_run(query):
            return obj
        self._prepare(kind, obj, current)
        return storage.to_v3(self._call("PUT", kind, name, body=self._stored(obj)))

    def _prepare(self, kind: Kind, obj: Object, current: Object | None) -> None:
        if kind.plural != "ippools":
            return
        others = {each["metadata"]["name"]: each.get("spec") or {} for each in self._call("GET", kind).get("items") or []} if current is None else {}
        name = obj["metadata"]["name"]
        obj["spec"], errors = ippool.prepare(name, obj["spec"], current["spec"] if current else None, others)
        if errors:
            raise answers.invalid(GROUP, kind.name, name, errors)

    def _release(self, kind: Kind, name: str, current: Object) -> None:
        if not current["spec"].get("disabled"):
            disabled = {**current, "spec": {**current["spec"], "disabled": True}}
            self._call("PUT", kind, name, body=self._stored(disabled))
        threading.Event().wait(self._pause)

    def _stored(self, obj: Object) -> Object:
        return storage.to_stored(obj, self._version)

    def _find(self, kind: Kind, name: str) -> Object | None:
        try:
            return self.get(kind, name)
        except answers.Refused as error:
            if error.code == 404:
                return None
            raise

    def _call(self, method: str, kind: Kind, name: str = "", body: Object | None = None, query: Query | None = None) -> Object:
        path = storage.stored_path(kind, "" if method == "POST" else name)
        try:
            return self._client.request(method, path, body, query)
        except ApiError as error:
            raise _refused(error, kind, name) from error


def _dry_run(query: Query) -> bool:
    return query.get("dryRun") == "All"


def _refused(error: ApiError, kind: Kind, name: str = "") -> answers.Refused:
    """An error of the cluster's own API server as one of the Calico API server."""
    if error.status == 404:
        return answers.not_found(GROUP, kind.plural, name)
    if error.status == 409 and error.reason == "AlreadyExists":
        return answers.already_exists(GROUP, kind.plural, name)
    if error.status == 409:
        return answers.modified(GROUP, kind.plural, name)
    body = error.body
    code = error.status or 500
    return answers.Refused(code, body.get("reason", error.reason), body.get("message") or error.message, body.get("details"))
