// SPDX-License-Identifier: Apache-2.0
//
// Stands between a process and its disk (LD_PRELOAD), for one folder. Linux, glibc.
//
// 1. It keeps a journal of what the disk would hold if the power failed now: for each file the
//    length that its last fsync covered, for each folder the names that were made, moved or removed
//    since the folder's last fsync. The journal is written by plain write(2), before the call that
//    it speaks of, so that it survives the process; ShimJournal.java goes back to it. A removed or
//    replaced file is kept by a hard link until its folder was fsynced. Where a file is written
//    before that length, as a write-ahead log of a fixed size is, the bytes that stood there are
//    kept until the file was fsynced. A write to a file that is open with O_DSYNC is its own fsync.
// 2. It delays or fails calls as a page of memory says, which the test maps as well.
//
// What it cannot model it says: a file that is cut before the length of its last fsync (nobody in
// Cairn does that) is journalled as "X", and going back then fails the test. Where one thread
// writes a file while another one fsyncs it, the write may count as on disk a moment too early.
//
//   CAIRN_SHIM_ROOT    the folder, absolute, without a slash at its end
//   CAIRN_SHIM_STATE   folder for journal, before, control and kept/, on the same file system, outside of root
//
//   journal line := "N" inode path      a file was made, or emptied: nothing of it is on disk
//                 | "S" inode length    fsynced up to here
//                 | "C" path            a name was made in its folder (file, link)
//                 | "M" path            a folder was made
//                 | "R" from TAB to TAB kept      moved; kept: what it replaced, "-" for nothing
//                 | "U" path TAB kept   removed
//                 | "D" folder          fsynced: its names so far are on disk
//                 | "W" inode number offset count place
//                                       written before its fsynced length: write number, where and
//                                       how much, and where in the file "before" the old bytes are
//                 | "F" inode number    fsynced: the writes up to this number are on disk
//                 | "X" inode path      cut before its fsynced length
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
static char state[PATH_MAX]; // the journal: elsewhere, so that a full disk does not stop it
static char kept[PATH_MAX];  // links to removed files: on the disk that they were on
static int journal = -1;
static volatile struct control *control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long kept_number;

// Per descriptor: the inode when it is a file of ours, else 0; and whether each write is an fsync.
// Written at open and close.
static ino_t inode_of[FDS_MAX];
static char dsync_of[FDS_MAX];
// Fsynced lengths by inode, and how many writes before them are not fsynced: open addressing, never
// shrunk. Guarded by lock.
static struct file { ino_t inode; off_t length; long unsynced; } durable[INODES_MAX];
static int before = -1;       // old bytes
static off_t before_end;      // guarded by lock
static long writes, unsynced; // guarded by lock: the last write's number, and how many are not on disk

#define NEXT(name) \
  static __typeof__(name) *next_##name; \
  if (!next_##name) next_##name = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void die(const char *why) {
  dprintf(2, "diskshim: %s: %s\n", why, strerror(errno));
  abort();
}

