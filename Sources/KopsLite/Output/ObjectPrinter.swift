// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// Shows declared objects.
struct ObjectPrinter {
    let console: Console

    /// Objects as documents, in a shape that `create -f` reads.
    ///
    /// What is stored is shown with the state it has, which `replace` then insists on.
    func documents(_ objects: [APIObject], format: OutputFormat, areStored: Bool = true) throws {
        let values = try objects.map { object in
            var document = object.document
            if areStored {
                let version = ObjectVersion.shown(of: try document.encoded())
                document["metadata"]?["resourceVersion"] = .string(version)
            }
            // kops shows the member always, and its own readers are used to it.
            if object.metadata.creationTimestamp == nil { document["metadata"]?["creationTimestamp"] = .null }
            return document
        }
        switch format {
        case .json:
            let value = values.count == 1 ? values[0] : .array(values)
            console.output(String(decoding: try value.encoded(), as: UTF8.self))
        case .yaml, .table: console.output(try YamlText.documents(values))
        }
    }

    /// Any value as a document.
    func value(_ value: some Encodable, format: OutputFormat) throws {
        let bytes = try ClusterSecrets.encoded(value)
        guard format == .yaml else { return console.output(String(decoding: bytes, as: UTF8.self) + "\n") }
        console.output(try YamlText.document(try JSONValue(parsing: bytes)))
    }

    /// `NAME CLOUD ZONES`.
    func clusters(_ clusters: [Cluster]) {
        let rows = clusters.map { cluster in
            let zones = Set(cluster.spec.subnets.map(\.zone)).sorted()
            return [cluster.metadata.name, cluster.spec.cloudProvider, zones.joined(separator: ",")]
        }
        console.output(Table(["NAME", "CLOUD", "ZONES"], rows: rows).text)
    }

    /// `NAME ROLE MACHINETYPE MIN MAX ZONES`.
    func groups(_ groups: [InstanceGroup], of cluster: Cluster) {
        let rows = groups.map { group in
            let spec = group.spec
            return [
                group.metadata.name, spec.role.description, spec.machineType ?? "",
                spec.minSize.map(String.init) ?? "-", spec.maxSize.map(String.init) ?? "-",
                Self.zones(of: group, in: cluster).joined(separator: ","),
            ]
        }
        console.output(Table(["NAME", "ROLE", "MACHINETYPE", "MIN", "MAX", "ZONES"], rows: rows).text)
    }

    /// The zones a group's subnets are in, sorted, each once.
    private static func zones(of group: InstanceGroup, in cluster: Cluster) -> [String] {
        let names = group.completed(in: cluster).spec.subnets
        return Set(cluster.spec.subnets.filter { names.contains($0.name) }.map(\.zone)).sorted()
    }
}
