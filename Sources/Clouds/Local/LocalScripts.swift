// SPDX-License-Identifier: Apache-2.0

/// The two programs the cloud brings along, as files, so that no command line is ever put together from strings.
enum LocalScripts {
    /// Runs a machine on the host: `run DIRECTORY CONTROL-GROUP… -- ARGUMENT…`, the arguments being systemd-nspawn's.
    ///
    /// All it says goes to `console.log` in the directory. When it ends it writes its status to `ended` there, so that a
    /// machine that never started is told from one that is about to.
    static let run = """
        #!/bin/sh
        # Written by the local cloud of kopslite, and replaced at each start of the machine.
        # run DIRECTORY CONTROL-GROUP... -- ARGUMENT...: systemd-nspawn in these control groups, again when it reboots.
        set -eu
        directory=$1
        shift
        exec </dev/null >>"$directory/console.log" 2>&1
        trap 'echo $? >"$directory/ended"' EXIT
        groups=
        while [ "$1" != -- ]; do
            # On a host with systemd the groups are those of the scope this runs in, in the hierarchies that have it.
            [ ! -d "$1" ] || groups="$groups $1"
            shift
        done
        shift

        enter() { for group in $groups; do echo 0 >"$group/cgroup.procs"; done; }
        enter
        # Version 2 gives controllers only to groups without processes of their own.
        for group in $groups; do
            [ -e "$group/cgroup.controllers" ] || continue
            mkdir -p "$group/launcher"
            echo 0 >"$group/launcher/cgroup.procs"
        done

        export SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_USE_CGNS=1
        machine= stopping=
        trap 'stopping=yes; [ -z "$machine" ] || kill -TERM "$machine" || :' TERM
        while [ -z "$stopping" ]; do
            (enter; exec systemd-nspawn "$@") &
            machine=$!
            status=0
            # A signal ends the wait early.
            while wait "$machine" && status=0 || status=$?; kill -0 "$machine" 2>/dev/null; do :; done
            # 133 is systemd-nspawn's word for a reboot that somebody else must carry out.
            [ "$status" -eq 133 ] || break
        done
        exit "$status"

        """

    /// Prepares a machine inside, before anything else starts there.
    static let prepare = """
        #!/bin/sh
        # Written by the local cloud of kopslite. Does for this machine what a cloud's hypervisor and network would.
        set -eu
        . /etc/kopslite/local.env

        # The container runtime and kubelet make groups of their own; systemd-nspawn mounts some hierarchies read-only.
        while read -r _ path type _; do
            case $type in cgroup | cgroup2) mount -o remount,bind,rw "$path" ;; esac
        done </proc/mounts

        # The kernel has one set of loop devices for all machines, and nobody here makes their nodes.
        number=0
        while [ "$number" -lt "$LOOP_DEVICES" ]; do
            [ -e "/dev/loop$number" ] || mknod -m 660 "/dev/loop$number" b 7 "$number"
            number=$((number + 1))
        done

        ip link set host0 up
        ip address replace "$ADDRESS" dev host0
        ip route replace default via "$GATEWAY"

        """

    /// Runs ``prepare`` at each boot.
    static let unit = """
        [Unit]
        Description=What a cloud does for a machine
        DefaultDependencies=no
        Conflicts=shutdown.target
        Wants=network-pre.target
        Before=cloud-init-local.service network-pre.target sysinit.target shutdown.target

        [Service]
        Type=oneshot
        RemainAfterExit=yes
        ExecStart=/usr/local/sbin/kopslite-local

        [Install]
        WantedBy=sysinit.target

        """
}
