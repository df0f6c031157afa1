// SPDX-License-Identifier: Apache-2.0

/// Checks of names as DNS-1123 has them.
public enum DNSName {
    /// Lower-case letters, digits and dashes, 1 to 63, a letter or digit at both ends.
    public static func isLabel(_ text: some StringProtocol) -> Bool {
        guard (1...63).contains(text.utf8.count), !text.hasPrefix("-"), !text.hasSuffix("-") else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    /// Labels joined by dots, 253 characters at most.
    public static func isSubdomain(_ text: String) -> Bool {
        text.utf8.count <= 253 && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
    }

    /// A subdomain that holds a dot, which a cluster's name must.
    public static func isClusterName(_ text: String) -> Bool { text.contains(".") && isSubdomain(text) }
}
