# SPDX-License-Identifier: Apache-2.0
"""What the cases about faults share: a tree with a list of tasks for it, its snapshot, and nodeup under interpose.c."""

import hashlib
import io
import json
import os
import re
import shutil
import stat
import struct
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
NODEUP = shutil.which("nodeup")
# One task at a time: the same calls in the same order, run after run.
JOBS = os.environ.get("E2E_JOBS", "--jobs 1").split()
# Where a run keeps what it knows of itself: the files have to be there, what they hold differs from run to run.
OWN = re.compile(r"^(run/kopslite|var/lib/kopslite)/")
TEMPORARY = re.compile(r"(^|/)\.kopslite-[0-9a-f]{16}$")


def interposer(directory):
    """Compiles interpose.c with whichever compiler there is."""
    library = os.path.join(directory, "interpose.so")
    compiler = next(filter(shutil.which, ["clang", "cc", "gcc"]), None)
    if compiler is None:
        raise SystemExit("cannot run: there is no C compiler")
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", library, os.path.join(HERE, "interpose.c"), "-ldl"], check=True)
    return library


class Ended:
    """How a program ended, and which calls it made."""

    def __init__(self, status, output, errors, log):
        self.status, self.output, self.errors, self.log = status, output, errors, log

    def failures(self):
        """The failures told: those of a report's tasks, or the one on standard error."""
        try:
            told = [task["failure"] for task in json.loads(self.output)["tasks"] if task.get("failure")]
        except (ValueError, KeyError):
            told = []
        line = re.search(r"^nodeup: (.*) \[([a-z-]+)\]$(?:\nhint: (.*))?", self.errors, re.M)
        if line:
            told.append({"code": line[2], "message": line[1], "hint": line[3]})
        return told

    def __str__(self):
        said = [f"{failure['code']}: {failure['message']}" for failure in self.failures()]
        return f"exit {self.status}: " + ("; ".join(said) or f"{self.output[-600:]}{self.errors[-600:]}")


class Interposed:
    """Runs programs under interpose.c, one after the other, in a directory of its own."""

    def __init__(self, library, directory):
        self.library, self.directory = library, directory
        os.makedirs(directory, exist_ok=True)
        self.state = os.path.join(directory, "state")
        self.log = os.path.join(directory, "log")

    def environment(self, at=0, mode=""):
        with open(self.state, "wb") as state:
            state.write(bytes(16))
        if os.path.exists(self.log):
            os.unlink(self.log)
        return dict(
            os.environ,
            LD_PRELOAD=self.library,
            INTERPOSE_STATE=self.state,
            INTERPOSE_LOG=self.log,
            INTERPOSE_AT=str(at),
            INTERPOSE_MODE=str(mode),
        )

    def calls(self):
        """The calls counted so far: (number, process, call, subject)."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, errors="replace") as log:
            lines = [line.rstrip("\n").split(" ", 3) for line in log]
        return sorted((int(number), int(pid), call, subject) for number, pid, call, subject in lines)

    def count(self):
        with open(self.state, "rb") as state:
            return struct.unpack("<Q", state.read(8))[0]

    def run(self, arguments, at=0, mode=""):
        ended = subprocess.run(
            arguments, env=self.environment(at, mode), stdin=subprocess.DEVNULL, capture_output=True, timeout=120
        )
        texts = [part.decode(errors="replace") for part in (ended.stdout, ended.stderr)]
        return Ended(ended.returncode, *texts, self.calls())


def nodeup(*arguments):
    """Runs nodeup as it is."""
    ended = subprocess.run([NODEUP, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    return Ended(ended.returncode, ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace"), [])


def apply(tasks, root):
    return ["apply", "--tasks", tasks, "--root", root, "--output", "json", *JOBS]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def write(root, path, text, mode=0o644, owner=0, group=0):
    place = os.path.join(root, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chown(place, owner, group)
    os.chmod(place, mode)


def snapshot(root):
    """Every path below a root with type, mode, owners and contents."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in names + files:
            place = os.path.join(directory, name)
            path = os.path.relpath(place, root)
            status = os.lstat(place)
            contents = ""
            if stat.S_ISLNK(status.st_mode):
                contents = os.readlink(place)
            elif stat.S_ISREG(status.st_mode) and not OWN.match(path):
                contents = digest(place)
            kind = stat.S_IFMT(status.st_mode)
            found[path] = (kind, oct(stat.S_IMODE(status.st_mode)), status.st_uid, status.st_gid, contents)
    return found


