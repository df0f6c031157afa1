// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import PKI
import Testing

@Suite struct KubeconfigTests {
    struct Read: Decodable {
        struct Cluster: Decodable {
            let name: String
            let cluster: [String: String]
        }
        struct User: Decodable {
            let name: String
            let user: [String: String]
        }
        struct Context: Decodable {
            let name: String
            let context: [String: String]
        }
        enum CodingKeys: String, CodingKey {
            case apiVersion, kind, clusters, users, contexts
            case current = "current-context"
        }
        let apiVersion: String
        let kind: String
        let clusters: [Cluster]
        let users: [User]
        let contexts: [Context]
        let current: String
    }

    func config(_ authority: Kubeconfig.Authority, _ credential: Kubeconfig.Credential) -> Kubeconfig {
        Kubeconfig(
            cluster: "a.example.com",
            server: "https://api.a.example.com",
            authority: authority,
            user: "kubelet",
            credential: credential
        )
    }

    @Test(arguments: [
        (
            Kubeconfig.Credential.files(certificate: "/c.pem", privateKey: "/k.pem"),
            ["client-certificate": "/c.pem", "client-key": "/k.pem"]
        ),
        (
            .data(certificate: "CERT", privateKey: "KEY"),
            ["client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"]
        ),
        (.token("abcdef.0123456789abcdef"), ["token": "abcdef.0123456789abcdef"]),
        (.tokenFile("/var/run/token"), ["tokenFile": "/var/run/token"]),
    ]) func everyCredentialHasItsFields(_ credential: Kubeconfig.Credential, _ fields: [String: String]) throws {
        let text = try config(.file("/ca.crt"), credential).text()
        let read = try JSONDecoder().decode(Read.self, from: Data(text.utf8))
        #expect(read.apiVersion == "v1" && read.kind == "Config")
        #expect(read.users.first?.user == fields)
        #expect(
            read.clusters.first?.cluster == ["server": "https://api.a.example.com", "certificate-authority": "/ca.crt"]
        )
        let context = try #require(read.contexts.first { $0.name == read.current })
        #expect(
            context.context == [
                "cluster": try #require(read.clusters.first).name, "user": try #require(read.users.first).name,
            ]
        )
        #expect(text.hasSuffix("}\n"))
    }

    @Test func authoritiesCanBeEmbeddedAndNamesOverridden() throws {
        var config = config(.data("PEM"), .token("t"))
        config.serverName = "kubernetes"
        let read = try JSONDecoder().decode(Read.self, from: Data(config.text().utf8))
        #expect(
            read.clusters.first?.cluster == [
                "server": "https://api.a.example.com", "certificate-authority-data": "UEVN",
                "tls-server-name": "kubernetes",
            ]
        )
    }

    @Test func equalValuesGiveEqualTextAndNoDescriptionHoldsTheSecret() throws {
        let one = config(.data("PEM"), .data(certificate: "CERT", privateKey: "KEY"))
        #expect(try one.text() == config(.data("PEM"), .data(certificate: "CERT", privateKey: "KEY")).text())
        #expect(!"\(config(.data("PEM"), .token("hunter2")))".contains("hunter2"))
    }
}
