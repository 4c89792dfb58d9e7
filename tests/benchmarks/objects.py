# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A large cluster's objects: nodes as a cloud registers them, agents as the tigera operator and Submariner's operator make them.

Bodies are as large as real ones: a Node has its images, a pod its mounts, tolerations, conditions and statuses (the API server adds managedFields).
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import typing as t

Object = dict[str, t.Any]

POD_CIDR, SERVICE_CIDR = "10.0.0.0/10", "10.96.0.0/16"
REMOTE_CIDRS = ("10.128.0.0/10", "10.112.0.0/16")
SUBMARINER = "submariner-operator"
CALICO = "calico-system"
CREATED = "2026-10-01T08:00:00Z"
READY = "2026-10-01T08:02:30Z"
STARTED = "2026-11-02T03:04:05Z"
CRDS = ("submariner", "submariner-globalnet", "calico", "calico-tiers", "calico-policy", "tigera", "helm", "mcs")
NODES_PER_RACK = 40
BLOCK_SIZE = 64


def cluster_objects(nodes: int) -> t.Iterator[list[Object]]:
    """All objects in batches; what a batch needs was in one before it."""
    yield [_object("v1", "Namespace", name) for name in (CALICO, "calico-apiserver", "tigera-operator", SUBMARINER, "shop")]
    yield list(_few(nodes))
    for numbers in _chunks(range(nodes), 500):
        yield list(itertools.chain.from_iterable(_of_node(number) for number in numbers))


def count(nodes: int) -> str:
    return f"{nodes:,} nodes with {2 * nodes:,} agent pods, {nodes:,} IPAMBlocks and {nodes:,} RouteAgents"


def _chunks(numbers: range, size: int) -> t.Iterator[range]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _object(api_version: str, kind: str, name: str, namespace: str = "", **parts: t.Any) -> Object:
    metadata: Object = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def _node_name(number: int) -> str:
    return f"ip-172-{16 + number // 65536}-{number // 256 % 256}-{number % 256}.eu-central-1.compute.internal"


def _address(number: int) -> str:
    return str(ipaddress.ip_address("172.16.0.0") + number + 10)


def _of_node(number: int) -> t.Iterator[Object]:
    yield _node(number)
    yield _calico_node(number)
    yield route_agent_pod(number)
    yield _block(number)
    yield _route_agent(number)


def _node(number: int) -> Object:
    name = _node_name(number)
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m5.4xlarge",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": f"eu-central-1{'abc'[number % 3]}",
        "example.com/rack": f"rack-{number // NODES_PER_RACK}",
        **({"node-role.kubernetes.io/control-plane": "true", "node-role.kubernetes.io/etcd": "true"} if number < 3 else {}),
        **({"submariner.io/gateway": "true"} if number in (3, 4) else {}),
    }
    annotations = {
        "alpha.kubernetes.io/provided-node-ip": _address(number),
        "node.alpha.kubernetes.io/ttl": "300",
        "projectcalico.org/IPv4Address": f"{_address(number)}/20",
        "projectcalico.org/IPv4VXLANTunnelAddr": str(_block_of(number)[1]),
        "rke2.io/hostname": name,
        "rke2.io/internal-ip": _address(number),
        "rke2.io/node-args": json.dumps(["server" if number < 3 else "agent", "--token", "********", *(_SERVER_ARGUMENTS if number < 3 else [])]),
        "rke2.io/node-config-hash": "5BWV3NWGLLEWPYJ6QKJGEW2TFV3MVFM5TYZ2AHQ3BOXAY6SZVCTA====",
        "volumes.kubernetes.io/controller-managed-attach-detach": "true",
    }
    images = [
        {
            "names": [f"registry.example.com/rancher/{image}@sha256:{position:064x}", f"registry.example.com/rancher/{image}:v1.31.{position}"],
            "sizeBytes": 91_000_000 + position,
        }
        for position, image in enumerate(_IMAGES)
    ]
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": STARTED, "lastTransitionTime": READY}
        for kind, status, reason, message in _CONDITIONS
    ]
    resources = {"cpu": "16", "ephemeral-storage": "103030Mi", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "64386Mi", "pods": "110"}
    info = {
        "machineID": f"{number:032x}",
        "systemUUID": f"{number:032x}",
        "bootID": f"{number:08x}-0000-4000-8000-000000000000",
        "kernelVersion": "5.14.0-427.13.1.el9_4.x86_64",
        "osImage": "Red Hat Enterprise Linux 9.4 (Plow)",
        "containerRuntimeVersion": "containerd://1.7.22-k3s1",
        "kubeletVersion": "v1.31.4+rke2r1",
        "kubeProxyVersion": "v1.31.4+rke2r1",
        "operatingSystem": "linux",
        "architecture": "amd64",
    }
    return _object(
        "v1",
        "Node",
        name,
        metadata={"labels": labels, "annotations": annotations},
        spec={"providerID": f"aws:///eu-central-1a/i-{number:017x}"},
        status={
            "addresses": [{"type": "InternalIP", "address": _address(number)}, {"type": "Hostname", "address": name}],
            "capacity": resources,
            "allocatable": resources,
            "conditions": conditions,
            "images": images,
            "nodeInfo": info,
        },
    )


