// SPDX-License-Identifier: Apache-2.0
import PKI
import SystemPackage

/// Where a certificate and its key are.
struct CertificatePaths: Sendable, Equatable {
    let certificate: FilePath
    let key: FilePath

    /// The pair `<name>.crt` and `<name>.key` in a directory.
    init(in directory: FilePath, _ name: String) {
        certificate = directory.appending(name + ".crt")
        key = directory.appending(name + ".key")
    }

    /// A kubeconfig names the files and does not embed them, so that renewing a certificate is no change there.
    var credential: Kubeconfig.Credential { .files(certificate: certificate.string, privateKey: key.string) }
}
