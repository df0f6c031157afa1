// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks

/// Kernel modules and settings.
///
/// - Units: `vm.max_map_count` counts mappings; buffers are bytes; conntrack timeouts are seconds.
/// - Source: kops v1.36.2 `nodeup/pkg/model/sysctls.go`; the conntrack values are kube-proxy's defaults.
/// - Differs: In a container only what its own network namespace holds is declared, the rest is its host's.
struct KernelBuilder: NodeBuilder {
    private static let modules = ["br_netfilter", "nf_conntrack", "overlay"]

    private static let namespaced = ["net.ipv4.ip_forward": "1"]

    private static let owned = [
        "fs.file-max": "2097152",
        "fs.inotify.max_user_instances": "8192",
        "fs.inotify.max_user_watches": "524288",
        "net.bridge.bridge-nf-call-ip6tables": "1",
        "net.bridge.bridge-nf-call-iptables": "1",
        "net.core.netdev_max_backlog": "16384",
        "net.core.rmem_max": "16777216",
        "net.core.somaxconn": "32768",
        "net.core.wmem_max": "16777216",
        "net.ipv4.ip_local_reserved_ports": "30000-32767",
        "net.ipv4.tcp_max_syn_backlog": "8096",
        "net.netfilter.nf_conntrack_max": "131072",
        "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
        "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
        "vm.max_map_count": "262144",
    ]

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let isContainer = context.facts.isContainer
        var settings = isContainer ? Self.namespaced : Self.owned.merging(Self.namespaced) { $1 }
        settings.merge(context.config.sysctls) { $1 }
        let modules = isContainer ? [] : Self.modules
        return modules.map { Declare.kernelModule($0) }
            + settings.sorted { $0.key < $1.key }.map { key, value in
                Declare.sysctl(key, value, after: module(of: key, among: modules).map { [.kernelModule($0)] } ?? [])
            }
    }

    /// The module that brings a setting into being.
    private func module(of key: String, among modules: [String]) -> String? {
        let module: String? =
            key.hasPrefix("net.bridge.")
            ? "br_netfilter" : key.hasPrefix("net.netfilter.nf_conntrack") ? "nf_conntrack" : nil
        return module.flatMap { modules.contains($0) ? $0 : nil }
    }
}
