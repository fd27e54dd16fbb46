// SPDX-License-Identifier: Apache-2.0
//
// Stands between a process and its disk (LD_PRELOAD), for one folder. Linux, glibc.
//
// 1. It keeps a journal of what the disk would hold if the power failed now: for each file the
//    length that its last fsync covered, for each folder the names that were made, moved or removed
//    since the folder's last fsync. The journal is written by plain write(2), before the call that
//    it speaks of, so that it survives the process; DiskShim.java goes back to it. A removed or
//    replaced file is kept by a hard link until its folder was fsynced.
// 2. It delays or fails calls as a page of memory says, which the test maps as well.
//
// What it cannot model it says: a file that is changed before the length of its last fsync (nobody
// in Cairn does that) is journalled as "X", and going back then fails the test.
//
//   CAIRN_SHIM_ROOT    the folder, absolute, without a slash at its end
//   CAIRN_SHIM_STATE   folder for journal, control and kept/, on the same file system, outside of root
//
//   journal line := "N" inode path      a file was made, or emptied: nothing of it is on disk
//                 | "S" inode length    fsynced up to here
//                 | "C" path            a name was made in its folder (file, link)
//                 | "M" path            a folder was made
//                 | "R" from TAB to TAB kept      moved; kept: what it replaced, "-" for nothing
//                 | "U" path TAB kept   removed
//                 | "D" folder          fsynced: its names so far are on disk
//                 | "X" inode path      changed before its fsynced length
//
//   control page := sync_errno:4 sync_millis:4 read_errno:4 write_errno:4 only:256
//                   native byte order; 0 is off; only: those paths that contain it, empty for all

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX 65536
#define INODES_MAX (1 << 16)

struct control {
  int32_t sync_errno, sync_millis, read_errno, write_errno;
  char only[256];
};

static char root[PATH_MAX];
static size_t root_length;
static char state[PATH_MAX];
static int journal = -1;
static volatile struct control *control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long kept_number;

// Per descriptor: the inode when it is a file of ours, else 0. Written at open and close.
static ino_t inode_of[FDS_MAX];
// Fsynced lengths by inode: open addressing, never shrunk. Guarded by lock.
static struct { ino_t inode; off_t length; } durable[INODES_MAX];

#define NEXT(name) \
  static __typeof__(name) *next_##name; \
  if (!next_##name) next_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void die(const char *why) {
  dprintf(2, "diskshim: %s: %s\n", why, strerror(errno));
  abort();
}

static off_t *durable_slot(ino_t inode) {
  unsigned at = (unsigned)(inode * 2654435761u) % INODES_MAX;
  for (int i = 0; i < INODES_MAX; i++, at = (at + 1) % INODES_MAX) {
    if (durable[at].inode == inode || durable[at].inode == 0) {
      if (durable[at].inode == 0) durable[at].length = -1; // not known: there before the shim
      durable[at].inode = inode;
      return &durable[at].length;
    }
  }
  die("too many files");
  return NULL;
}

static void note(const char *format, ...) {
  char line[3 * PATH_MAX];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (syscall(SYS_write, journal, line, length) != length) die("cannot write the journal");
}

// What earlier runs of the process did is as little on disk as what this one does.
static void replay(const char *path) {
  FILE *in = fopen(path, "re");
  char line[3 * PATH_MAX];
  while (in && fgets(line, sizeof line, in)) {
    unsigned long inode;
    long length;
    if (sscanf(line, "S %lu %ld", &inode, &length) == 2) *durable_slot(inode) = length;
    else if (sscanf(line, "N %lu", &inode) == 1) *durable_slot(inode) = 0;
    const char *kept = strrchr(line, '\t');
    if (kept && atol(kept + 1) > kept_number) kept_number = atol(kept + 1);
  }
  if (in) fclose(in);
}

