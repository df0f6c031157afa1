// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation
import KopsModel

/// The user-data of an instance group's machines: `cloud-init/user-data.sh`, filled in.
enum UserData {
    /// The script, but for what only the cloud knows.
    static func template(
        store: String,
        clusterName: String,
        instanceGroup: String,
        trust: [TrustedKey],
        nodeup: Asset
    ) throws -> UserDataTemplate {
        let boot = BootConfig(
            store: store,
            clusterName: clusterName,
            instanceGroup: instanceGroup,
            instance: "{{INSTANCE}}",
            address: "{{ADDRESS}}",
            trust: trust
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var text = String(decoding: PackageResources.user_data_sh, as: UTF8.self)
        for (name, value) in [
            "BOOT_CONFIG": String(decoding: try encoder.encode(boot), as: UTF8.self),
            "NODEUP_SHA256": nodeup.sha256,
            "NODEUP_SOURCES": nodeup.sources.map(quoted).joined(separator: " "),
            "NODEUP_UNIT": String(decoding: PackageResources.nodeup_service, as: UTF8.self)
                .trimmingCharacters(in: .newlines),
        ] {
            text = text.replacingOccurrences(of: "{{\(name)}}", with: value)
        }
        return UserDataTemplate(text)
    }

    /// A word of the shell's that means just this text.
    static func quoted(_ text: String) -> String {
        "'" + text.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    }
}
