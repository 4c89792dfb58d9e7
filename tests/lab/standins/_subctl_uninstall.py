# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""subctl uninstall: pkg/uninstall/all.go of submariner-io/subctl."""

from __future__ import annotations

import sys

from tests.lab.client import ApiError
from tests.lab.standins._objects import BROKER_NAMESPACE, CLEANUP_FINALIZER, DEPLOYMENTS, GATEWAY_NODE_LABEL, NAMESPACE, OPERATOR
from tests.lab.standins._subctl_deploy import CRD_PATH, RBAC_PATH, Context, Values, until

DELETED_SECONDS = 150.0
MERGE = "application/merge-patch+json"


def uninstall(context: Context, values: Values) -> None:
    """Asks first, unless told not to; nothing but "y" or "yes" on standard input is a yes, and a no ends well."""
    name = context.access.name
    if not values["yes"]:
        question = f'This will completely uninstall Submariner from the cluster "{name}". Are you sure you want to continue?'
        print(f"? {question} (y/N) ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print(flush=True)
            return
    try:
        _delete_submariner(context, values["namespace"] or NAMESPACE)
        unused = _delete_broker(context)
        _delete_roles(context, keep_operator=not unused)
        if unused:
            _delete_rest(context, values["namespace"] or NAMESPACE)
        _unlabel(context)
    except (ApiError, TimeoutError) as error:
        raise context.fail("Error uninstalling Submariner", error) from None


def _delete_submariner(context: Context, namespace: str) -> None:
    access, reporter, name = context.access, context.reporter, context.access.name
    path = f"/apis/submariner.io/v1alpha1/namespaces/{namespace}/submariners/submariner"
    reporter.start(f'Checking if the connectivity component is installed on cluster "{name}"')
    if access.find(path) is None:
        reporter.success(f'The connectivity component is not installed on cluster "{name}" - skipping')
        reporter.end()
        return
    reporter.success(f'The connectivity component is installed on cluster "{name}"')
    reporter.start("Deleting the Submariner resource - this may take some time")
    _delete(context, path)
    try:
        until(lambda: access.find(path) is None, DELETED_SECONDS, "timed out")
    except TimeoutError:
        if access.find(f"{DEPLOYMENTS}/{OPERATOR}"):
            what = "the Submariner operator pod appears to be running but did not complete deletion of the resource. Please check the pod logs"
            raise context.fail('Error deleting Submariner resource "submariner"', what) from None
        reporter.warning(
            "The Submariner operator deployment does not exist so deletion of the resource was not completed - the resource will be force-deleted"
        )
        found = access.get(path)["metadata"].get("finalizers") or []
        access.request("PATCH", path, {"metadata": {"finalizers": [each for each in found if each != CLEANUP_FINALIZER]}}, MERGE)
        until(lambda: access.find(path) is None, DELETED_SECONDS, "timed out waiting for the Submariner resource to go")
    reporter.end()


def _delete_broker(context: Context) -> bool:
    """False if other members still use this cluster's broker."""
    access, reporter, name = context.access, context.reporter, context.access.name
    reporter.start(f'Checking if the broker component is installed on cluster "{name}"')
    brokers = access.items("/apis/submariner.io/v1alpha1/brokers")
    if not brokers:
        reporter.success(f'The broker component is not installed on cluster "{name}"')
        reporter.end()
        return True
    where = brokers[0]["metadata"].get("namespace", BROKER_NAMESPACE)
    reporter.success(f'The broker component is installed in namespace "{where}"')
    reporter.start(f'Verifying broker namespace "{where}" is not in use')
    endpoints = access.items(f"/apis/submariner.io/v1/namespaces/{where}/endpoints")
    others = [each["spec"]["cluster_id"] for each in endpoints if each["spec"]["cluster_id"] != name]
    if others:
        shown = " ".join(others)
        reporter.warning(f'Broker namespace "{where}" appears to be in use by other clusters ([{shown}]) - keeping the broker components.')
        reporter.end()
        return False
    reporter.start(f'Deleting the broker namespace "{where}"')
    _delete(context, f"/api/v1/namespaces/{where}")
    reporter.end()
    return True


def _delete_roles(context: Context, keep_operator: bool) -> None:
    context.reporter.start(f'Deleting the Submariner cluster roles and bindings on cluster "{context.access.name}"')
    for each in context.access.items(f"{RBAC_PATH}/clusterrolebindings"):
        name = each["metadata"]["name"]
        if name.startswith("submariner-") and not (keep_operator and name == OPERATOR):
            _delete(context, f"{RBAC_PATH}/clusterrolebindings/{name}")
            _delete(context, f"{RBAC_PATH}/clusterroles/{each['roleRef']['name']}")
            context.reporter.success(f'Deleted the "{name}" cluster role and binding')
    context.reporter.end()


def _delete_rest(context: Context, namespace: str) -> None:
    reporter, name = context.reporter, context.access.name
    reporter.start(f'Deleting the Submariner namespace "{namespace}" on cluster "{name}"')
    _delete(context, f"/api/v1/namespaces/{namespace}")
    reporter.start(f'Deleting the Submariner custom resource definitions on cluster "{name}"')
    for each in context.access.items(CRD_PATH):
        crd = each["metadata"]["name"]
        if crd.endswith(".submariner.io"):
            _delete(context, f"{CRD_PATH}/{crd}")
            reporter.success(f'Deleted the "{crd}" custom resource definition')
    reporter.end()


def _unlabel(context: Context) -> None:
    context.reporter.start(f'Unlabeling gateway nodes on cluster "{context.access.name}"')
    for each in context.access.items(f"/api/v1/nodes?labelSelector={GATEWAY_NODE_LABEL}%3Dtrue"):
        context.access.request("PATCH", f"/api/v1/nodes/{each['metadata']['name']}", {"metadata": {"labels": {GATEWAY_NODE_LABEL: None}}}, MERGE)
    context.reporter.end()


def _delete(context: Context, path: str) -> None:
    try:
        context.access.request("DELETE", path)
    except ApiError as error:
        if not error.not_found:
            raise
