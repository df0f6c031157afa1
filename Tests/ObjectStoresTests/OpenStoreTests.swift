// SPDX-License-Identifier: Apache-2.0
import ObjectStores
import StateStore
import Testing

@Suite struct OpenStoreTests {
    @Test(arguments: ["nothing", "ftp://host/dir", "://", "file:/x"])
    func aURLThatNoBackendServesIsRefused(_ url: String) {
        #expect {
            _ = try openStore(url)
        } throws: { error in
            guard case StoreError.badURL(url, _) = error else { return false }
            return true
        }
    }
}
