// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import Protokube

@Suite struct EtcdMigrateCommandTests {
    @Test(arguments: [
        "--endpoints http://127.0.0.1:2379", "--endpoints http://a:2379,http://b:2379 --switch",
        "--endpoints https://a:2379 --cacert ca --cert c --key k --rollback --record r",
    ]) func itIsRead(_ line: String) throws {
        let words = ["etcd", "migrate"] + line.split(separator: " ").map(String.init)
        #expect(try Protokube.parseAsRoot(words) is EtcdMigrateCommand)
    }

    @Test(arguments: [
        "", "--endpoints a:2379", "--endpoints ,", "--endpoints https://a:2379",
        "--endpoints http://a:2379 --cacert ca --cert c", "--endpoints http://a:2379 --cert c --key k",
        "--endpoints http://a:2379 --switch --rollback",
    ]) func whatCannotBeMeantIsRefused(_ line: String) {
        let words = ["etcd", "migrate"] + line.split(separator: " ").map(String.init)
        #expect(throws: (any Error).self) { try Protokube.parseAsRoot(words) }
    }
}
