// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Which distribution this is, from os-release(5).
struct OSRelease: Sendable, Equatable {
    /// Distributions that share a package system.
    enum Family: Sendable {
        case debian
        case redHat
        case suse
    }

    /// `ID`, such as `debian`; empty when it is not said.
    private(set) var id = ""
    /// `ID_LIKE`, the nearest relative first.
    private(set) var like: [String] = []

    private static let families: [String: Family] = [
        "debian": .debian, "ubuntu": .debian, "fedora": .redHat, "rhel": .redHat, "centos": .redHat, "amzn": .redHat,
        "rocky": .redHat, "almalinux": .redHat, "suse": .suse, "opensuse": .suse, "sles": .suse,
    ]

    /// The family of the distribution, or of the nearest relative that is known.
    var family: Family? {
        for name in [id] + like {
            if let family = Self.families[name] { return family }
            if name.hasPrefix("opensuse-") { return .suse }
        }
        return nil
    }

    /// Reads the text of an os-release file; lines that assign nothing are skipped.
    init(parsing text: String) {
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let value = Self.unquoted(line[line.index(after: equals)...])
            switch line[..<equals] {
            case "ID": id = value
            case "ID_LIKE": like = value.split(separator: " ").map(String.init)
            default: continue
            }
        }
    }

    /// Reads the first of some files that is there.
    static func read(_ files: [FilePath]) throws(Failure) -> OSRelease {
        let tree = FileTree(root: "/")
        for file in files where try tree.status(of: file) != nil {
            return OSRelease(parsing: String(decoding: try tree.read(file), as: UTF8.self))
        }
        return OSRelease(parsing: "")
    }

    /// Without the quotes a shell would take away; names hold nothing that is escaped.
    private static func unquoted(_ text: Substring) -> String {
        var value = text
        while let last = value.last, last.isWhitespace { value.removeLast() }
        if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
            value = value.dropFirst().dropLast()
        }
        return String(value)
    }
}
