// SPDX-License-Identifier: Apache-2.0

extension EtcdMachine: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.required("cluster", &cluster)
        var name: String? = name
        fields.field("name", &name)
        self.name = name ?? EtcdClusterConfig.names[0]
        fields.required("member", &member)
        fields.field("machine", &machine)
        fields.required("store", &store)
        fields.required("members", &members)
        fields.required("etcd", &etcd)
        fields.required("volume", &volume)
        fields.field("certificates", &certificates)
        var backups: Backups? = backups == Backups() ? nil : backups
        fields.field("backups", &backups)
        self.backups = backups ?? Backups()
    }
}

extension EtcdMachine.Member: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.required("name", &name)
        fields.required("peerURL", &peerURL)
        fields.required("clientURL", &clientURL)
        var ensure: Ensure? = isPresent ? nil : .absent
        fields.field("ensure", &ensure)
        isPresent = ensure != .absent
    }

    /// What tasks have as well.
    private enum Ensure: String, SpecText {
        case present
        case absent

        static let shape = "present or absent"
        init?(_ text: String) { self.init(rawValue: text) }
        var description: String { rawValue }
    }
}

extension EtcdMachine.Programs: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.required("version", &version)
        fields.required("directory", &directory)
    }
}

extension EtcdMachine.Volume: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("directory", &directory)
        fields.field("label", &label)
    }
}

extension EtcdMachine.Certificates: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.required("authority", &authority)
        fields.field("peerAuthority", &peerAuthority)
        fields.required("serverCertificate", &serverCertificate)
        fields.required("serverKey", &serverKey)
        fields.required("peerCertificate", &peerCertificate)
        fields.required("peerKey", &peerKey)
        fields.required("clientCertificate", &clientCertificate)
        fields.required("clientKey", &clientKey)
    }

    /// The files by the fields that name them.
    public var files: [(field: String, path: String)] {
        [
            ("authority", authority), ("serverCertificate", serverCertificate), ("serverKey", serverKey),
            ("peerCertificate", peerCertificate), ("peerKey", peerKey), ("clientCertificate", clientCertificate),
            ("clientKey", clientKey),
        ] + (peerAuthority.map { [("peerAuthority", $0)] } ?? [])
    }
}

extension EtcdMachine.Backups: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("interval", &interval)
        fields.field("proofInterval", &proofInterval)
        fields.field("hourly", &hourly)
        fields.field("daily", &daily)
        fields.field("monthly", &monthly)
    }

    /// Counts and seconds by the fields that hold them.
    var numbers: [(field: String, least: Int, value: Int?)] {
        [
            ("interval", 60, interval), ("proofInterval", 60, proofInterval), ("hourly", 0, hourly),
            ("daily", 0, daily), ("monthly", 0, monthly),
        ]
    }
}