__attribute__((constructor)) static void begin(void) {
  char path[PATH_MAX + 16];
  if (!getenv("CAIRN_SHIM_ROOT") || !getenv("CAIRN_SHIM_STATE")) return;
  snprintf(state, sizeof state, "%s", getenv("CAIRN_SHIM_STATE"));
  snprintf(path, sizeof path, "%s/journal", state);
  replay(path);
  journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  if (journal < 0) die("no journal");
  snprintf(path, sizeof path, "%s/control", state);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) die("no control page");
  control = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);
  if (control == MAP_FAILED) die("cannot map the control page");
  syscall(SYS_close, fd);
  snprintf(root, sizeof root, "%s", getenv("CAIRN_SHIM_ROOT"));
  root_length = strlen(root);
}

static int is_ours(const char *path) {
  return root_length && strncmp(path, root, root_length) == 0 &&
         (path[root_length] == '/' || path[root_length] == 0);
}

// The root's own name stands in a folder that is not watched: it counts as on disk.
static int is_inside(const char *path) { return is_ours(path) && path[root_length] == '/'; }

// Absolute, for a path that may be relative; the process' own paths are clean otherwise.
static const char *absolute(int folder, const char *path, char *buffer) {
  if (path[0] == '/') return path;
  char link[64], base[PATH_MAX];
  if (folder == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
  else snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
  ssize_t length = readlink(link, base, sizeof base - 1);
  if (length < 0) return path;
  base[length] = 0;
  snprintf(buffer, PATH_MAX, "%.*s/%s", PATH_MAX / 2, base, path);
  return buffer;
}

static int path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return 0;
  buffer[length] = 0;
  return is_ours(buffer);
}

static int chosen(int fd) {
  char path[PATH_MAX];
  return path_of(fd, path) && (!control->only[0] || strstr(path, (const char *)control->only));
}

// ---- Names ----

static int opened(int folder, const char *path, int flags, mode_t mode) {
  char buffer[PATH_MAX];
  const char *full = root_length ? absolute(folder, path, buffer) : path;
  if (!root_length || !is_ours(full) || (flags & O_DIRECTORY))
    return (int)syscall(SYS_openat, folder, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int there = (int)syscall(SYS_newfstatat, AT_FDCWD, full, &before, 0) == 0;
  if (!there && (flags & O_CREAT)) note("C %s\n", full);
  int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
  int error = errno;
  struct stat now;
  if (fd >= 0 && fd < FDS_MAX && fstat(fd, &now) == 0 && S_ISREG(now.st_mode)) {
    inode_of[fd] = now.st_ino;
    if (!there || ((flags & O_TRUNC) && before.st_size > 0)) {
      note("N %lu %s\n", (unsigned long)now.st_ino, full);
      *durable_slot(now.st_ino) = 0;
    }
  }
  pthread_mutex_unlock(&lock);
  errno = error;
  return fd;
}

#define MODE(flags, last) \
  mode_t mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list more; \
    va_start(more, last); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  }

int open(const char *path, int flags, ...) { MODE(flags, flags); return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, flags); return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, flags); return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, flags); return opened(at, path, flags, mode); }

int close(int fd) {
  if (fd >= 0 && fd < FDS_MAX) inode_of[fd] = 0;
  return (int)syscall(SYS_close, fd);
}

// Keeps what a name stands for; the number, or "-" when there is nothing.
static const char *keep(const char *path, char *buffer) {
  char target[PATH_MAX + 32];
  struct stat found;
  if (stat(path, &found) != 0 || !S_ISREG(found.st_mode)) return "-";
  snprintf(target, sizeof target, "%s/kept/%ld", state, ++kept_number);
  if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, target, 0) != 0) die("cannot keep a removed file");
  snprintf(buffer, 32, "%ld", kept_number);
  return buffer;
}

