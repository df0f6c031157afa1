// SPDX-License-Identifier: Apache-2.0
// Stands between a program and the C library (LD_PRELOAD), counts every call that changes a real file, and lets one of
// them go wrong: the machine dies just before or just after it, the call fails, or the program stops there.
//
//   INTERPOSE_STATE  a file of at least 16 bytes of zeros: the count, shared with all child processes
//   INTERPOSE_LOG    optional: a line for each call that was counted, "NUMBER PID CALL SUBJECT"
//   INTERPOSE_AT     the number of the call that goes wrong; 0 or nothing only counts
//   INTERPOSE_MODE   before | after: SIGKILL for the whole program, children included; stop: SIGSTOP before the call;
//                    a number: the call fails with that errno
//
// Pipes, sockets, terminals and the standard streams are no files. What a child does counts as the program's own: when a
// machine dies, tar dies with it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct state {
    _Atomic uint64_t count;
    _Atomic int32_t leader;
};

static struct state *state;
static uint64_t at;
static int failing_errno;
static enum { COUNT, BEFORE, AFTER, STOP, FAIL } mode;
static int log_descriptor = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("INTERPOSE_STATE");
    if (path == NULL) return;
    int descriptor = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (descriptor < 0) return;
    void *memory = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    syscall(SYS_close, descriptor);
    if (memory == MAP_FAILED) return;
    const char *log = getenv("INTERPOSE_LOG");
    if (log != NULL) {
        int opened = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        // Out of the way of programs that count their descriptors from 3.
        log_descriptor = fcntl(opened, F_DUPFD_CLOEXEC, 200);
        syscall(SYS_close, opened);
    }
    const char *number = getenv("INTERPOSE_AT"), *how = getenv("INTERPOSE_MODE");
    at = number == NULL ? 0 : strtoull(number, NULL, 10);
    if (how == NULL || at == 0) mode = COUNT;
    else if (strcmp(how, "before") == 0) mode = BEFORE;
    else if (strcmp(how, "after") == 0) mode = AFTER;
    else if (strcmp(how, "stop") == 0) mode = STOP;
    else {
        mode = FAIL;
        failing_errno = atoi(how);
    }
    state = memory;
    int32_t nobody = 0;
    atomic_compare_exchange_strong(&state->leader, &nobody, (int32_t)getpid());
}

static void die(void) {
    int32_t leader = atomic_load(&state->leader);
    if (leader != getpid()) kill(leader, SIGKILL);
    for (;;) kill(getpid(), SIGKILL);
}

static void note(uint64_t number, const char *call, const char *subject) {
    if (log_descriptor < 0) return;
    char line[4400];
    int length = snprintf(line, sizeof line, "%llu %d %s %s\n", (unsigned long long)number, (int)getpid(), call, subject);
    if (length > (int)sizeof line - 1) length = sizeof line - 1;
    syscall(SYS_write, log_descriptor, line, length);
}

// Whether the call is to fail; the program may not live to hear it. The number goes to `leave`.
static int enter(uint64_t *number, const char *call, const char *subject) {
    *number = 0;
    if (state == NULL) return 0;
    int before = errno;
    *number = atomic_fetch_add(&state->count, 1) + 1;
    note(*number, call, subject);
    int hit = *number == at;
    if (hit && mode == BEFORE) die();
    if (hit && mode == STOP) kill(getpid(), SIGSTOP);
    errno = before;
    if (!hit || mode != FAIL) return 0;
    errno = failing_errno;
    return 1;
}

static void leave(uint64_t number) {
    if (number != 0 && number == at && mode == AFTER) die();
}

// The path behind a descriptor of a regular file or directory, or NULL.
static const char *file_behind(int descriptor, char *path, size_t size) {
    struct stat status;
    if (state == NULL || descriptor < 3) return NULL;
    int before = errno;
    int real = syscall(SYS_newfstatat, descriptor, "", &status, AT_EMPTY_PATH) == 0 &&
               (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
    if (real) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(link, path, size - 1);
        path[length < 0 ? 0 : length] = 0;
    }
    errno = before;
    return real ? path : NULL;
}

// "/directory + name" for calls relative to a descriptor.
static const char *place(int directory, const char *name, char *path, size_t size) {
    if (state == NULL || name == NULL) return "";
    char above[2048] = "";
    // chmod(2) by way of /proc: what is meant is the file behind the descriptor.
    int descriptor;
    if (sscanf(name, "/proc/self/fd/%d", &descriptor) == 1 && file_behind(descriptor, above, sizeof above)) name = "";
    else if (name[0] != '/' && directory >= 0 && !file_behind(directory, above, sizeof above)) above[0] = 0;
    snprintf(path, size, "%s%s%s", above, above[0] != 0 && name[0] != 0 ? "/" : "", name);
    return path;
}

