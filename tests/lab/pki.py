# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and kubeconfigs of one cluster. Keys are EC P-256 (quick to make) and readable by their owner only."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
import typing as t
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365
MASTERS = "system:masters"
FRONT_PROXY_USER = "front-proxy-client"

# Certificate name -> user and groups. The users of the components are those that Kubernetes' bootstrap RBAC roles are bound to.
COMPONENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("admin", (MASTERS,)),
    "kube-controller-manager": ("system:kube-controller-manager", (MASTERS,)),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kwok": ("kwok", (MASTERS,)),
    "kubelet-client": ("kube-apiserver-kubelet-client", ()),
    "supervisor": ("lab:supervisor", (MASTERS,)),
}


def create(pki: Path, service_cidr: str, stand_ins: t.Iterable[str]) -> None:
    """Everything that a cluster's processes and users need, in a folder of its own.

    :param pki: the folder, created.
    :param service_cidr: its first address is the API server's inside the cluster.
    :param stand_ins: each gets ``standin-NAME.crt`` with CN=standin:NAME in system:masters.
    """
    pki.mkdir(mode=0o700, parents=True)
    _authority(pki, "ca", "lab")
    _authority(pki, "front-proxy-ca", "lab-front-proxy")
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    issue(pki, "apiserver", "kube-apiserver", names=names, addresses=["127.0.0.1", str(ipaddress.ip_network(service_cidr)[1])])
    issue(pki, "kubelet", "system:node:lab", names=["localhost"], addresses=["127.0.0.1"])
    issue(pki, "front-proxy-client", FRONT_PROXY_USER, authority="front-proxy-ca")
    for name, (user, groups) in COMPONENTS.items():
        issue(pki, name, user, groups)
    for name in stand_ins:
        issue(pki, f"standin-{name}", f"standin:{name}", (MASTERS,))
    _write_key(pki / "service-account.key", ec.generate_private_key(ec.SECP256R1()))


def issue(
    pki: Path,
    name: str,
    user: str,
    groups: t.Sequence[str] = (),
    *,
    names: t.Sequence[str] = (),
    addresses: t.Sequence[str] = (),
    authority: str = "ca",
) -> tuple[Path, Path]:
    """Signs a certificate by an authority of the folder and returns the paths of certificate and key.

    :param user: the common name.
    :param groups: the organisations, in which Kubernetes sees groups.
    :param names: DNS names; with them or addresses the certificate is for a server, otherwise for a client.
    """
    signer = x509.load_pem_x509_certificate((pki / f"{authority}.crt").read_bytes())
    signer_key = t.cast(ec.EllipticCurvePrivateKey, serialization.load_pem_private_key((pki / f"{authority}.key").read_bytes(), None))
    key = ec.generate_private_key(ec.SECP256R1())
    server = bool(names or addresses)
    builder = (
        _builder(_name(user, groups), signer.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if server:
        alternatives = [*(x509.DNSName(each) for each in names), *(x509.IPAddress(ipaddress.ip_address(each)) for each in addresses)]
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    _write_key(pki / f"{name}.key", key)
    (pki / f"{name}.crt").write_bytes(builder.sign(signer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return pki / f"{name}.crt", pki / f"{name}.key"


def kubeconfig(path: Path, pki: Path, identity: str, cluster: str, server: str) -> None:
    """A kubeconfig with its certificates in it, so that it works wherever it is copied to; the context is named as the cluster."""
    user = f"{cluster}-{identity}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _data(pki / "ca.crt")}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": _data(pki / f"{identity}.crt"), "client-key-data": _data(pki / f"{identity}.key")},
            }
        ],
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _authority(pki: Path, name: str, common_name: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(common_name, ())
    certificate = (
        _builder(subject, subject, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_key(pki / f"{name}.key", key)
    (pki / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
    )


def _name(user: str, groups: t.Sequence[str]) -> x509.Name:
    return x509.Name([*(x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups), x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    write_private(path, encoded)


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