int rename(const char *from, const char *to) {
  char a[PATH_MAX], b[PATH_MAX], number[32];
  if (root_length) { from = absolute(AT_FDCWD, from, a); to = absolute(AT_FDCWD, to, b); }
  if (!root_length || !is_ours(from) || !is_ours(to))
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_lock(&lock);
  const char *kept = keep(to, number);
  note("R %s\t%s\t%s\n", from, to, kept);
  int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

static int removed(int at, const char *path, int flags) {
  char a[PATH_MAX], number[32];
  if (root_length) path = absolute(at, path, a);
  if (!root_length || !is_ours(path) || (flags & AT_REMOVEDIR))
    return (int)syscall(SYS_unlinkat, at, path, flags);
  pthread_mutex_lock(&lock);
  const char *kept = keep(path, number);
  if (strcmp(kept, "-") != 0) note("U %s\t%s\n", path, kept);
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int at, const char *path, int flags) { return removed(at, path, flags); }

int link(const char *from, const char *to) {
  char a[PATH_MAX];
  if (root_length) to = absolute(AT_FDCWD, to, a);
  if (root_length && is_ours(to)) note("C %s\n", to);
  return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode) {
  char a[PATH_MAX];
  if (root_length) path = absolute(AT_FDCWD, path, a);
  struct stat there;
  if (root_length && is_inside(path) && stat(path, &there) != 0) note("M %s\n", path);
  return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

// ---- Contents ----

static int synced(int fd, long call) {
  if (root_length && fd >= 0) {
    char path[PATH_MAX];
    if (control->sync_millis && chosen(fd)) {
      struct timespec pause = {control->sync_millis / 1000, control->sync_millis % 1000 * 1000000L};
      nanosleep(&pause, NULL);
    }
    if (control->sync_errno && chosen(fd)) {
      errno = control->sync_errno;
      return -1;
    }
    struct stat now;
    if (fstat(fd, &now) == 0 && path_of(fd, path)) {
      int result = (int)syscall(call, fd);
      if (result != 0) return result;
      pthread_mutex_lock(&lock);
      if (S_ISDIR(now.st_mode)) {
        note("D %s\n", path);
      } else if (S_ISREG(now.st_mode)) {
        off_t *length = durable_slot(now.st_ino);
        // Two threads may sync one file: the later one to get here may have looked earlier.
        if (now.st_size > *length) {
          *length = now.st_size;
          note("S %lu %ld\n", (unsigned long)now.st_ino, (long)now.st_size);
        }
      }
      pthread_mutex_unlock(&lock);
      return 0;
    }
  }
  return (int)syscall(call, fd);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

// Whether a write at this place is to fail; and whether it changes what was fsynced.
static int refused(int fd, off_t offset, int append) {
  if (!root_length || fd < 0 || fd >= FDS_MAX || !inode_of[fd]) return 0;
  if (control->write_errno && chosen(fd)) {
    errno = control->write_errno;
    return 1;
  }
  if (append) return 0;
  pthread_mutex_lock(&lock);
  off_t length = *durable_slot(inode_of[fd]);
  char path[PATH_MAX];
  size_t path_length;
  // The lock file is rewritten by each process and means nothing after a power loss.
  if (offset < length && path_of(fd, path) &&
      !((path_length = strlen(path)) >= 5 && strcmp(path + path_length - 5, "/lock") == 0))
    note("X %lu %s\n", (unsigned long)inode_of[fd], path);
  pthread_mutex_unlock(&lock);
  return 0;
}

static int refused_here(int fd) {
  if (!root_length || fd < 0 || fd >= FDS_MAX || !inode_of[fd]) return 0;
  return refused(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR), fcntl(fd, F_GETFL) & O_APPEND);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return refused_here(fd) ? -1 : syscall(SYS_write, fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return refused_here(fd) ? -1 : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return refused(fd, offset, 0) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  return refused(fd, offset, 0) ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}

int ftruncate(int fd, off_t length) {
  return refused(fd, length, 0) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}
int ftruncate64(int fd, off64_t length) {
  return refused(fd, length, 0) ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

static int unreadable(int fd) {
  if (root_length && control->read_errno && fd >= 0 && fd < FDS_MAX && inode_of[fd] && chosen(fd)) {
    errno = control->read_errno;
    return 1;
  }
  return 0;
}

ssize_t read(int fd, void *bytes, size_t count) {
  return unreadable(fd) ? -1 : syscall(SYS_read, fd, bytes, count);
}
ssize_t pread(int fd, void *bytes, size_t count, off_t offset) {
  return unreadable(fd) ? -1 : syscall(SYS_pread64, fd, bytes, count, offset);
}
ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
  return unreadable(fd) ? -1 : syscall(SYS_pread64, fd, bytes, count, offset);
}
