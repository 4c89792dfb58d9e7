# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in for the tigera operator of an awake lab, v1.34 to v1.42. Each of its controllers acts when what it watches is not what it was.

* installation (tigera/operator pkg/controller/installation/core_controller.go): the Installation's effective spec into ``status.computed`` and
  ``status.mtu``; DaemonSets and Deployments of calico-system, whose edits by hand it takes back. ``status.variant`` comes with the first time that all
  of Calico is available.
* apiserver (pkg/controller/apiserver): for an APIServer its namespace, Deployment, Service and APIService, not before the Installation has its
  ``status.variant``; without one all of that goes, the APIService first.
* ippool (pkg/controller/ippool): pools that the Installation lists are made to be as it says, while Calico's API server is Ready.
* status (pkg/controller/status): TigeraStatus ``calico``, ``apiserver`` and ``ippools``, and the conditions of Installation and APIServer.

What it renders beside what depends on the Installation is what the layout has: from ``woken.json`` and ``healthy.json``.
"""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

from tests.lab import layout as layouts, woken
from tests.lab.client import ApiError
from tests.lab.info import ClusterInfo, LabInfo
from tests.lab.standins import _tigera_render as render, _tigera_status as health
from tests.lab.standins._kubelet_status import stamp
from tests.lab.standins._loop import Loop, whole
from tests.lab.standins._objects import pod_fingerprint
from tests.lab.standins._tigera_view import API_SERVERS, API_SERVICES, API_SYSTEM, CALICO_NODE, COLLECTIONS, INSTALLATION, POOLS, STATUSES, SYSTEM, View
from tests.lab.store import Store

Object = dict[str, t.Any]

MANAGER = "operator"
OVERRIDES = {"csi-node-driver": "csiNodeDriverDaemonSet", "calico-typha": "typhaDeployment", "calico-kube-controllers": "calicoKubeControllersDeployment"}
NO_API = "Unable to modify IP pools while Calico API server is unavailable"
NO_VARIANT = "Waiting for Installation Variant to be set"
RETRY_SECONDS = 0.3


class TigeraOperator:
    name = "tigera-operator"

    def __init__(self, lab_dir: Path, cluster: ClusterInfo, lab: LabInfo) -> None:
        self._cluster = cluster
        self._store = Store(cluster, self.name)
        self._client = self._store.client
        self._pod_mtu = int(layouts.load(str(lab.layout)).variables["pod_mtu"])
        self._healthy = woken.healthy(cluster)
        self._plain = View.of(self._healthy)
        self._woken = View.of(woken.woken(cluster))
        self._owns_pools = f"{STATUSES}/ippools" in self._healthy
        self._degraded: dict[str, tuple[str, str]] = {}
        self._written: dict[str, tuple[Object, Object]] = {}
        self._seen = {each: mark(self._woken) for each, (mark, _act) in self._controllers().items()}

    def run(self, stop: threading.Event) -> None:
        loop = Loop(f"{self._cluster.name}.{self.name}", stop)
        for each in COLLECTIONS:
            loop.watch(self._client, each, pod_fingerprint if each.endswith("/pods") else whole)
        loop.watch(self._client, API_SERVICES, lambda each: each["spec"])
        loop.run(self._step)

    def _controllers(self) -> dict[str, tuple[t.Callable[[View], t.Any], t.Callable[[View], bool]]]:
        return {
            "installation": (self._installation_mark, self._install),
            "apiserver": (self._api_mark, self._serve_api),
            "ippool": (self._pool_mark, self._pools),
            "status": (self._status_mark, self._report),
        }

    def _step(self) -> float | None:
        """Lets every controller act for which something has changed; one that is not done is called again."""
        again = None
        for name, (mark, act) in self._controllers().items():
            view = View.now(self._client)
            now = mark(view)
            if now == self._seen.get(name):
                continue
            if act(view):
                self._seen[name] = now
            else:
                again = RETRY_SECONDS
        return again

    def _installation_mark(self, view: View) -> t.Any:
        workloads = [(each["metadata"]["name"], each["spec"]) for each in (*view.daemon_sets, *view.deployments)]
        return view.installation and view.installation["spec"], sorted(workloads, key=lambda each: each[0])

    def _install(self, view: View) -> bool:
        installation = view.installation
        if installation is None:
            return True
        why = render.problem(installation["spec"])
        if why:
            self._degraded["calico"] = ("ResourceValidationError", why)
            return True
        self._degraded.pop("calico", None)
        effective = self._effective(installation)
        mtu = (effective.get("calicoNetwork") or {}).get("mtu") or self._pod_mtu
        status = installation.get("status") or {}
        if status.get("computed") != effective or status.get("mtu") != mtu:
            self._client.request("PUT", f"{INSTALLATION}/status", {**installation, "status": {**status, "computed": effective, "mtu": mtu}})
        for path, current in view.objects.items():
            if path in self._plain.objects and current in (*view.daemon_sets, *view.deployments):
                self._render(path, current, effective)
        return True

    def _render(self, path: str, current: Object, effective: Object) -> None:
        rendered, plain = self._woken.objects.get(path, self._plain.objects[path]), self._plain.objects[path]
        if path == CALICO_NODE:
            wanted = render.calico_node(rendered, plain, effective)
        else:
            overrides = (effective.get(OVERRIDES.get(current["metadata"]["name"], "")) or {}).get("spec")
            wanted = render.workload(rendered, plain, overrides)
        wanted = render.kept(wanted, current["spec"])
        if wanted == current["spec"] or self._written.get(path) == (wanted, current["spec"]):
            return
        left = self._client.request("PUT", path, {**current, "spec": wanted}, {"fieldManager": MANAGER})
        self._written[path] = (wanted, left["spec"])

    def _effective(self, installation: Object) -> Object:
        before = self._woken.installation or self._plain.installation or {"spec": {}}
        return render.computed(installation["spec"], (before.get("status") or {}).get("computed") or before["spec"], before["spec"])

    def _api_mark(self, view: View) -> t.Any:
        made = {path: each["spec"] for path, each in view.objects.items() if path in self._api_paths() and "spec" in each}
        variant = ((view.installation or {}).get("status") or {}).get("variant")
        return view.api_server and view.api_server["metadata"]["name"], variant, made

    def _api_paths(self) -> list[str]:
        """What it makes for an APIServer, in the order in which it makes it."""
        found = [path for path, each in self._healthy.items() if _is_of_api_server(path, each)]
        return sorted(found, key=lambda each: (self._healthy[each]["kind"] == "APIService", self._healthy[each]["kind"] != "Namespace"))

    def _serve_api(self, view: View) -> bool:
        if view.api_server is None:
            self._degraded.pop("apiserver", None)
            return self._take_api_away()
        if not ((view.installation or {}).get("status") or {}).get("variant"):
            self._degraded["apiserver"] = (health.NOT_READY, NO_VARIANT)
            return True
        self._degraded.pop("apiserver", None)
        for path in self._api_paths():
            wanted = {key: value for key, value in self._healthy[path].items() if key != "status"}
            current = self._client.find(path)
            if current is None:
                self._store.plant(wanted, MANAGER)
            elif "deletionTimestamp" in current["metadata"]:
                return False
            else:
                if current.get("spec") and wanted["kind"] == "Deployment":
                    wanted["spec"] = render.kept(wanted["spec"], current["spec"])
                if current.get("spec") != wanted.get("spec"):
                    self._store.write(wanted, MANAGER)
        return True

    def _take_api_away(self) -> bool:
        """With a dead APIService the namespace would never go (tigera/operator issue 4103)."""
        for path in reversed(self._api_paths()):
            if self._client.find(path) is not None:
                self._client.delete(path, propagationPolicy="Background")
        status = f"{STATUSES}/apiserver"
        if self._client.find(status) is not None:
            self._client.delete(status)
        return True

    def _pool_mark(self, view: View) -> t.Any:
        listed = self._listed(view)
        ready = ((view.api_server or {}).get("status") or {}).get("state") == "Ready"
        return ready, listed, {name: view.pools[name]["spec"] for name in listed if name in view.pools}

    def _listed(self, view: View) -> dict[str, Object]:
        """The pools of the Installation by name, as they should be."""
        computed = ((view.installation or {}).get("status") or {}).get("computed") or {}
        return {each["name"]: render.pool(each) for each in (computed.get("calicoNetwork") or {}).get("ipPools") or () if "name" in each}

    def _pools(self, view: View) -> bool:
        self._degraded.pop("ippools", None)
        if not self._owns_pools:
            return True
        ready = ((view.api_server or {}).get("status") or {}).get("state") == "Ready"
        for name, wanted in self._listed(view).items():
            current = view.pools.get(name)
            if current is None or wanted.items() <= current["spec"].items():
                continue
            if not ready:
                self._degraded["ippools"] = (health.NOT_READY, NO_API)
                return True
            self._client.merge_patch(f"{POOLS}/{name}", {"spec": wanted})
        return True

    def _status_mark(self, view: View) -> t.Any:
        generations = [each and each["metadata"]["generation"] for each in (view.installation, view.api_server)]
        return generations, dict(self._degraded), self._calico_health(view), self._api_health(view)

    def _calico_health(self, view: View) -> health.Health:
        return health.health(view.daemon_sets, view.deployments, view.pods, self._degraded.get("calico"))

    def _api_health(self, view: View) -> health.Health:
        return health.health((), view.api_deployments, view.pods, self._degraded.get("apiserver"))

    def _report(self, view: View) -> bool:
        calico, api, installation, api_server = self._calico_health(view), self._api_health(view), view.installation, view.api_server
        if installation is not None:
            self._report_installation(installation, calico)
            self._tigera_status("calico", calico, installation["metadata"]["generation"])
            if self._owns_pools:
                self._tigera_status("ippools", health.Health(degraded=self._degraded.get("ippools")), installation["metadata"]["generation"])
        # Before there is a Deployment there is nothing to tell of it.
        if api_server is not None and (view.api_deployments or api.degraded):
            status = api_server.get("status") or {}
            made = health.conditions(api, status.get("conditions") or (), api_server["metadata"]["generation"], stamp(), "Ready")
            wanted = {**status, "conditions": made, **({"state": "Ready"} if api.available else {})}
            if wanted != status:
                self._client.merge_patch(f"{API_SERVERS}/{api_server['metadata']['name']}/status", {"status": wanted})
            self._tigera_status("apiserver", api, api_server["metadata"]["generation"])
        return True

    def _report_installation(self, installation: Object, calico: health.Health) -> None:
        status = installation.get("status") or {}
        made = health.conditions(calico, status.get("conditions") or (), installation["metadata"]["generation"], stamp(), "Ready")
        wanted = {**status, "conditions": made}
        if calico.available and not status.get("variant"):
            known = (self._plain.installation or {}).get("status") or {}
            wanted.update({key: known[key] for key in ("variant", "calicoVersion") if key in known})
        if wanted != status:
            self._client.merge_patch(f"{INSTALLATION}/status", {"status": wanted})

    def _tigera_status(self, name: str, found: health.Health, generation: int) -> None:
        path = f"{STATUSES}/{name}"
        current = self._client.find(path)
        before = ((current or {}).get("status") or {}).get("conditions") or ()
        wanted = health.conditions(found, before, generation, stamp())
        if current is None:
            try:
                self._client.create(STATUSES, {"apiVersion": "operator.tigera.io/v1", "kind": "TigeraStatus", "metadata": {"name": name}, "spec": {}})
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise
        if list(before) != wanted:
            self._client.merge_patch(f"{path}/status", {"status": {"conditions": wanted}})


def _is_of_api_server(path: str, obj: Object) -> bool:
    metadata = obj["metadata"]
    if obj["kind"] == "APIService":
        return bool(obj["spec"].get("service")) and metadata["name"] == "v3.projectcalico.org"
    if obj["kind"] == "Namespace":
        return metadata["name"] == API_SYSTEM
    own = metadata.get("namespace") in (SYSTEM, API_SYSTEM) and obj["kind"] in ("Deployment", "Service", "NetworkPolicy", "Secret", "ServiceAccount")
    return own and ("apiserver" in metadata["name"] or metadata["name"] == "calico-api") and "crd.projectcalico.org" not in path
