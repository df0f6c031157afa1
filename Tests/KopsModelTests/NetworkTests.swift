// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Testing

@Suite("IPv4 arithmetic")
struct NetworkTests {
    @Test("text and value are one", arguments: ["0.0.0.0/0", "10.0.0.0/8", "100.64.0.0/10", "255.255.255.255/32"])
    func roundTrip(text: String) throws {
        #expect(try #require(IPv4CIDR(text)).description == text)
    }

    @Test(
        "what is no canonical network is refused",
        arguments: [
            "", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "010.0.0.0/8", "10.0.0.0/08",
            "256.0.0.0/8", "::/0", "10.0.0.0/8 ", "a.b.c.d/8", "10.0.0.0/+8", "10..0.0/8",
        ]
    )
    func refuses(text: String) { #expect(IPv4CIDR(text) == nil) }

    @Test("a network is the disjoint union of its halves", arguments: [0, 1, 9, 10, 24, 31])
    func halves(prefix: Int) throws {
        let whole = IPv4CIDR(containing: try #require(IPv4Address("100.79.13.5")), prefix: prefix)
        let low = try #require(whole.subnet(addingBits: 1, number: 0))
        let high = try #require(whole.subnet(addingBits: 1, number: 1))
        #expect(whole.contains(low) && whole.contains(high))
        #expect(!low.overlaps(high))
        #expect(low.count + high.count == whole.count)
        #expect(low.base == whole.base && high.last == whole.last)
        #expect(whole.subnet(addingBits: 1, number: 2) == nil)
    }

    @Test("overlap is symmetric, and means containment one way or the other")
    func overlap() throws {
        let networks = try ["10.0.0.0/8", "10.64.0.0/24", "100.64.0.0/10", "0.0.0.0/0", "10.64.0.0/32"]
            .map { try #require(IPv4CIDR($0)) }
        for left in networks {
            for right in networks {
                #expect(left.overlaps(right) == right.overlaps(left))
                #expect(left.overlaps(right) == (left.contains(right) || right.contains(left)))
            }
        }
    }

    @Test("addresses end where the network does")
    func addresses() throws {
        let network = try #require(IPv4CIDR("100.64.0.0/30"))
        #expect(network.address(at: 3)?.description == "100.64.0.3")
        #expect(network.address(at: 4) == nil)
        #expect(network.address(at: -1) == nil)
        #expect(IPv4CIDR("0.0.0.0/0")?.address(at: 4_294_967_295)?.description == "255.255.255.255")
    }
}

@Suite("Kubernetes releases")
struct KubernetesVersionTests {
    @Test("a leading v is accepted and not kept")
    func leadingV() { #expect(KubernetesVersion("v1.20.2")?.description == "1.20.2") }

    @Test(
        "what is no release is refused",
        arguments: ["", "1.20", "1.20.x", "1.20.2.3", "1.20.-2", "vv1.20.2", "1.020.2", "1.20.2-beta.1", "1.20.2\n"]
    )
    func refuses(text: String) { #expect(KubernetesVersion(text) == nil) }

    @Test("order is by number, not by text")
    func order() throws {
        let sorted = try ["1.9.10", "1.20.2", "1.20.10", "1.36.0"].map { try #require(KubernetesVersion($0)) }
        #expect(sorted == sorted.shuffled().sorted())
    }

    @Test("docker serves kubelets before 1.24")
    func runtime() {
        #expect(KubernetesVersion(major: 1, minor: 23, patch: 17).standardRuntime == .docker)
        #expect(KubernetesVersion(major: 1, minor: 24, patch: 0).standardRuntime == .containerd)
    }
}
