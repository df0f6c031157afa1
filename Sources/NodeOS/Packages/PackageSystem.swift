// SPDX-License-Identifier: Apache-2.0

/// What a distribution installs its packages with: one transaction at a time, never at odds with another's.
protocol PackageSystem: Sendable {
    /// An installed package; `nil` when there is none of that name.
    func status(of name: String) async throws -> PackageStatus?
    /// Installs packages in one transaction and sets their holds; what is as wanted is left alone.
    func install(_ packages: [PackageRequest]) async throws
    /// Removes packages in one transaction; those that are not there are left out.
    func remove(_ names: [String]) async throws
}

extension PackageSystem {
    /// Refuses names and versions that would mean something else on the package manager's command line.
    func check(_ package: PackageRequest, of kind: String, allowing extra: String) throws(Failure) {
        let name = package.name.utf8
        let mayStand = { (byte: UInt8) in byte.isLetterOrDigit || extra.utf8.contains(byte) }
        // A sign at the end is an order to apt; only g++ and its like are named so, and those apt knows.
        guard let first = name.first, first.isLetterOrDigit, name.allSatisfy(mayStand), name.last != UInt8(ascii: "-")
        else {
            throw Failure(
                .permanent,
                code: "package-name-invalid",
                "\(package.name) is no name of \(kind) package",
                hint: "names consist of letters, digits, \(extra.map(String.init).joined(separator: " "))"
            )
        }
        let version = (package.version ?? "0").utf8
        guard version.allSatisfy({ $0.isLetterOrDigit || "+-.:~^_".utf8.contains($0) }), version.first != nil else {
            throw Failure(
                .permanent,
                code: "package-version-invalid",
                "the version wanted of \(package.name) is not one"
            )
        }
    }
}

extension Failure {
    /// Another package manager is at work; the engine tries again, and shows who is waited for meanwhile.
    static func busy(_ lock: some CustomStringConvertible, heldBy owner: LockFile.Owner?) -> Failure {
        Failure(
            .waiting,
            code: "package-manager-busy",
            "\(owner?.description ?? "another process") holds \(lock)",
            hint: "wait for it, or see what it waits for"
        )
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool { isLowercaseLetterOrDigit || (65...90).contains(self) }
}
