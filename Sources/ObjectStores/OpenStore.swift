// SPDX-License-Identifier: Apache-2.0
public import StateStore

/// Opens the store behind a URL; nothing is read yet.
///
/// - Shape: `file:///dir`, an absolute path.
/// - Throws: ``StoreError/badURL(_:reason:)`` for everything else.
public func openStore(_ url: String) throws -> any StateStore {
    guard let scheme = url.firstRange(of: "://").map({ url[..<$0.lowerBound] }) else {
        throw StoreError.badURL(url, reason: "has no scheme; write file:///absolute/directory")
    }
    switch scheme {
    case "file": return try FileStore(url: url)
    default:
        throw StoreError.badURL(url, reason: "has a scheme that is not supported; write file:///absolute/directory")
    }
}
