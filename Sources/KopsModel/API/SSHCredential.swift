// SPDX-License-Identifier: Apache-2.0

/// A public key people log in with, `kind: SSHCredential` of kops' API.
public struct SSHCredential: Sendable, Equatable {
    /// Its name, and the label of its cluster.
    public var metadata: ObjectMeta
    /// What was declared.
    public var spec: SSHCredentialSpec

    /// Makes a credential from its parts.
    public init(metadata: ObjectMeta, spec: SSHCredentialSpec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// The object as it is stored and shown.
    public var document: JSONValue { encoded }
}

extension SSHCredential: TopLevelObject {
    static var kind: String { "SSHCredential" }
    init() { self.init(metadata: ObjectMeta(), spec: SSHCredentialSpec()) }
}

/// What a person declares of a public key.
public struct SSHCredentialSpec: Sendable, Equatable {
    /// One line as in `authorized_keys`, sshd(8).
    public var publicKey: String = ""

    /// Makes a specification without any field set.
    public init() {}
}

extension SSHCredentialSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) { fields.required("publicKey", &publicKey) }
}
