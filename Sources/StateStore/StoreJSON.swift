// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// JSON as the store and the machines' own notes hold it: sorted names, so that equal values give equal bytes.
package func encodeForStore(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(value)) + [0x0A]
}