static struct file *durable_slot(ino_t inode) {
  unsigned at = (unsigned)(inode * 2654435761u) % INODES_MAX;
  for (int i = 0; i < INODES_MAX; i++, at = (at + 1) % INODES_MAX) {
    if (durable[at].inode == inode || durable[at].inode == 0) {
      if (durable[at].inode == 0) durable[at].length = -1; // not known: there before the shim
      durable[at].inode = inode;
      return &durable[at];
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
    long length, number, offset, place;
    if (sscanf(line, "S %lu %ld", &inode, &length) == 2) durable_slot(inode)->length = length;
    else if (sscanf(line, "N %lu", &inode) == 1) durable_slot(inode)->length = 0;
    else if (sscanf(line, "W %lu %ld %ld %ld %ld", &inode, &number, &offset, &length, &place) == 5) {
      durable_slot(inode)->unsynced++; // the journal was pruned: it has only such writes
      unsynced++;
      if (number > writes) writes = number;
      if (place + length > before_end) before_end = place + length;
    }
    const char *kept = strrchr(line, '\t');
    if (kept && atol(kept + 1) > kept_number) kept_number = atol(kept + 1);
  }
  if (in) fclose(in);
}

__attribute__((constructor)) static void begin(void) {
  char path[PATH_MAX + 16];
  if (!getenv("CAIRN_SHIM_ROOT") || !getenv("CAIRN_SHIM_STATE") || !getenv("CAIRN_SHIM_KEPT")) return;
  snprintf(state, sizeof state, "%s", getenv("CAIRN_SHIM_STATE"));
  snprintf(kept, sizeof kept, "%s", getenv("CAIRN_SHIM_KEPT"));
  snprintf(path, sizeof path, "%s/journal", state);
  replay(path);
  journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  if (journal < 0) die("no journal");
  snprintf(path, sizeof path, "%s/before", state);
  before = (int)syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  if (before < 0) die("no file for old bytes");
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
    dsync_of[fd] = (flags & O_DSYNC) != 0;
    if (!there || ((flags & O_TRUNC) && before.st_size > 0)) {
      note("N %lu %s\n", (unsigned long)now.st_ino, full);
      struct file *file = durable_slot(now.st_ino);
      file->length = 0;
      unsynced -= file->unsynced;
      file->unsynced = 0;
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
  snprintf(target, sizeof target, "%s/%ld", kept, ++kept_number);
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

static int sync_refused(int fd) {
  if (control->sync_millis && chosen(fd)) {
    struct timespec pause = {control->sync_millis / 1000, control->sync_millis % 1000 * 1000000L};
    nanosleep(&pause, NULL);
  }
  if (control->sync_errno && chosen(fd)) {
    errno = control->sync_errno;
    return 1;
  }
  return 0;
}

// What the disk will have once the call that comes now has returned. Takes the lock.
struct reached { off_t length; long number, writes; };

static struct reached reach(ino_t inode, off_t length) {
  pthread_mutex_lock(&lock);
  struct reached all = {length, writes, durable_slot(inode)->unsynced};
  pthread_mutex_unlock(&lock);
  return all;
}

static void on_disk(ino_t inode, struct reached all) {
  pthread_mutex_lock(&lock);
  struct file *file = durable_slot(inode);
  // Two threads may sync one file: the later one to get here may have looked earlier.
  if (all.length > file->length) {
    file->length = all.length;
    note("S %lu %ld\n", (unsigned long)inode, (long)all.length);
  }
  if (all.writes > file->unsynced) all.writes = file->unsynced;
  if (all.writes > 0) {
    note("F %lu %ld\n", (unsigned long)inode, all.number);
    file->unsynced -= all.writes;
    unsynced -= all.writes;
    if (unsynced == 0) before_end = 0;
  }
  pthread_mutex_unlock(&lock);
}

static int synced(int fd, long call) {
  if (root_length && fd >= 0) {
    char path[PATH_MAX];
    if (sync_refused(fd)) return -1;
    struct stat now;
    if (fstat(fd, &now) == 0 && path_of(fd, path)) {
      struct reached all = {0};
      if (S_ISREG(now.st_mode)) all = reach(now.st_ino, now.st_size);
      int result = (int)syscall(call, fd);
      if (result != 0) return result;
      if (S_ISDIR(now.st_mode)) {
        pthread_mutex_lock(&lock);
        note("D %s\n", path);
        pthread_mutex_unlock(&lock);
      } else if (S_ISREG(now.st_mode)) {
        on_disk(now.st_ino, all);
      }
      return 0;
    }
  }
  return (int)syscall(call, fd);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int is_watched(int fd) { return root_length && fd >= 0 && fd < FDS_MAX && inode_of[fd]; }

// The lock files are rewritten by each process and mean nothing after a power loss.
static int is_lock(const char *path) {
  size_t length = strlen(path);
  return length >= 5 && strcmp(path + length - 5, "/lock") == 0;
}

// Keeps the bytes that a write is about to replace. The lock is held.
static void keep_bytes(int fd, off_t offset, size_t count) {
  char link[64], bytes[1 << 16];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int in = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC); // fd may be O_DIRECT
  if (in < 0) die("cannot read what is to be overwritten");
  off_t place = before_end;
  for (size_t done = 0; done < count;) {
    size_t part = count - done < sizeof bytes ? count - done : sizeof bytes;
    ssize_t got = syscall(SYS_pread64, in, bytes, part, offset + (off_t)done);
    if (got <= 0) die("cannot read what is to be overwritten");
    if (syscall(SYS_pwrite64, before, bytes, got, place + (off_t)done) != got) die("cannot keep old bytes");
    done += (size_t)got;
  }
  syscall(SYS_close, in);
  before_end += (off_t)count;
  durable_slot(inode_of[fd])->unsynced++;
  unsynced++;
  note("W %lu %ld %ld %ld %ld\n", (unsigned long)inode_of[fd], ++writes, (long)offset, (long)count, (long)place);
}

// Whether a write at this place is to fail; keeps what it replaces of what was fsynced.
static int refused(int fd, off_t offset, size_t count, int append) {
  if (!is_watched(fd)) return 0;
  if (control->write_errno && chosen(fd)) {
    errno = control->write_errno;
    return 1;
  }
  if (dsync_of[fd] && sync_refused(fd)) return 1;
  if (append) return 0;
  pthread_mutex_lock(&lock);
  off_t length = durable_slot(inode_of[fd])->length;
  char path[PATH_MAX];
  if (offset < length && path_of(fd, path) && !is_lock(path))
    keep_bytes(fd, offset, (off_t)count < length - offset ? count : (size_t)(length - offset));
  pthread_mutex_unlock(&lock);
  return 0;
}

static ssize_t written(int fd, ssize_t result) {
  struct stat now;
  if (result >= 0 && is_watched(fd) && dsync_of[fd] && fstat(fd, &now) == 0)
    on_disk(now.st_ino, reach(now.st_ino, now.st_size));
  return result;
}

static int refused_here(int fd, size_t count) {
  if (!is_watched(fd)) return 0;
  return refused(fd, syscall(SYS_lseek, fd, 0, SEEK_CUR), count, fcntl(fd, F_GETFL) & O_APPEND);
}

static size_t bytes_of(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  return refused_here(fd, count) ? -1 : written(fd, syscall(SYS_write, fd, bytes, count));
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  return refused_here(fd, bytes_of(parts, count)) ? -1 : written(fd, syscall(SYS_writev, fd, parts, count));
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
  return refused(fd, offset, count, 0) ? -1 : written(fd, syscall(SYS_pwrite64, fd, bytes, count, offset));
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  return refused(fd, offset, count, 0) ? -1 : written(fd, syscall(SYS_pwrite64, fd, bytes, count, offset));
}

static int cut(int fd, off_t length) {
  if (!is_watched(fd)) return (int)syscall(SYS_ftruncate, fd, length);
  if (control->write_errno && chosen(fd)) {
    errno = control->write_errno;
    return -1;
  }
  pthread_mutex_lock(&lock);
  char path[PATH_MAX];
  if (length < durable_slot(inode_of[fd])->length && path_of(fd, path) && !is_lock(path))
    note("X %lu %s\n", (unsigned long)inode_of[fd], path);
  pthread_mutex_unlock(&lock);
  return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

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
