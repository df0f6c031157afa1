// SPDX-License-Identifier: Apache-2.0
import AddonManager
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS

/// Keeps the token by which workers join known to the API server.
///
/// - Source: Kubernetes' documentation "Authenticating with Bootstrap Tokens". The token's user is in the group
///   `system:bootstrappers`, which the add-on `bootstrap` gives its permissions.
struct BootstrapTokenStep: Step {
    let nodeState: NodeState
    let api: any ControlPlaneAPI

    let name = "bootstrap-token"
    let activity = "publishing the bootstrap token"
    let patience: Duration = .seconds(60)
    let cadence: Duration = .seconds(180)

    func converge(_ observer: any StepObserver) async throws {
        let secret = try Self.secret(for: try await nodeState.inputs().bootstrapToken)
        do {
            _ = try await api.apply(secret)
        } catch let error as AddonError {
            throw Failure(
                error.isTransient ? .transient : .permanent,
                code: "bootstrap-token-refused",
                "the Secret with the bootstrap token could not be applied",
                cause: error
            )
        }
    }

    /// The Secret of a token.
    ///
    /// - Throws: ``Failure`` `bootstrap-token-invalid` (permanent), without the token.
    static func secret(for token: String) throws -> JSONValue {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 6, parts[1].utf8.count == 16,
            parts.joined().utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) })
        else {
            throw Failure(
                .permanent,
                code: "bootstrap-token-invalid",
                "the sealed bootstrap token is not 6 and 16 characters of a-z and 0-9 around a dot",
                hint: "run `kopslite update cluster --yes` to publish one, then `nodeup apply`"
            )
        }
        let values = [
            "token-id": String(parts[0]), "token-secret": String(parts[1]), "usage-bootstrap-authentication": "true",
            "usage-bootstrap-signing": "true", "description": "Machines of this cluster join with it.",
        ]
        return [
            "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
            "metadata": ["name": .string("bootstrap-token-\(parts[0])"), "namespace": "kube-system"],
            "data": .object(values.mapValues { .string(Data($0.utf8).base64EncodedString()) }),
        ]
    }
}
