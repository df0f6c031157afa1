// SPDX-License-Identifier: Apache-2.0
public import KopsModel
import NodeOS

/// A release of Kubernetes, with everything that differs between minors: the one place that compares versions.
///
/// - Source: the release notes `CHANGELOG-1.20.md` to `CHANGELOG-1.36.md`, and the images kubeadm of each minor lists.
public struct KubernetesRelease: Sendable, Equatable {
    /// The release without a leading `v`, such as `1.20.2`.
    public let version: String
    /// The second number, such as 20.
    public let minor: Int

    /// The minors a node can be built for.
    public static let supportedMinors = 20...36

    /// Images that go with a minor but have a version of their own.
    private struct Companions {
        let pause: String
        let coreDNS: String
    }

    private static let companions: [Int: Companions] = [
        20: Companions(pause: "3.2", coreDNS: "coredns:1.7.0"),
        21: Companions(pause: "3.4.1", coreDNS: "coredns/coredns:v1.8.0"),
        22: Companions(pause: "3.5", coreDNS: "coredns/coredns:v1.8.4"),
        23: Companions(pause: "3.6", coreDNS: "coredns/coredns:v1.8.6"),
        24: Companions(pause: "3.7", coreDNS: "coredns/coredns:v1.8.6"),
        25: Companions(pause: "3.8", coreDNS: "coredns/coredns:v1.9.3"),
        26: Companions(pause: "3.9", coreDNS: "coredns/coredns:v1.9.3"),
        27: Companions(pause: "3.9", coreDNS: "coredns/coredns:v1.10.1"),
        28: Companions(pause: "3.9", coreDNS: "coredns/coredns:v1.10.1"),
        29: Companions(pause: "3.9", coreDNS: "coredns/coredns:v1.11.1"),
        30: Companions(pause: "3.9", coreDNS: "coredns/coredns:v1.11.3"),
        31: Companions(pause: "3.10", coreDNS: "coredns/coredns:v1.11.3"),
        32: Companions(pause: "3.10", coreDNS: "coredns/coredns:v1.11.3"),
        33: Companions(pause: "3.10", coreDNS: "coredns/coredns:v1.12.0"),
        34: Companions(pause: "3.10.1", coreDNS: "coredns/coredns:v1.12.1"),
        35: Companions(pause: "3.10.1", coreDNS: "coredns/coredns:v1.13.1"),
        36: Companions(pause: "3.10.2", coreDNS: "coredns/coredns:v1.14.2"),
    ]
    private let companion: Companions

    /// Parses a release.
    ///
    /// - Throws: ``Failure`` with the code `kubernetes-version-invalid` when the text is no `1.minor.patch`, or
    ///   `kubernetes-version-unsupported` when the minor is outside ``supportedMinors``.
    public init(_ text: String) throws {
        let version = text.hasPrefix("v") ? String(text.dropFirst()) : text
        let core = version.prefix { $0 != "-" }
        let parts = core.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "1", let minor = Self.number(parts[1]), Self.number(parts[2]) != nil else {
            throw Failure(
                .permanent,
                code: "kubernetes-version-invalid",
                "cannot read '\(text)' as a Kubernetes version: it has no form 1.MINOR.PATCH",
                hint: "set kubernetesVersion to a release such as 1.20.2"
            )
        }
        guard let companion = Self.companions[minor] else {
            throw Failure(
                .permanent,
                code: "kubernetes-version-unsupported",
                "cannot build a node for Kubernetes \(version): 1.\(minor) is not supported",
                hint:
                    "choose a release from 1.\(Self.supportedMinors.lowerBound) to 1.\(Self.supportedMinors.upperBound)"
            )
        }
        self.version = version
        self.minor = minor
        self.companion = companion
    }

    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return Int(text)
    }

    /// By version and nothing else.
    public static func == (left: Self, right: Self) -> Bool { left.version == right.version }

    // MARK: Images

    /// Where the project publishes its images; k8s.gcr.io has been frozen since April 2023.
    public var imageRegistry: String { minor < 25 ? "k8s.gcr.io" : "registry.k8s.io" }

    /// The sandbox image, such as `k8s.gcr.io/pause:3.2`.
    public var pauseImage: String { "\(imageRegistry)/pause:\(companion.pause)" }

    /// The cluster DNS image, such as `registry.k8s.io/coredns/coredns:v1.9.3`; 1.20 had neither folder nor `v`.
    public var coreDNSImage: String { "\(imageRegistry)/\(companion.coreDNS)" }

    /// The registry's image of a component such as `kube-proxy`.
    public func image(of component: String) -> String {
        switch component {
        case "pause": pauseImage
        case "kube-dns": coreDNSImage
        case "pod-network": "kopslite/pod-network:\(version)"
        default: "\(imageRegistry)/\(component):v\(version)"
        }
    }

    /// The reference inside a release's `<component>.tar`, which names its architecture, such as
    /// `k8s.gcr.io/kube-proxy-amd64:v1.20.2`.
    public func archiveImage(of component: String, architecture: String = "amd64") -> String {
        "\(imageRegistry)/\(component)-\(architecture):v\(version)"
    }

    // MARK: kubelet

    /// Whether kubelet can talk to a runtime; dockershim left with 1.24.
    public func supports(_ runtime: ContainerRuntime) -> Bool { runtime == .containerd || hasDockershim }

    /// Whether kubelet contains dockershim and with it `--network-plugin` and `--cni-*`.
    public var hasDockershim: Bool { minor < 24 }

    /// Whether kubelet has to be told `--container-runtime=remote`: the default from 1.24, an unknown flag from 1.27.
    public var needsRemoteRuntimeFlag: Bool { minor < 24 }

    /// Whether KubeletConfiguration has `containerRuntimeEndpoint`, which before 1.27 was a flag only.
    public var configuresRuntimeEndpoint: Bool { minor >= 27 }

    /// Whether kubelet knows `--pod-infra-container-image`; removed with 1.35.
    public var hasPodInfraContainerImageFlag: Bool { minor < 35 }

    /// Whether KubeletConfiguration has `registerWithTaints`, which before 1.23 was a flag only.
    public var configuresTaints: Bool { minor >= 23 }

    /// Whether KubeletConfiguration has `failCgroupV1`, which is true by default from 1.35.
    public var configuresFailCgroupV1: Bool { minor >= 31 }

    // MARK: Control plane

    /// Whether controller manager and scheduler have an insecure port, shut by `--port=0`; unknown flag from 1.24.
    public var hasInsecureComponentPort: Bool { minor < 23 }

    /// The API of PodDisruptionBudget; `policy/v1` came with 1.21, `policy/v1beta1` went with 1.25.
    public var disruptionBudgetAPI: String { minor < 21 ? "policy/v1beta1" : "policy/v1" }

    /// Labels of a control-plane node; `master` went with 1.24.
    public var controlPlaneLabels: [String] {
        minor < 24
            ? ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
            : ["node-role.kubernetes.io/control-plane"]
    }

    /// Keys of the taints of a control-plane node, effect NoSchedule; 1.24 has both, for the change between them.
    public var controlPlaneTaints: [String] {
        switch minor {
        case ..<24: ["node-role.kubernetes.io/master"]
        case 24: ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
        default: ["node-role.kubernetes.io/control-plane"]
        }
    }
}
