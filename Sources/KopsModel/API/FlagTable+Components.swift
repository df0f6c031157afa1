// SPDX-License-Identifier: Apache-2.0

extension FlagTable {
    /// The table of a component.
    public static func of(_ component: Component) -> Self {
        switch component {
        case .kubelet: kubelet
        case .proxy: proxy
        case .apiServer: apiServer
        case .controllerManager: controllerManager
        case .scheduler: scheduler
        }
    }

    private static let everywhere: [String: Entry] = [
        "featureGates": Entry(flag: "feature-gates", kind: .map),
        "logLevel": Entry(flag: "v", kind: .int),
    ]

    private static func table(
        bool: [String: String] = [:],
        int: [String: String] = [:],
        text: [String: String] = [:],
        list: [String: String] = [:],
        map: [String: String] = [:],
        decided: [String: String] = [:]
    ) -> Self {
        var entries = everywhere
        for (kind, flags) in [(Kind.bool, bool), (.int, int), (.text, text), (.list, list), (.map, map)] {
            for (field, flag) in flags { entries[field] = Entry(flag: flag, kind: kind) }
        }
        return Self(entries: entries, decided: decided)
    }

    private static let kubelet = table(
        bool: [
            "anonymousAuth": "anonymous-auth", "authenticationTokenWebhook": "authentication-token-webhook",
            "cpuCFSQuota": "cpu-cfs-quota", "failSwapOn": "fail-swap-on",
            "protectKernelDefaults": "protect-kernel-defaults", "rotateCertificates": "rotate-certificates",
            "serializeImagePulls": "serialize-image-pulls",
        ],
        int: [
            "containerLogMaxFiles": "container-log-max-files",
            "evictionMaxPodGracePeriod": "eviction-max-pod-grace-period",
            "imageGCHighThresholdPercent": "image-gc-high-threshold",
            "imageGCLowThresholdPercent": "image-gc-low-threshold", "maxPods": "max-pods",
            "podPidsLimit": "pod-max-pids", "readOnlyPort": "read-only-port", "registryBurst": "registry-burst",
            "registryPullQPS": "registry-qps",
        ],
        text: [
            "authorizationMode": "authorization-mode", "containerLogMaxSize": "container-log-max-size",
            "cpuCFSQuotaPeriod": "cpu-cfs-quota-period", "cpuManagerPolicy": "cpu-manager-policy",
            "evictionHard": "eviction-hard", "evictionMinimumReclaim": "eviction-minimum-reclaim",
            "evictionPressureTransitionPeriod": "eviction-pressure-transition-period",
            "evictionSoft": "eviction-soft", "evictionSoftGracePeriod": "eviction-soft-grace-period",
            "imageMinimumGCAge": "minimum-image-ttl-duration", "kubeReservedCgroup": "kube-reserved-cgroup",
            "nodeStatusUpdateFrequency": "node-status-update-frequency",
            "resolvConf": "resolv-conf", "runtimeRequestTimeout": "runtime-request-timeout",
            "streamingConnectionIdleTimeout": "streaming-connection-idle-timeout",
            "systemReservedCgroup": "system-reserved-cgroup", "topologyManagerPolicy": "topology-manager-policy",
            "volumeStatsAggPeriod": "volume-stats-agg-period",
        ],
        list: ["allowedUnsafeSysctls": "allowed-unsafe-sysctls", "enforceNodeAllocatable": "enforce-node-allocatable"],
        map: ["kubeReserved": "kube-reserved", "systemReserved": "system-reserved"],
        decided: [
            "nodeLabels": "write nodeLabels in the instance group", "taints": "write taints in the instance group",
            "clusterDNS": "write spec.kubeDNS.serverIP", "clusterDomain": "write spec.clusterDNSDomain",
            "cgroupDriver": "it follows the machine, remove it", "cgroupRoot": "it follows the machine, remove it",
            "cloudProvider": "write spec.cloudProvider", "networkPluginName": "write spec.networking",
            "podManifestPath": "remove it", "kubeconfigPath": "remove it", "hostnameOverride": "remove it",
            "nonMasqueradeCIDR": "write spec.nonMasqueradeCIDR", "podInfraContainerImage": "remove it",
            "enableDebuggingHandlers": "it is on, remove it",
        ]
    )

