// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let collections: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")

func library(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "NodeTesting"] + dependencies,
        exclude: [],
        resources: resources,
        swiftSettings: strict
    )
}

// From the words of the API at the bottom to the three programs at the top: a target imports only what stands above
// it in this list, so the list reads as the way a cluster goes from a file to a running node.
let package = Package(
    name: "kopslite",
    products: [
        .executable(name: "kopslite", targets: ["KopsLite"]),
        .executable(name: "nodeup", targets: ["Nodeup"]),
        .executable(name: "protokube", targets: ["Protokube"]),
        .library(name: "NodeTasks", targets: ["NodeTasks"]),
        .library(name: "EtcdManager", targets: ["EtcdManager"]),
        .library(name: "AddonManager", targets: ["AddonManager"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // Its default trait adds Foundation, which the nodes' programs do not link.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        library("KopsModel", []),
        library("Fetch", ["CCurl", crypto, system]),
        library("PKI", [asn1, crypto, x509]),
        library("StateStore", ["KopsModel", crypto, system]),
        library("ObjectStores", ["Fetch", "StateStore", crypto, cryptoExtras, system]),
        library("NodeOS", ["CSystemd", crypto, subprocess, system]),
        library("NodeTasks", ["NodeOS", "PKI", collections, crypto, system]),
        library(
            "NodeBuilders",
            ["KopsModel", "NodeOS", "NodeTasks", "PKI", "StateStore", system],
            resources: [
                .embedInCode("Builders/ControlPlane/protokube.service"),
                .embedInCode("Builders/nodeup-drift.service"), .embedInCode("Builders/nodeup-drift.timer"),
                .embedInCode("Builders/nodeup-renew.service"), .embedInCode("Builders/nodeup-renew.timer"),
            ]
        ),
        library("KubeAPI", ["Fetch", "KopsModel"]),
        library("AddonManager", ["KopsModel", "KubeAPI"]),
        library("EtcdManager", ["Fetch", "KopsModel", "NodeOS", "StateStore", crypto, system]),
        library("Clouds", ["KopsModel", "NodeOS", "NodeTasks", crypto, subprocess, system]),
        library("NodeTesting", ["Fetch", "NodeOS", "NodeTasks", "StateStore", crypto, system]),
        library("EtcdSimulation", ["EtcdManager", "NodeOS", "NodeTesting"]),
        .executableTarget(
            name: "SimulateEtcd",
            dependencies: ["EtcdManager", "EtcdSimulation", argumentParser],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "Nodeup",
            dependencies: [
                "Fetch", "KopsModel", "NodeBuilders", "NodeOS", "NodeTasks", "ObjectStores", "PKI", "StateStore",
                argumentParser, crypto, log, system,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "Protokube",
            dependencies: [
                "AddonManager", "CMalloc", "EtcdManager", "Fetch", "KopsModel", "KubeAPI", "NodeBuilders", "NodeOS",
                "NodeTasks",
                "ObjectStores",
                "PKI", "StateStore", argumentParser, log, system,
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "KopsLite",
            dependencies: [
                "Clouds", "EtcdManager", "Fetch", "KopsModel", "KubeAPI", "NodeBuilders", "NodeOS", "ObjectStores",
                "PKI",
                "StateStore",
                argumentParser, log, system, .product(name: "Yams", package: "Yams"),
            ],
            resources: [.embedInCode("Update/user-data.sh"), .embedInCode("Update/nodeup.service")],
            swiftSettings: strict
        ),
        tests("KopsModel", [], resources: [.copy("Golden")]),
        tests("Fetch", [crypto, subprocess, system]),
        tests("PKI", [crypto, subprocess, system]),
        tests("StateStore", ["KopsModel", subprocess, system]),
        tests("ObjectStores", ["Fetch", "StateStore", crypto, subprocess, system]),
        tests("NodeOS", ["CSystemd", subprocess, system]),
        tests("NodeTasks", ["NodeOS", "PKI", system], resources: [.copy("Golden")]),
        tests(
            "NodeBuilders",
            ["KopsModel", "NodeOS", "NodeTasks", "PKI", "StateStore", system],
            resources: [.copy("Golden")]
        ),
        tests("Nodeup", ["KopsModel", "NodeBuilders", "NodeOS", "NodeTasks", "PKI", "StateStore", crypto, system]),
        tests("KubeAPI", ["Fetch", "KopsModel", "PKI", subprocess, system]),
        tests("AddonManager", ["Fetch", "KopsModel", "KubeAPI"]),
        tests(
            "EtcdManager",
            ["EtcdSimulation", "Fetch", "NodeOS", "PKI", "StateStore", subprocess, system],
            resources: [.copy("Golden")]
        ),
        tests("Clouds", ["KopsModel", "NodeOS", "NodeTasks", subprocess, system]),
        tests(
            "Protokube",
            [
                "AddonManager", "EtcdManager", "Fetch", "KopsModel", "NodeBuilders", "NodeOS", "StateStore", log,
                system,
            ]
        ),
        tests(
            "KopsLite",
            ["Clouds", "Fetch", "KopsModel", "NodeOS", "PKI", "StateStore", system],
            resources: [.copy("Golden")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
