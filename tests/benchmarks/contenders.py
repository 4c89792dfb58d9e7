# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to read the same from one API server, each as a command of its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
import urllib.parse
from pathlib import Path

from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import LISTS_AT_ONCE
from tests.benchmarks.measure import Cost, Failed, run
from tests.benchmarks.recording import Request, record
from tests.lab.info import ClusterInfo

ROOT = Path(__file__).resolve().parents[2]
MODULE = "ansible_collections.fathom.submariner.plugins.modules.diagnose"
PARALLEL = LISTS_AT_ONCE  # transfers at a time

# Ansible starts a module's file as a program of its own; its arguments come on standard input.
MODULE_RUN = f"import runpy, ansible.module_utils.basic as basic; basic._ANSIBLE_PROFILE = 'legacy'; runpy.run_module('{MODULE}', run_name='__main__')"


class Setup(t.NamedTuple):
    """What all contenders need.

    :param scratch: a folder for their files.
    :param requests: what they shall read, see ``recording.record``.
    """

    cluster: ClusterInfo
    scratch: Path
    requests: list[Request]

    @property
    def lists(self) -> list[Request]:
        return [request for request in self.requests if request.is_list and request.is_first_page]


def module(setup: Setup) -> Cost:
    """Module diagnose: reading and judging."""
    arguments = {"kubeconfig": str(setup.cluster.kubeconfig), "cluster": "large", "timeout": 600}
    cost = run([sys.executable, "-c", MODULE_RUN], stdin=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
    if not json.loads(cost.output).get("cidrs"):
        raise Failed(f"the module did not diagnose: {cost.output[:1000]}")
    return cost


def curl(setup: Setup, parallel: int = 0) -> Cost:
    """curl of the same requests: the bodies, thrown away.

    They are recorded anew for each run: a continue token lives five minutes, and an expired one is answered at once, without a body.

    :param parallel: transfers at a time; 0 one after the other.
    """
    pki = setup.cluster.pki
    lines = ["silent", "http1.1", 'header = "Accept: application/json"', 'header = "Accept-Encoding: gzip"', r'write-out = "%{http_code}\n"']
    lines += [f'{option} = "{pki / name}"' for option, name in (("cacert", "ca.crt"), ("cert", "admin.crt"), ("key", "admin.key"))]
    lines += ["parallel", f"parallel-max = {parallel}"] if parallel else []
    for request in record(setup.cluster.kubeconfig):
        query = urllib.parse.urlencode(request.query)
        lines += [f'url = "{setup.cluster.server}{request.path}{"?" if query else ""}{query}"', 'output = "/dev/null"']
    config = setup.scratch / f"curl-{parallel}.cfg"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    cost = run(["curl", "--config", str(config)])
    odd = set(cost.output.split()) - {"200", "404"}  # 404: a kind that is not there
    if odd:
        raise Failed(f"curl was answered {', '.join(sorted(odd))}")
    return cost


def kubectl(setup: Setup) -> Cost:
    """One ``kubectl get -o json`` for each list, one after the other."""
    commands = []
    for read in _reads(setup):
        target = f"{read['plural']}.{read['version']}.{read['group']}" if read["group"] else read["plural"]
        where = f"--namespace={read['namespace']}" if read["namespace"] else "--all-namespaces"
        commands.append(f"kubectl get {target} {where} --output=json --selector='{read['labels']}' --field-selector='{read['fields']}' > /dev/null")
    script = setup.scratch / "kubectl.sh"
    script.write_text("set -e\n" + "\n".join(commands) + "\n", encoding="utf-8")
    return run(["bash", str(script)], env={"KUBECONFIG": str(setup.cluster.kubeconfig), "HOME": str(setup.scratch)})


def k8s_info(setup: Setup, collections: Path) -> Cost:
    """The same lists by kubernetes.core.k8s_info, a task each, in one playbook."""
    tasks = [
        {
            "name": f"Read {read['plural']}",
            "kubernetes.core.k8s_info": {
                "kubeconfig": str(setup.cluster.kubeconfig),
                "api_version": f"{read['group']}/{read['version']}" if read["group"] else read["version"],
                "kind": read["kind"],
                **({"namespace": read["namespace"]} if read["namespace"] else {}),
                "label_selectors": [read["labels"]] if read["labels"] else [],
                "field_selectors": [read["fields"]] if read["fields"] else [],
            },
        }
        for read in _reads(setup)
    ]
    return _playbook(setup, "k8s-info", tasks, collections)


def playbook(setup: Setup) -> Cost:
    """Module diagnose as the only task of a playbook."""
    task = {"fathom.submariner.diagnose": {"kubeconfig": str(setup.cluster.kubeconfig), "cluster": "large", "timeout": 600}}
    return _playbook(setup, "diagnose", [task], None)


def _playbook(setup: Setup, name: str, tasks: list[dict[str, t.Any]], collections: Path | None) -> Cost:
    path = setup.scratch / f"{name}.json"  # JSON is YAML
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": {"ansible_python_interpreter": sys.executable}, "tasks": tasks}
    path.write_text(json.dumps([play]), encoding="utf-8")
    config = setup.scratch / "ansible.cfg"
    config.touch()
    env = {"ANSIBLE_LOCAL_TEMP": str(setup.scratch / "ansible"), "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(config)}
    if collections is not None:
        env["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    return run([str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", str(path)], env=env, cwd=setup.scratch)


def _reads(setup: Setup) -> list[dict[str, str]]:
    """The lists as kubectl and k8s_info name them; those that the API server does not serve are left out."""
    client = setup.cluster.admin()
    kinds: dict[str, dict[str, str]] = {}
    reads = []
    for request in setup.lists:
        parts = request.path.strip("/").split("/")
        root, rest = ("/".join(parts[:2]), parts[2:]) if parts[0] == "api" else ("/".join(parts[:3]), parts[3:])
        if root not in kinds:
            kinds[root] = {each["name"]: each["kind"] for each in client.get(f"/{root}")["resources"]}
        namespace, plural = (rest[1], rest[2]) if rest[0] == "namespaces" and len(rest) > 2 else ("", rest[0])
        if plural in kinds[root]:
            group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
            selectors = {"labels": request.query.get("labelSelector", ""), "fields": request.query.get("fieldSelector", "")}
            reads.append({"group": group, "version": version, "plural": plural, "kind": kinds[root][plural], "namespace": namespace, **selectors})
    return reads


def why_no_kubectl(cluster: ClusterInfo) -> str:
    """Empty where kubectl is there and works."""
    try:
        subprocess.run(["kubectl", "--kubeconfig", str(cluster.kubeconfig), "get", "--raw", "/version"], check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        return "there is no kubectl on PATH"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"kubectl does not work here: {error}"
    return ""