    private static let proxy = table(
        bool: ["masqueradeAll": "masquerade-all"],
        int: ["conntrackMaxPerCore": "conntrack-max-per-core", "conntrackMin": "conntrack-min"],
        text: [
            "ipvsMinSyncPeriod": "ipvs-min-sync-period", "ipvsScheduler": "ipvs-scheduler",
            "ipvsSyncPeriod": "ipvs-sync-period", "metricsBindAddress": "metrics-bind-address",
            "proxyMode": "proxy-mode",
        ],
        list: ["ipvsExcludeCidrs": "ipvs-exclude-cidrs"],
        decided: [
            "enabled": "it always runs, remove it", "clusterCIDR": "write spec.podCIDR", "image": "remove it",
            "hostnameOverride": "remove it", "cpuRequest": "remove it", "memoryRequest": "remove it",
            "cpuLimit": "remove it", "memoryLimit": "remove it", "master": "remove it",
        ]
    )

    private static let apiServer = table(
        bool: ["anonymousAuth": "anonymous-auth", "enableProfiling": "profiling"],
        int: [
            "auditLogMaxAge": "audit-log-maxage", "auditLogMaxBackups": "audit-log-maxbackup",
            "auditLogMaxSize": "audit-log-maxsize", "maxMutatingRequestsInflight": "max-mutating-requests-inflight",
            "maxRequestsInflight": "max-requests-inflight", "minRequestTimeout": "min-request-timeout",
        ],
        text: [
            "auditLogFormat": "audit-log-format", "auditLogPath": "audit-log-path",
            "auditPolicyFile": "audit-policy-file",
            "eventTTL": "event-ttl", "oidcClientID": "oidc-client-id", "oidcGroupsClaim": "oidc-groups-claim",
            "oidcGroupsPrefix": "oidc-groups-prefix", "oidcIssuerURL": "oidc-issuer-url",
            "oidcUsernameClaim": "oidc-username-claim", "oidcUsernamePrefix": "oidc-username-prefix",
            "requestTimeout": "request-timeout", "serviceNodePortRange": "service-node-port-range",
            "tlsMinVersion": "tls-min-version",
        ],
        list: [
            "disableAdmissionPlugins": "disable-admission-plugins",
            "enableAdmissionPlugins": "enable-admission-plugins", "oidcRequiredClaim": "oidc-required-claim",
            "tlsCipherSuites": "tls-cipher-suites",
        ],
        map: ["runtimeConfig": "runtime-config"],
        decided: [
            "authorizationMode": "write spec.authorization", "cloudProvider": "write spec.cloudProvider",
            "serviceClusterIPRange": "write spec.serviceClusterIPRange", "etcdServers": "remove it",
            "image": "remove it", "insecurePort": "there is none, remove it", "securePort": "remove it",
            "allowPrivileged": "it is on, remove it", "storageBackend": "it is etcd3, remove it",
        ]
    )

    private static let controllerManager = table(
        bool: ["enableProfiling": "profiling"],
        int: [
            "concurrentDeploymentSyncs": "concurrent-deployment-syncs",
            "concurrentEndpointSyncs": "concurrent-endpoint-syncs",
            "concurrentNamespaceSyncs": "concurrent-namespace-syncs",
            "concurrentReplicasetSyncs": "concurrent-replicaset-syncs",
            "kubeAPIBurst": "kube-api-burst", "nodeCIDRMaskSize": "node-cidr-mask-size",
            "terminatedPodGCThreshold": "terminated-pod-gc-threshold",
        ],
        text: [
            "attachDetachReconcileSyncPeriod": "attach-detach-reconcile-sync-period",
            "horizontalPodAutoscalerSyncPeriod": "horizontal-pod-autoscaler-sync-period",
            "horizontalPodAutoscalerTolerance": "horizontal-pod-autoscaler-tolerance",
            "minResyncPeriod": "min-resync-period", "nodeMonitorGracePeriod": "node-monitor-grace-period",
            "nodeMonitorPeriod": "node-monitor-period", "tlsMinVersion": "tls-min-version",
        ],
        list: ["controllers": "controllers", "tlsCipherSuites": "tls-cipher-suites"],
        decided: [
            "clusterCIDR": "write spec.podCIDR", "clusterName": "it is the cluster's name, remove it",
            "cloudProvider": "write spec.cloudProvider", "allocateNodeCIDRs": "it is on, remove it",
            "configureCloudRoutes": "remove it", "image": "remove it", "leaderElection": "it is on, remove it",
            "useServiceAccountCredentials": "it is on, remove it",
        ]
    )

    private static let scheduler = table(
        bool: ["enableProfiling": "profiling"],
        int: ["burst": "kube-api-burst"],
        decided: [
            "image": "remove it", "leaderElection": "it is on, remove it", "usePolicyConfigMap": "remove it",
        ]
    )
}
