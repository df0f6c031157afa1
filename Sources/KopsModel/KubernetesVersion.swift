// SPDX-License-Identifier: Apache-2.0

/// A Kubernetes release, such as `1.20.2`; a leading `v` is accepted and not kept.
public struct KubernetesVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first number; always 1 so far.
    public let major: Int
    /// The second number, which decides flags and API versions.
    public let minor: Int
    /// The third number.
    public let patch: Int

    /// The release that `create cluster` chooses.
    public static let standard = Self(major: 1, minor: 20, patch: 2)
    /// The minor releases that nodes know how to run.
    public static let supportedMinors = 20...36
    /// The first minor release without dockershim, which needs containerd.
    public static let firstMinorWithoutDocker = 24

    /// Makes a version from its numbers.
    public init(major: Int, minor: Int, patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `[v]major.minor.patch`; `nil` for anything else, pre-releases included.
    public init?(_ text: String) {
        let digits = text.hasPrefix("v") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in Int(part).flatMap { String($0) == part ? $0 : nil } }
        guard parts.count == 3, numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        self.init(major: numbers[0], minor: numbers[1], patch: numbers[2])
    }

    /// `major.minor.patch`.
    public var description: String { "\(major).\(minor).\(patch)" }

    /// Whether nodes know how to run it.
    public var isSupported: Bool { major == 1 && Self.supportedMinors.contains(minor) }

    /// The container runtime a cluster gets when it names none.
    ///
    /// - Source: kops, docker up to 1.23 where kubelet still has dockershim.
    public var standardRuntime: ContainerRuntime { minor < Self.firstMinorWithoutDocker ? .docker : .containerd }

    /// Number by number.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}

extension KubernetesVersion: SpecText {
    static var shape: String { "a Kubernetes release such as 1.20.2" }
}
