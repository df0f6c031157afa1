// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders
import NodeOS
import Testing

@Suite struct AddonTests {
    @Test(arguments: KubernetesRelease.supportedMinors)
    func everyObjectIsNamedOnce(minor: Int) throws {
        let addons = try AddonSet.manifests(for: Samples.config("1.\(minor).0", .controlPlane))
        #expect(addons.map(\.name) == ["bootstrap", "kube-proxy", "pod-network", "kube-dns"])
        let keys = addons.flatMap(\.objects).map { object in
            let metadata = object["metadata"]
            return [object["apiVersion"], object["kind"], metadata?["namespace"], metadata?["name"]]
                .map { $0?.string ?? "" }.joined(separator: "/")
        }
        #expect(Set(keys).count == keys.count)
        #expect(!keys.contains { $0.hasSuffix("/") || $0.hasPrefix("/") })
    }

    /// A pod's account, its ConfigMaps and its selector are all among the objects: nothing refers to what nobody makes.
    @Test func podsReferToWhatIsThere() throws {
        for (_, objects) in try AddonSet.manifests(for: Samples.config("1.30.0", .controlPlane)) {
            let names = { (kind: String) in
                objects.filter { $0["kind"]?.string == kind }.compactMap { $0["metadata"]?["name"]?.string }
            }
            for workload in objects where workload["spec"]?["template"] != nil {
                let template = workload["spec"]?["template"]
                let pod = template?["spec"]
                #expect(names("ServiceAccount").contains(pod?["serviceAccountName"]?.string ?? ""))
                #expect(workload["spec"]?["selector"]?["matchLabels"] == template?["metadata"]?["labels"])
                let volumes = pod?["volumes"]?.array ?? []
                for map in volumes.compactMap({ $0["configMap"]?["name"]?.string }) {
                    #expect(names("ConfigMap").contains(map))
                }
                let mounted = (pod?["containers"]?[0]?["volumeMounts"]?.array ?? []).compactMap { $0["name"]?.string }
                #expect(Set(mounted) == Set(volumes.compactMap { $0["name"]?.string }))
            }
        }
    }

    @Test func imagesComeFromTheirAssets() throws {
        let config = Samples.config("1.30.0", .controlPlane)
        let images = try AddonSet.manifests(for: config).flatMap(\.objects).compactMap { object in
            object["spec"]?["template"]?["spec"]?["containers"]?[0]?["image"]?.string
        }
        // The samples have no archive of the DNS image.
        #expect(
            images == [
                "mirror.example.com/kube-proxy:1.30.0", "mirror.example.com/pod-network:1.30.0",
                "registry.k8s.io/coredns/coredns:v1.11.3",
            ]
        )
    }

    @Test func kubeProxysFlagsBecomeFields() throws {
        var config = Samples.config("1.30.0", .controlPlane)
        config.flags["kube-proxy"] = ["proxy-mode": "ipvs"]
        let objects = try AddonSet.manifests(for: config)[1].objects
        let text = objects.compactMap { $0["data"]?["config.json"]?.string }.first ?? ""
        #expect(try JSONValue(parsing: Array(text.utf8))["mode"] == "ipvs")
        config.flags["kube-proxy"] = ["v": "4"]
        #expect(code { try AddonSet.manifests(for: config) } == "flag-unsupported")
    }
}