def difference(wanted, found):
    """What differs between two snapshots, a line each."""
    lines = []
    for path in sorted(wanted.keys() | found.keys()):
        if wanted.get(path) != found.get(path):
            lines.append(f"{path}: {found.get(path, 'not there')}, not {wanted.get(path, 'there')}")
    return lines


def archive(path, files):
    """A tar archive of regular files."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, contents, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(contents), mode
            tar.addfile(member, io.BytesIO(contents))


def authority(directory):
    """A keyset as a certificate task reads it."""
    key, certificate = os.path.join(directory, "ca.key"), os.path.join(directory, "ca.crt")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=faults-ca", "-days", "3650", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    texts = []
    for path in (certificate, key):
        with open(path) as file:
            texts.append(file.read())
    pair = {"id": "1", "certificate": texts[0], "privateKey": texts[1]}
    return {"name": "faults-ca", "primary": "1", "pairs": [pair]}


class Fixture:
    """The tree as it is before, the sources in it, and the tasks."""

    def __init__(self, directory):
        self.sources = os.path.join(directory, "sources")
        os.makedirs(self.sources)
        self.large = self._source("large", bytes(range(256)) * 1200)
        self.program = self._source("program", b"#!/bin/sh\nexit 0\n")
        self.tools = self._archive("tools-1", [("tools/bin/a", b"one\n", 0o755), ("tools/share/b", b"two\n", 0o640)])
        self.newer = self._archive("tools-2", [("tools/bin/a", b"ONE\n", 0o755), ("tools/c", b"three\n", 0o644)])
        self.keyset = authority(directory)
        self.tasks = os.path.join(directory, "tasks.json")
        with open(self.tasks, "w") as file:
            json.dump({"tasks": self._tasks()}, file, indent=1)
        self.count = len(self._tasks())

    def _source(self, name, contents):
        path = os.path.join(self.sources, name)
        with open(path, "wb") as file:
            file.write(contents)
        return {"source": f"/var/cache/{name}", "sha256": digest(path)}

    def _archive(self, name, files):
        path = os.path.join(self.sources, name + ".tar")
        archive(path, files)
        return {"source": f"/var/cache/{name}.tar", "sha256": digest(path)}

    def tree(self, root):
        """The tree before: some of what is declared is there, drifted; some of it is to go."""
        if os.path.exists(root):
            shutil.rmtree(root)
        os.makedirs(root, 0o755)
        for path in ("etc", "run", "srv", "usr/local/bin", "var/lib", "opt"):
            os.makedirs(os.path.join(root, path), 0o755, exist_ok=True)
        shutil.copytree(self.sources, os.path.join(root, "var/cache"))
        users = "root:x:0:0:root:/root:/bin/bash\nchanged:x:930:930::/home/changed:/bin/sh\n"
        write(root, "etc/passwd", users + "leaving:x:931:931::/home/leaving:/bin/sh\n")
        groups = "root:x:0:\nchanged:x:930:\nleaving:x:931:\nmoved:x:940:changed\nunwanted:x:942:\n"
        write(root, "etc/group", groups)
        shadow = "root:*:19000:0:99999:7:::\nchanged:!:19000::::::\nleaving:!:19000::::::\n"
        write(root, "etc/shadow", shadow, 0o640, 0, 42)
        write(root, "etc/gshadow", "root:*::\nunwanted:!::\nleaving:!::\n", 0o640, 0, 42)
        hosts = "127.0.0.1 localhost\n# BEGIN somebody\n10.9.9.9 theirs\n# END somebody\n"
        mine = "# BEGIN kopslite stale\n10.0.0.8 stale\n# END kopslite stale\n"
        mine += "# BEGIN kopslite unwanted\n10.0.0.9 unwanted\n# END kopslite unwanted\n"
        write(root, "etc/hosts", hosts + mine + "::1 localhost6\n", 0o600)
        write(root, "srv/old/a/b", "old\n")
        write(root, "srv/old/c", "old\n", 0o400)
        os.symlink("/nowhere", os.path.join(root, "srv/old/link"))
        os.makedirs(os.path.join(root, "srv/drifted"), 0o777)
        os.chmod(os.path.join(root, "srv/drifted"), 0o777)
        os.chown(os.path.join(root, "srv/drifted"), 7, 7)
        write(root, "etc/drifted/contents", "before\n" * 400, 0o600, 9, 9)
        write(root, "etc/drifted/mode", "same\n", 0o666)
        write(root, "etc/drifted/owner", "same\n", 0o644, 5, 5)
        write(root, "etc/drifted/all", "before\n", 0o777, 5, 5)
        write(root, "etc/unwanted", "x")
        write(root, "etc/theirs", "theirs\n")
        os.symlink("theirs", os.path.join(root, "etc/drifted/link-to-file"))
        os.symlink("before", os.path.join(root, "etc/drifted/link"))
        os.symlink("x", os.path.join(root, "etc/unwanted-link"))
        write(root, "opt/.tools.0123456789abcdef-1/bin/a", "old\n", 0o755)
        write(root, "opt/.tools.fedcba9876543210-1.partial/half", "half\n")
        os.symlink(".tools.0123456789abcdef-1", os.path.join(root, "opt/tools"))
        write(root, "opt/.gone.0123456789abcdef-0/x/y", "old\n")
        os.symlink(".gone.0123456789abcdef-0", os.path.join(root, "opt/gone"))
        with open(os.path.join(root, "srv/disk.img"), "wb") as image:
            image.truncate(1 << 20)

    def _tasks(self):
        absent = {"ensure": "absent"}

        def file(path, contents="x\n", **more):
            return {"file": {"path": path, "contents": contents, **more}}

        def of(kind, **fields):
            return {kind: fields}

        tasks = [
            of("group", name="app", gid=950),
            of("group", name="free"),
            of("group", name="moved", gid=941),
            of("group", name="unwanted", **absent),
            of("user", name="app", uid=950, home="/srv/app", shell="/bin/false", groups=["moved", "free"]),
            of("user", name="plain", uid=951),
            of("user", name="changed", shell="/bin/bash", groups=["free"]),
            of("user", name="leaving", **absent),
            of("directory", path="/srv/app", mode="0750", owner="app", group="app"),
            of("directory", path="/srv/app/data", mode="2770", owner="app", group="free"),
            of("directory", path="/srv/deep/deeper/deepest", mode="0700"),
            of("directory", path="/srv/drifted", mode="0755", owner="root", group="root"),
            of("directory", path="/srv/old", **absent),
            of("directory", path="/srv/nothing", **absent),
            of("directory", path="/srv/plain"),
            file("/etc/new", "new\n"),
            file("/etc/empty", ""),
            file("/etc/secret", "hush\n", mode="0400", secret=True),
            file("/etc/wide", "ä ☃\n" * 50),
            file("/etc/ünïcode ☃", "x\n"),
            file("/etc/far/down/below/here", "far\n", mode="0640"),
            file("/etc/far/down/below/there", "far\n"),
            file("/etc/other/place", "other\n", owner="app"),
            file("/etc/drifted/contents", "after\n"),
            file("/etc/drifted/mode", "same\n", mode="0640"),
            file("/etc/drifted/owner", "same\n", owner="app", group="free"),
            file("/etc/drifted/all", "after\n", mode="0600", owner="plain", group="app"),
            file("/etc/drifted/link-to-file", "no link\n"),
            of("file", path="/etc/unwanted", **absent),
            of("file", path="/etc/never-there", **absent),
            of("file", path="/usr/local/bin/program", mode="4755", **self.program),
            of("file", path="/var/lib/app/large", owner="app", **self.large),
            file("/srv/app/data/one", "1\n", owner="app"),
            file("/srv/app/data/two", "2\n", owner="app", mode="0600"),
            file("/srv/plain/a"),
            file("/srv/plain/b"),
            file("/srv/plain/c"),
            file("/srv/plain/d/e/f"),
            of("symlink", path="/etc/link", target="new"),
            of("symlink", path="/etc/drifted/link", target="after"),
            of("symlink", path="/etc/links/in/a/new/place", target="/srv/app"),
            of("symlink", path="/etc/unwanted-link", **absent),
            of("symlink", path="/srv/plain/self", target="."),
            of("archive", path="/opt/fresh", stripComponents=1, **self.tools),
            of("archive", path="/opt/tools", stripComponents=1, **self.newer),
            of("archive", path="/opt/gone", **absent),
            of("hostsBlock", name="new", entries={"10.0.0.1": ["api.internal", "api"], "10.0.0.2": "b"}),
            of("hostsBlock", name="stale", entries=["10.0.0.7 fresh"]),
            of("hostsBlock", name="unwanted", **absent),
            of("filesystem", device="/srv/disk.img", type="ext4", label="faults"),
        ]
        profile = {"commonName": "faults", "usages": ["client", "server"], "dnsNames": ["a.example"]}
        tasks.append(
            of(
                "certificate",
                certificate="/etc/pki/faults.crt",
                key="/etc/pki/private/faults.key",
                owner="app",
                profile=profile,
                signer={"keyset": self.keyset},
            )
        )
        while len(tasks) < 60:
            tasks.append(file(f"/srv/many/{len(tasks)}", f"{len(tasks)}\n", mode="0600"))
        return tasks