_SERVER_ARGUMENTS = ["--cluster-cidr", POD_CIDR, "--service-cidr", SERVICE_CIDR, "--cni", "calico"]
_IMAGES = [
    "rke2-runtime", "hardened-kubernetes", "mirrored-calico-node", "mirrored-calico-cni", "mirrored-calico-operator", "hardened-coredns",
    "hardened-etcd", "mirrored-pause", "nginx-ingress-controller", "hardened-k8s-metrics-server", "klipper-helm", "submariner-route-agent",
]  # fmt: skip
_CONDITIONS = [
    ("NetworkUnavailable", "False", "CalicoIsUp", "Calico is running on this node"),
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
]
_TOLERATIONS = [
    {"effect": effect, "key": f"node.kubernetes.io/{key}", "operator": "Exists"}
    for key, effect in (("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"), ("memory-pressure", "NoSchedule"))
]


def _agent(
    name: str, namespace: str, labels: dict[str, str], owner: str, number: int, containers: list[Object], init: list[Object], paths: list[str]
) -> Object:
    names = {path: path.strip("/").replace("/", "-").replace(".", "-") for path in paths}
    mounts = [{"mountPath": path, "name": name} for path, name in names.items()]
    volumes = [{"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}} for path, name in names.items()]
    affinity = {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [_node_name(number)]}]}]
        }
    }
    owners = [
        {
            "apiVersion": "apps/v1",
            "blockOwnerDeletion": True,
            "controller": True,
            "kind": "DaemonSet",
            "name": owner,
            "uid": "9a0b5a30-7e6b-4f0e-9d57-3a1f6f6f0001",
        }
    ]
    status = {
        "phase": "Running",
        "hostIP": _address(number),
        "podIP": _address(number),
        "podIPs": [{"ip": _address(number)}],
        "qosClass": "Burstable",
        "startTime": STARTED,
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": STARTED}
            for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        ],
        "containerStatuses": [_status(each, {"running": {"startedAt": STARTED}}) for each in containers],
        "initContainerStatuses": [
            _status(each, {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": STARTED, "finishedAt": STARTED}}) for each in init
        ],
    }
    spec = {
        "nodeName": _node_name(number),
        "hostNetwork": True,
        "serviceAccountName": owner,
        "priorityClassName": "",
        "terminationGracePeriodSeconds": 5,
        "affinity": {"nodeAffinity": affinity},
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}, *_TOLERATIONS],
        "containers": [{**each, "volumeMounts": mounts} for each in containers],
        "initContainers": [{**each, "volumeMounts": mounts[:3]} for each in init],
        "volumes": volumes,
    }
    return _object("v1", "Pod", name, namespace, metadata={"labels": labels, "ownerReferences": owners, "generateName": f"{owner}-"}, spec=spec, status=status)


