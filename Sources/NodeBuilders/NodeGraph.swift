// SPDX-License-Identifier: Apache-2.0
public import NodeTasks

/// The one list of everything that makes a machine a node.
public enum NodeGraph {
    /// What takes long or what others wait for comes first: of the tasks that can run, the engine takes the first.
    private static let builders: [any NodeBuilder] = [
        KernelBuilder(), HostsBuilder(), RuntimeBuilder(), ImagesBuilder(), KubeletBuilder(), CNIBuilder(),
        APIServerBuilder(), EtcdBuilder(), AdminBuilder(), ProtokubeBuilder(), ControllerManagerBuilder(),
        SchedulerBuilder(), SecretsBuilder(), PackagesBuilder(), DriftBuilder(),
        RenewBuilder(),
    ]

    /// The tasks of a machine, purely from its inputs: equal inputs give equal tasks.
    ///
    /// On a control-plane machine nothing here starts etcd, controller manager or scheduler: protokube does, when etcd's
    /// volume is mounted and the API server answers (``NodePaths/laterManifests``).
    ///
    /// - Throws: ``Failure`` with the code `kubernetes-version-invalid`, `kubernetes-version-unsupported`,
    ///   `runtime-unsupported`, `asset-missing`, `authority-missing`, `keyset-missing`, `api-address-missing` or
    ///   `taint-invalid`.
    public static func tasks(for inputs: NodeInputs) throws -> [any NodeTask] {
        let context = try NodeContext(inputs)
        return try builders.flatMap { try $0.tasks(for: context) }
    }

    /// The certificates among the tasks of a machine: what has to be renewed while nothing else changes.
    ///
    /// - Throws: ``Failure`` as ``tasks(for:)``.
    public static func certificates(for inputs: NodeInputs) throws -> [any NodeTask] {
        try tasks(for: inputs).filter { $0 is CertificateTask }
    }
}
