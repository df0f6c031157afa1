// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

extension FakeNode: ContractNode {
    /// The machine's state; keys and certificates count as there, since their bytes are random.
    public func snapshot() -> [String] {
        let files = machine.files.sorted { $0.key.string < $1.key.string }.map { path, entry in
            let text = String(decoding: entry.bytes, as: UTF8.self)
            let contents = text.contains("-----BEGIN ") ? "PEM" : Self.hex(entry.bytes).prefix(16)
            return "\(path) \(entry.kind) \(String(entry.mode, radix: 8)) \(entry.uid):\(entry.gid) "
                + (entry.target ?? String(contents))
        }
        return files + accounts() + services() + kernel()
    }

    /// The units that have not read what their files say now.
    public func owed() -> [String] { machine.units.keys.sorted().filter { machine.needsRestart($0) } }

    private func accounts() -> [String] {
        machine.users.values.sorted { $0.name < $1.name }.map { "\($0)" }
            + machine.groups.values.sorted { $0.name < $1.name }.map { "\($0)" }
            + machine.packages.sorted { $0.key < $1.key }.map { "package \($0.key) \($0.value)" }
    }

    private func services() -> [String] {
        machine.units.sorted { $0.key < $1.key }.map { name, unit in
            "unit \(name) active \(unit.isActive) enabled \(unit.isEnabled) outdated \(machine.needsRestart(name))"
        } + machine.images.sorted { $0.key < $1.key }.map { "images \($0.key) \($0.value.sorted())" }
    }

    private func kernel() -> [String] {
        machine.mounts.map { "\($0)" }
            + machine.sysctls.sorted { $0.key < $1.key }.map { "sysctl \($0.key) \($0.value)" }
            + machine.modules.sorted().map { "module \($0)" }
            + machine.devices.sorted { $0.key.string < $1.key.string }.map { "\($0.key) \($0.value)" }
    }
}
