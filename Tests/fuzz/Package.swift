// swift-tools-version:6.2; SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A package of its own, so that nothing but `make fuzz` builds it: everything in it is compiled for libFuzzer.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "kopslite", path: "../..")],
    targets: [
        .executableTarget(name: "FuzzTasks", dependencies: [.product(name: "NodeTasks", package: "kopslite")])
    ],
    swiftLanguageModes: [.v6]
)
