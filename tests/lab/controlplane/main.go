// Copyright (c) 2026, the fathom.submariner authors
// GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Controlplane is etcd, kube-apiserver, kube-controller-manager and kube-scheduler in one binary, chosen by the
// first argument. LAB_KUBERNETES_VERSION (for example v1.27.9+rke2r1) is the version that they report, so that one
// build can play clusters of any age; what they do stays that of the version that they are built from.
package main

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	_ "unsafe" // for go:linkname

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	_ "k8s.io/component-base/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// component-base has these set by the linker only, and its SetDynamicVersion refuses another major.minor.patch.

//go:linkname gitMajor k8s.io/component-base/version.gitMajor
var gitMajor string

//go:linkname gitMinor k8s.io/component-base/version.gitMinor
var gitMinor string

//go:linkname gitVersion k8s.io/component-base/version.gitVersion
var gitVersion string

//go:linkname dynamicGitVersion k8s.io/component-base/version.dynamicGitVersion
var dynamicGitVersion atomic.Value

func playVersion(version string) {
	part := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(part) != 3 {
		fmt.Fprintf(os.Stderr, "LAB_KUBERNETES_VERSION is %q; it must look like v1.27.9+rke2r1\n", version)
		os.Exit(2)
	}
	gitMajor, gitMinor, gitVersion = part[0], part[1], version
	dynamicGitVersion.Store(version)
}

func main() {
	if len(os.Args) < 2 {
		os.Args = append(os.Args, "")
	}
	name := os.Args[1]
	os.Args = os.Args[1:]
	if version := os.Getenv("LAB_KUBERNETES_VERSION"); version != "" && name != "etcd" {
		playVersion(version)
	}
	switch name {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(cli.Run(kcm.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	default:
		fmt.Fprintln(os.Stderr, "usage: controlplane etcd|kube-apiserver|kube-controller-manager|kube-scheduler [FLAGS]")
		os.Exit(2)
	}
}
