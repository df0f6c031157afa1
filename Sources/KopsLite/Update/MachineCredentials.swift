// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel

/// The store's credentials of machines whose cloud gives them none.
///
/// A directory with one file for a machine, a group or a role, in the shared format of AWS; the first of these names that is
/// there counts.
struct MachineCredentials {
    let directory: String?

    /// Where a machine finds them.
    static let path = "/etc/kopslite/credentials"

    init(environment: [String: String]) { directory = environment["KOPSLITE_MACHINE_CREDENTIALS"] }

    /// A machine's own; `nil` when it is to have none.
    ///
    /// - Throws: ``CommandFailure`` when a directory is named and has none for the machine.
    func bytes(for machine: ResolvedMachine) throws -> [UInt8]? {
        try file(for: machine).flatMap { try PrivateFile($0).read() }
    }

    /// The file that has a machine's own.
    ///
    /// - Throws: As ``bytes(for:)``.
    func file(for machine: ResolvedMachine) throws -> String? {
        guard let directory, !directory.isEmpty else { return nil }
        let names = [machine.name, machine.group, machine.role.rawValue]
        if let name = names.first(where: { FileManager.default.fileExists(atPath: "\(directory)/\($0)") }) {
            return "\(directory)/\(name)"
        }
        throw CommandFailure(
            "\(directory) has no credentials for machine \(machine.name)",
            remedy: "put a file named \(names.joined(separator: ", ")) there, or unset KOPSLITE_MACHINE_CREDENTIALS"
        )
    }
}