#define NEXT(name) \
    static __typeof__(&name) next; \
    if (next == NULL) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define COUNTED(type, name, subject, call) \
    do { \
        uint64_t number; \
        if (enter(&number, #name, subject)) return -1; \
        type result = call; \
        leave(number); \
        return result; \
    } while (0)

#define ON_DESCRIPTOR(type, name, descriptor, call) \
    NEXT(name); \
    char path[2048]; \
    const char *subject = file_behind(descriptor, path, sizeof path); \
    if (subject == NULL) return call; \
    COUNTED(type, name, subject, call)

#define AT_PLACE(name, directory, entry, call) \
    NEXT(name); \
    char path[4200]; \
    COUNTED(int, name, place(directory, entry, path, sizeof path), call)

ssize_t write(int fd, const void *bytes, size_t count) { ON_DESCRIPTOR(ssize_t, write, fd, next(fd, bytes, count)); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    ON_DESCRIPTOR(ssize_t, writev, fd, next(fd, parts, count));
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    ON_DESCRIPTOR(ssize_t, pwrite, fd, next(fd, bytes, count, offset));
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    ON_DESCRIPTOR(ssize_t, pwrite64, fd, next(fd, bytes, count, offset));
}
int ftruncate(int fd, off_t length) { ON_DESCRIPTOR(int, ftruncate, fd, next(fd, length)); }
int ftruncate64(int fd, off64_t length) { ON_DESCRIPTOR(int, ftruncate64, fd, next(fd, length)); }
int fallocate(int fd, int how, off_t offset, off_t length) {
    ON_DESCRIPTOR(int, fallocate, fd, next(fd, how, offset, length));
}
int fallocate64(int fd, int how, off64_t offset, off64_t length) {
    ON_DESCRIPTOR(int, fallocate64, fd, next(fd, how, offset, length));
}
int fchmod(int fd, mode_t bits) { ON_DESCRIPTOR(int, fchmod, fd, next(fd, bits)); }
int fchown(int fd, uid_t uid, gid_t gid) { ON_DESCRIPTOR(int, fchown, fd, next(fd, uid, gid)); }
int fsync(int fd) { ON_DESCRIPTOR(int, fsync, fd, next(fd)); }
int fdatasync(int fd) { ON_DESCRIPTOR(int, fdatasync, fd, next(fd)); }

int truncate(const char *name, off_t length) { AT_PLACE(truncate, AT_FDCWD, name, next(name, length)); }
int chmod(const char *name, mode_t bits) { AT_PLACE(chmod, AT_FDCWD, name, next(name, bits)); }
int fchmodat(int directory, const char *name, mode_t bits, int flags) {
    AT_PLACE(fchmodat, directory, name, next(directory, name, bits, flags));
}
int chown(const char *name, uid_t uid, gid_t gid) { AT_PLACE(chown, AT_FDCWD, name, next(name, uid, gid)); }
int lchown(const char *name, uid_t uid, gid_t gid) { AT_PLACE(lchown, AT_FDCWD, name, next(name, uid, gid)); }
int fchownat(int directory, const char *name, uid_t uid, gid_t gid, int flags) {
    AT_PLACE(fchownat, directory, name, next(directory, name, uid, gid, flags));
}
int mkdir(const char *name, mode_t bits) { AT_PLACE(mkdir, AT_FDCWD, name, next(name, bits)); }
int mkdirat(int directory, const char *name, mode_t bits) {
    AT_PLACE(mkdirat, directory, name, next(directory, name, bits));
}
int rmdir(const char *name) { AT_PLACE(rmdir, AT_FDCWD, name, next(name)); }
int unlink(const char *name) { AT_PLACE(unlink, AT_FDCWD, name, next(name)); }
int unlinkat(int directory, const char *name, int flags) {
    AT_PLACE(unlinkat, directory, name, next(directory, name, flags));
}
int link(const char *from, const char *to) { AT_PLACE(link, AT_FDCWD, to, next(from, to)); }
int linkat(int from, const char *name, int to, const char *target, int flags) {
    AT_PLACE(linkat, to, target, next(from, name, to, target, flags));
}
int symlink(const char *target, const char *name) { AT_PLACE(symlink, AT_FDCWD, name, next(target, name)); }
int symlinkat(const char *target, int directory, const char *name) {
    AT_PLACE(symlinkat, directory, name, next(target, directory, name));
}
int rename(const char *from, const char *to) { AT_PLACE(rename, AT_FDCWD, to, next(from, to)); }
int renameat(int from, const char *name, int to, const char *target) {
    AT_PLACE(renameat, to, target, next(from, name, to, target));
}
int renameat2(int from, const char *name, int to, const char *target, unsigned flags) {
    AT_PLACE(renameat2, to, target, next(from, name, to, target, flags));
}

// Opening counts when it may make or cut a file.
#define OPENED(name, directory, entry, flags, ...) \
    va_list rest; \
    va_start(rest, flags); \
    mode_t bits = (flags) & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    NEXT(name); \
    char path[4200]; \
    int changes = ((flags) & O_CREAT) != 0 || ((flags) & O_TRUNC) != 0; \
    if (state == NULL || !changes || strncmp(entry, "/dev/", 5) == 0) return next(__VA_ARGS__, bits); \
    COUNTED(int, name, place(directory, entry, path, sizeof path), next(__VA_ARGS__, bits))

int open(const char *name, int flags, ...) { OPENED(open, AT_FDCWD, name, flags, name, flags); }
int open64(const char *name, int flags, ...) { OPENED(open64, AT_FDCWD, name, flags, name, flags); }
int openat(int directory, const char *name, int flags, ...) {
    OPENED(openat, directory, name, flags, directory, name, flags);
}
int openat64(int directory, const char *name, int flags, ...) {
    OPENED(openat64, directory, name, flags, directory, name, flags);
}
int creat(const char *name, mode_t bits) { AT_PLACE(creat, AT_FDCWD, name, next(name, bits)); }
