// SPDX-License-Identifier: Apache-2.0

/// A number as proto3's JSON has it: 64 bits as a decimal string, 32 bits as a number; both are read.
struct GatewayNumber<Value: FixedWidthInteger & Codable & Sendable>: Codable, Sendable {
    var value: Value

    init(_ value: Value) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let text = try? container.decode(String.self) else {
            value = try container.decode(Value.self)
            return
        }
        guard let value = Value(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no \(Value.self)")
        }
        self.value = value
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(String(value))
    }
}

/// What every answer begins with, each part 0 where it is left out.
struct GatewayHeader: Decodable, Sendable {
    var clusterID: UInt64
    var memberID: UInt64
    var revision: Int64

    enum CodingKeys: String, CodingKey {
        case clusterID = "cluster_id"
        case memberID = "member_id"
        case revision
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        clusterID = try container.number(.clusterID)
        memberID = try container.number(.memberID)
        revision = try container.number(.revision)
    }
}

/// An answer of which nothing but its arrival matters.
struct GatewayNothing: Codable, Sendable {}

extension KeyedDecodingContainer {
    /// A number that is 0 when it is left out.
    func number<Value: FixedWidthInteger & Codable & Sendable>(_ key: Key) throws -> Value {
        try decodeIfPresent(GatewayNumber<Value>.self, forKey: key)?.value ?? 0
    }
}
