# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options of the connection to one cluster, spelled as in kubernetes.core.
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig, or several separated by colons, or a kubeconfig itself as a dictionary or as YAML text.
      - Without O(kubeconfig), O(context) and O(host), the service account of the pod is used where the module runs in one, and
        otherwise the file that E(KUBECONFIG) names or C(~/.kube/config).
      - Can also be specified by E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - Name of a context of the kubeconfig. The default is its current context.
      - Can also be specified by E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server.
      - Without O(kubeconfig) and O(context), no kubeconfig is read. With one of them, this replaces the server of the kubeconfig.
      - Can also be specified by E(K8S_AUTH_HOST), which is ignored where the task has O(kubeconfig) or O(context).
    type: str
  api_key:
    description:
      - Bearer token.
      - Can also be specified by E(K8S_AUTH_API_KEY), which is ignored where the task has O(kubeconfig) or O(context).
    type: str
  username:
    description:
      - User name for HTTP basic authentication, which few API servers and some proxies before them accept.
      - Can also be specified by E(K8S_AUTH_USERNAME), which is ignored where the task has O(kubeconfig) or O(context).
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - Can also be specified by E(K8S_AUTH_PASSWORD), which is ignored where the task has O(kubeconfig) or O(context).
    type: str
  client_cert:
    description:
      - Path of a client certificate.
      - Can also be specified by E(K8S_AUTH_CERT_FILE), which is ignored where the task has O(kubeconfig) or O(context).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the key of O(client_cert).
      - Can also be specified by E(K8S_AUTH_KEY_FILE), which is ignored where the task has O(kubeconfig) or O(context).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the CA certificates that the API server's certificate is verified with.
      - Can also be specified by E(K8S_AUTH_SSL_CA_CERT), which is ignored where the task has O(kubeconfig) or O(context).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the API server's certificate. The default is what the kubeconfig says, and otherwise V(true).
      - Can also be specified by E(K8S_AUTH_VERIFY_SSL), which is ignored where the task has O(kubeconfig) or O(context).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy to reach the API server through. The default is C(proxy-url) of the kubeconfig, and otherwise what
        E(HTTPS_PROXY) and E(NO_PROXY) say.
      - Can also be specified by E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Comma-separated names, domains, addresses and CIDRs that are not reached through the proxy.
      - Can also be specified by E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, separated by a colon.
          - Can also be specified by E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User name and password for the header C(Authorization) to the proxy, separated by a colon.
          - Can also be specified by E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - User agent that the proxy is told.
          - Can also be specified by E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  impersonate_user:
    description:
      - User to impersonate. The default is C(as) of the kubeconfig.
      - Can also be specified by E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to impersonate, together with O(impersonate_user).
      - Can also be specified by E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
requirements:
  - kubernetes >= 24.2.0
  - PyYAML
"""