def _status(container: Object, state: Object) -> Object:
    running = "running" in state
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": f"{container['image']}@sha256:{'ab' * 32}",
        "containerID": f"containerd://{'cd' * 32}",
        "ready": True,
        "started": running,
        "restartCount": 0,
        "state": state,
    }


def _container(name: str, image: str, env: dict[str, str], **parts: t.Any) -> Object:
    return {
        "name": name,
        "image": f"registry.example.com/{image}",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"privileged": True},
        "env": [{"name": key, "value": value} for key, value in env.items()],
        **parts,
    }


def _suffix(number: int) -> str:
    return "".join("bcdfghjklmnpqrstvwxz2456789"[number // 27**position % 27] for position in range(5))


def _calico_node(number: int) -> Object:
    labels = {"app.kubernetes.io/name": "calico-node", "controller-revision-hash": "6c9f7d8b5c", "k8s-app": "calico-node", "pod-template-generation": "2"}
    probe = {"exec": {"command": ["/bin/calico-node", "-bird-ready", "-felix-ready"]}, "periodSeconds": 10, "timeoutSeconds": 10}
    env = {
        "CALICO_DISABLE_FILE_LOGGING": "true", "CALICO_MANAGE_CNI": "true", "CALICO_NETWORKING_BACKEND": "vxlan", "CLUSTER_TYPE": "k8s,operator",
        "DATASTORE_TYPE": "kubernetes", "FELIX_HEALTHPORT": "9099", "FELIX_TYPHACN": "typha-server", "FELIX_TYPHAK8SNAMESPACE": CALICO,
        "IP": "autodetect", "IP_AUTODETECTION_METHOD": "kubernetes-internal-ip", "NO_DEFAULT_POOLS": "true", "WAIT_FOR_DATASTORE": "true",
    }  # fmt: skip
    cni = _container("install-cni", "rancher/mirrored-calico-cni:v3.29.1", {"CNI_CONF_NAME": "10-calico.conflist"}, command=["/opt/cni/bin/install"])
    node = _container("calico-node", "rancher/mirrored-calico-node:v3.29.1", env, readinessProbe=probe)
    return _agent(f"calico-node-{_suffix(number)}", CALICO, labels, "calico-node", number, [node], [cni], ["/run/xtables.lock", "/var/run/calico"])


def route_agent_pod(number: int) -> Object:
    labels = {"app": "submariner-routeagent", "component": "routeagent", "controller-revision-hash": "58d5c6dfb7", "pod-template-generation": "1"}
    env = {
        "SUBMARINER_NAMESPACE": SUBMARINER, "SUBMARINER_CLUSTERID": "large", "SUBMARINER_DEBUG": "false", "SUBMARINER_CLUSTERCIDR": POD_CIDR,
        "SUBMARINER_SERVICECIDR": SERVICE_CIDR, "SUBMARINER_GLOBALCIDR": "", "SUBMARINER_NETWORKPLUGIN": "calico", "SUBMARINER_WAITFORNODE": "true",
    }  # fmt: skip
    init = _container("submariner-routeagent-init", "submariner/submariner-route-agent:0.19.0", {}, command=["submariner-route-agent.sh"])
    agent = _container("submariner-routeagent", "submariner/submariner-route-agent:0.19.0", env, command=["submariner-route-agent.sh"])
    return _agent(
        f"submariner-routeagent-{_suffix(number)}", SUBMARINER, labels, "submariner-routeagent", number, [agent], [init], ["/run/xtables.lock", "/host"]
    )


def _block_of(number: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((int(ipaddress.IPv4Network(POD_CIDR).network_address) + BLOCK_SIZE * number, 26))


def _block(number: int) -> Object:
    network = _block_of(number)
    used = 12
    spec = {
        "affinity": f"host:{_node_name(number)}",
        "allocations": [None if position >= used else position for position in range(BLOCK_SIZE)],
        "attributes": [
            {
                "handle_id": f"k8s-pod-network.{number * used + position:064x}",
                "secondary": {"namespace": "shop", "node": _node_name(number), "pod": f"web-{number}-{position}"},
            }
            for position in range(used)
        ],
        "cidr": str(network),
        "deleted": False,
        "sequenceNumber": 1763000000 + number,
        "strictAffinity": False,
        "unallocated": list(range(used, BLOCK_SIZE)),
    }
    return _object("crd.projectcalico.org/v1", "IPAMBlock", str(network).replace(".", "-").replace("/", "-"), spec=spec)


def _peer(hostname: str) -> Object:
    return {
        "backend": "libreswan", "cable_name": f"submariner-cable-peer-{hostname}", "cluster_id": "peer", "healthCheckIP": "10.128.0.1", "hostname": hostname,
        "nat_enabled": False, "private_ip": "192.168.7.4", "public_ip": "", "subnets": [REMOTE_CIDRS[1], REMOTE_CIDRS[0]],
    }  # fmt: skip


def _route_agent(number: int) -> Object:
    remote = [
        {
            "spec": _peer("gw-1"),
            "status": "connected",
            "statusMessage": "",
            "latencyRTT": {"average": "1.2ms", "last": "1.1ms", "max": "3ms", "min": "1ms", "stdDev": "0.2ms"},
        }
    ]
    return _object(
        "submariner.io/v1", "RouteAgent", _node_name(number), SUBMARINER, status={"version": "v0.19.0", "statusFailure": "", "remoteEndpoints": remote}
    )


def _few(nodes: int) -> t.Iterator[Object]:
    """What a cluster has one or two of, whatever its size."""
    status = {"clusterCIDR": POD_CIDR, "serviceCIDR": SERVICE_CIDR, "clusterID": "large", "networkPlugin": "calico", "natEnabled": False}
    spec = {
        "clusterID": "large", "clusterCIDR": POD_CIDR, "serviceCIDR": SERVICE_CIDR, "version": "0.19.0", "repository": "quay.io/submariner", "namespace": SUBMARINER,
        "broker": "k8s", "brokerK8sApiServer": "192.168.7.1:6443", "brokerK8sRemoteNamespace": "submariner-k8s-broker", "cableDriver": "libreswan",
        "ceIPSecDebug": False, "ceIPSecPSK": "", "debug": False, "natEnabled": False, "serviceDiscoveryEnabled": False,
        "connectionHealthCheck": {"enabled": True, "intervalSeconds": 1, "maxPacketLossCount": 5},
    }  # fmt: skip
    yield _object("submariner.io/v1alpha1", "Submariner", "submariner", SUBMARINER, spec=spec, status=status)
    own = {
        **_peer(_node_name(3)),
        "cluster_id": "large",
        "subnets": [SERVICE_CIDR, POD_CIDR],
        "private_ip": _address(3),
        "cable_name": "submariner-cable-large",
    }
    for name, endpoint in (("large-submariner-cable", own), ("peer-submariner-cable", _peer("gw-1"))):
        yield _object("submariner.io/v1", "Endpoint", name, SUBMARINER, spec=endpoint)
    for name, pods, services in (("large", POD_CIDR, SERVICE_CIDR), ("peer", *REMOTE_CIDRS)):
        yield _object(
            "submariner.io/v1",
            "Cluster",
            name,
            SUBMARINER,
            spec={"cluster_id": name, "cluster_cidr": [pods], "service_cidr": [services], "global_cidr": [], "color_codes": ["blue"]},
        )
    connection = {"endpoint": _peer("gw-1"), "status": "connected", "statusMessage": "", "usingIP": "192.168.7.4", "latencyRTT": {"average": "1ms"}}
    for number, ha_status in ((3, "active"), (4, "passive")):
        gateway = {
            "haStatus": ha_status,
            "version": "v0.19.0",
            "statusFailure": "",
            "localEndpoint": own,
            "connections": [connection] if ha_status == "active" else [],
        }
        yield _object("submariner.io/v1", "Gateway", _node_name(number), SUBMARINER, status=gateway)
    pools = [("default-ipv4-ippool", POD_CIDR, False)] + [(f"submariner-peer-{number}", cidr, True) for number, cidr in enumerate(REMOTE_CIDRS)]
    for name, cidr, remote in pools:
        pool = {
            "cidr": cidr,
            "blockSize": 26,
            "disabled": remote,
            "natOutgoing": not remote,
            "disableBGPExport": remote,
            "vxlanMode": "Always",
            "ipipMode": "Never",
            "nodeSelector": "all()",
            "allowedUses": ["Workload", "Tunnel"],
        }
        yield _object("crd.projectcalico.org/v1", "IPPool", name, spec=pool, metadata={"labels": {"submariner.io/ippool": "true"} if remote else {}})
    yield _object(
        "crd.projectcalico.org/v1", "ClusterInformation", "default", spec={"calicoVersion": "v3.29.1", "clusterType": "k8s,operator", "datastoreReady": True}
    )
    yield _object("crd.projectcalico.org/v1", "FelixConfiguration", "default", spec={"vxlanMTU": 1400, "bpfEnabled": False})
    network = {"bgp": "Disabled", "ipPools": [{"cidr": POD_CIDR, "encapsulation": "VXLAN"}], "nodeAddressAutodetectionV4": {"kubernetes": "NodeInternalIP"}}
    installation = {"kubernetesProvider": "RKE2", "cni": {"type": "Calico", "ipam": {"type": "Calico"}}, "calicoNetwork": network, "variant": "Calico"}
    yield _object(
        "operator.tigera.io/v1",
        "Installation",
        "default",
        spec=installation,
        status={"computed": installation, "mtu": 1450, "variant": "Calico", "calicoVersion": "v3.29.1"},
    )
    conditions = [
        {"type": kind, "status": state, "reason": "AllObjectsAvailable", "message": "", "lastTransitionTime": READY}
        for kind, state in (("Available", "True"), ("Progressing", "False"), ("Degraded", "False"))
    ]
    yield _object("operator.tigera.io/v1", "TigeraStatus", "calico", status={"conditions": conditions})
    yield _object(
        "helm.cattle.io/v1",
        "HelmChart",
        "rke2-calico",
        "kube-system",
        spec={"version": "v3.29.101", "set": {"global.clusterCIDR": POD_CIDR, "global.serviceCIDR": SERVICE_CIDR}},
    )
    for namespace, name, agent, image in (
        (CALICO, "calico-node", _calico_node(0), "calico"),
        (SUBMARINER, "submariner-routeagent", route_agent_pod(0), "submariner"),
    ):
        labels = {"k8s-app" if image == "calico" else "app": name}
        template = {
            "metadata": {"labels": labels},
            "spec": {key: value for key, value in agent["spec"].items() if key not in ("nodeName", "affinity", "priorityClassName")},
        }
        numbers = {key: nodes for key in ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable")}
        yield _object(
            "apps/v1",
            "DaemonSet",
            name,
            namespace,
            metadata={"labels": labels},
            spec={"selector": {"matchLabels": labels}, "template": template},
            status={**numbers, "numberMisscheduled": 0, "observedGeneration": 1},
        )
    for number in range(20):
        yield _object("v1", "Service", f"web-{number}", "shop", spec={"ports": [{"port": 80}], "selector": {"app": f"web-{number}"}})
    for number in range(40):
        yield _workload(number)


def _workload(number: int) -> Object:
    ip = str(_block_of(number)[4])
    status = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}], "conditions": [{"type": "Ready", "status": "True"}]}
    return _object(
        "v1",
        "Pod",
        f"web-{number}",
        "shop",
        metadata={"labels": {"app": "web"}},
        spec={"nodeName": _node_name(number), "containers": [_container("web", "web:1", {})]},
        status=status,
    )
