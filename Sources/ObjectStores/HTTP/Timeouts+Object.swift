// SPDX-License-Identifier: Apache-2.0
import Fetch

extension Timeouts {
    /// Limits of a request that sends so many bytes: a minute, and more for what a slow line needs longer for.
    static func sending(_ count: Int) -> Timeouts {
        Timeouts(connect: .seconds(5), total: .seconds(60 + count / 100_000), stall: .seconds(15))
    }
}
