// Preloaded into a process to record, in their order, the calls by which it changes the files below a folder, and the
// lines that it prints; and to have a disk that ignores syncs, a call that fails, or a process that dies at one of them.
//
//   MEMOIR_IO_FOLDER   the folder that all is about
//   MEMOIR_IO_TRACE    where to record: records of a header (kind, inode, offset, length) and bytes
//   MEMOIR_IO_IGNORES  "data", "meta" or both: fdatasync does nothing, O_DSYNC is no more than a write
//   MEMOIR_IO_KILL     dies (SIGKILL) at the call of this number, after half of it where it writes
//   MEMOIR_IO_FAIL     "CLASS NUMBER ERRNO": of the calls of a class (any, write, sync), the one of this number fails;
//                      with 0 for the errno, a write does half of what it was asked to, and says so; with -1, it
//                      does nothing, and says that it has
//   MEMOIR_IO_REPORT   where to say which call failed, and at the end how many there were that change files, of all
//                      (reading and opening too), that write, and that sync
//
// The files of the locks are nobody's content: they are left alone.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, DURABLE_WRITE, TRUNCATE, SYNC, SAID, CREATED, FOLDER_SYNC, RENAMED, REMOVED, MADE_FOLDER };
enum { OTHER = 0, CHANGES = 1, WRITES = 2, SYNCS = 4 };

struct header { uint64_t kind, inode, offset, length; };
struct file { uint8_t is_ours, is_durable, is_folder; off_t place; uint64_t inode; char path[256]; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[1024];
static int trace = -1, report = -1;
static char folder[4096];
static size_t folder_length;
static int ignores_data, ignores_meta;
static long kill_at, changes, calls, writes, syncs;
static char fail_class[8];
static long fail_at;
static int fail_errno;

static int open_beside(const char *variable) {
  const char *path = getenv(variable);
  return path ? syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
}

__attribute__((constructor)) static void begin(void) {
  const char *value = getenv("MEMOIR_IO_FOLDER");
  if (value) strncpy(folder, value, sizeof folder - 1);
  folder_length = strlen(folder);
  trace = open_beside("MEMOIR_IO_TRACE");
  report = open_beside("MEMOIR_IO_REPORT");
  value = getenv("MEMOIR_IO_IGNORES");
  if (value) ignores_data = strstr(value, "data") != NULL, ignores_meta = strstr(value, "meta") != NULL;
  value = getenv("MEMOIR_IO_KILL");
  if (value) kill_at = atol(value);
  value = getenv("MEMOIR_IO_FAIL");
  if (value && sscanf(value, "%7s %ld %d", fail_class, &fail_at, &fail_errno) != 3) abort();
}

static void say(const char *text, size_t length) {
  if (report >= 0 && syscall(SYS_write, report, text, length) < 0) abort();
}

__attribute__((destructor)) static void finish(void) {
  char text[120];
  say(text, snprintf(text, sizeof text, "calls %ld %ld %ld %ld\n", changes, calls, writes, syncs));
}

static void record(uint64_t kind, uint64_t inode, off_t offset, size_t length, const void *bytes) {
  if (trace < 0) return;
  int before = errno;
  struct header header = {kind, inode, (uint64_t)offset, bytes ? length : 0};
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)bytes, length}};
  if (syscall(SYS_writev, trace, parts, bytes ? 2 : 1) < 0) abort();
  errno = before;
}

// Below the folder: with what is behind the slash. The folder itself: "". Else NULL.
static const char *ours(const char *path) {
  if (!folder_length || strncmp(path, folder, folder_length)) return NULL;
  const char *rest = path + folder_length;
  if (!*rest) return rest;
  if (*rest != '/') return NULL;
  while (*rest == '/') rest++;
  const char *name = strrchr(rest, '/') ? strrchr(rest, '/') + 1 : rest;
  return strcmp(name, "lock.mdb") && strcmp(name, "openers.lock") ? rest : NULL;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }

// Counts a call. True where it is to fail: with errno set, or 0 where it is to do half.
static int fails(int class, const char *name) {
  calls++;
  if (class & CHANGES && ++changes == kill_at && !(class & WRITES)) die();
  if (class & WRITES) writes++;
  if (class & SYNCS) syncs++;
  if (!fail_at) return 0;
  long number = !strcmp(fail_class, "sync") ? (class & SYNCS ? syncs : 0)
                : !strcmp(fail_class, "write") ? (class & WRITES ? writes : 0) : calls;
  if (number != fail_at) return 0;
  char text[80];
  // Only a write can be done by halves.
  errno = fail_errno || class & WRITES ? fail_errno : EIO;
  int code = errno;
  say(text, snprintf(text, sizeof text, "failed %s %d\n", name, code));
  errno = code;
  return 1;
}

static int is_ours(int fd) { return fd >= 0 && fd < 1024 && files[fd].is_ours; }

static int open_file(const char *path, int flags, mode_t mode) {
  const char *rest = ours(path);
  if (!rest) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat status;
  int is_new = (flags & O_CREAT) && syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0, fd = -1;
  if (!fails(is_new ? CHANGES : OTHER, "open")) {
    fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < 1024 && syscall(SYS_fstat, fd, &status) == 0) {
      struct file *file = &files[fd];
      *file = (struct file){.is_ours = 1, .is_durable = (flags & O_DSYNC) != 0, .inode = status.st_ino};
      file->is_folder = S_ISDIR(status.st_mode);
      strncpy(file->path, rest, sizeof file->path - 1);
      if (flags & O_APPEND) file->place = status.st_size;
      if (is_new) record(CREATED, file->inode, 0, strlen(rest), rest);
    }
  }
  pthread_mutex_unlock(&lock);
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, int);
  va_end(list);
  return open_file(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, int);
  va_end(list);
  return open_file(path, flags, mode);
}

int close(int fd) {
  if (fd >= 0 && fd < 1024) files[fd].is_ours = 0;
  return syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset) {
  pthread_mutex_lock(&lock);
  ssize_t done = -1;
  int fail = fails(CHANGES | WRITES, "write");
  if (changes == kill_at) {
    syscall(SYS_pwrite64, fd, bytes, length / 2, offset);
    die();
  }
  if (fail && errno == 0) length /= 2, fail = 0;
  int lies = fail && errno == -1;
  if (lies) done = length;
  else if (!fail) done = syscall(SYS_pwrite64, fd, bytes, length, offset);
  if (done > 0)
    record(files[fd].is_durable && !ignores_meta ? DURABLE_WRITE : WRITE, files[fd].inode, offset, done, bytes);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  if (!is_ours(fd)) return syscall(SYS_pwrite64, fd, bytes, length, offset);
  return write_at(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return pwrite(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
  if (fd == STDOUT_FILENO && trace >= 0) {
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, fd, bytes, length);
    if (done > 0) record(SAID, 0, 0, done, bytes);
    pthread_mutex_unlock(&lock);
    return done;
  }
  if (!is_ours(fd)) return syscall(SYS_write, fd, bytes, length);
  ssize_t done = write_at(fd, bytes, length, files[fd].place);
  if (done > 0) files[fd].place += done;
  return done;
}

static ssize_t write_parts_at(int fd, const struct iovec *parts, int count, off_t offset) {
  size_t length = 0;
  for (int n = 0; n < count; n++) length += parts[n].iov_len;
  char *all = malloc(length), *next = all;
  if (!all) abort();
  for (int n = 0; n < count; n++) next = mempcpy(next, parts[n].iov_base, parts[n].iov_len);
  ssize_t done = write_at(fd, all, length, offset);
  free(all);
  return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (!is_ours(fd)) return syscall(SYS_writev, fd, parts, count);
  ssize_t done = write_parts_at(fd, parts, count, files[fd].place);
  if (done > 0) files[fd].place += done;
  return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  if (!is_ours(fd)) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
  return write_parts_at(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev(fd, parts, count, offset); }

static int read_fails(int fd, const char *name) {
  if (!is_ours(fd)) return 0;
  pthread_mutex_lock(&lock);
  int fail = fails(OTHER, name);
  pthread_mutex_unlock(&lock);
  return fail;
}

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) {
  if (read_fails(fd, "pread")) return -1;
  return syscall(SYS_pread64, fd, bytes, length, offset);
}

ssize_t pread64(int fd, void *bytes, size_t length, off_t offset) { return pread(fd, bytes, length, offset); }

ssize_t read(int fd, void *bytes, size_t length) {
  if (read_fails(fd, "read")) return -1;
  ssize_t done = syscall(SYS_read, fd, bytes, length);
  if (done > 0 && is_ours(fd)) files[fd].place += done;
  return done;
}

off_t lseek(int fd, off_t offset, int from) {
  off_t place = syscall(SYS_lseek, fd, offset, from);
  if (place >= 0 && is_ours(fd)) files[fd].place = place;
  return place;
}

off_t lseek64(int fd, off_t offset, int from) { return lseek(fd, offset, from); }

int ftruncate(int fd, off_t length) {
  if (!is_ours(fd)) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  int code = fails(CHANGES, "ftruncate") ? -1 : syscall(SYS_ftruncate, fd, length);
  if (code == 0) record(TRUNCATE, files[fd].inode, length, 0, NULL);
  pthread_mutex_unlock(&lock);
  return code;
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int sync_file(int fd, long call, const char *name) {
  if (!is_ours(fd)) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  struct file *file = &files[fd];
  int code = fails(CHANGES | SYNCS, name) ? -1 : 0;
  if (code == 0 && (file->is_folder || !ignores_data)) {
    code = syscall(call, fd);
    if (code == 0 && file->is_folder) record(FOLDER_SYNC, file->inode, 0, strlen(file->path), file->path);
    else if (code == 0) record(SYNC, file->inode, 0, 0, NULL);
  }
  pthread_mutex_unlock(&lock);
  return code;
}

int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync, "fdatasync"); }
int fsync(int fd) { return sync_file(fd, SYS_fsync, "fsync"); }

// The data file is never mapped for writing: whoever starts to must teach this file and the tests about it.
int msync(void *start, size_t length, int flags) { abort(); }

int mkdir(const char *path, mode_t mode) {
  const char *rest = ours(path);
  if (!rest) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  pthread_mutex_lock(&lock);
  int code = fails(CHANGES, "mkdir") ? -1 : syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (code == 0) record(MADE_FOLDER, 0, 0, strlen(rest), rest);
  pthread_mutex_unlock(&lock);
  return code;
}

int remove(const char *path) {
  const char *rest = ours(path);
  struct stat status;
  // What is not there is looked for often, and changes nothing.
  int is_there = rest && syscall(SYS_newfstatat, AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (rest) pthread_mutex_lock(&lock);
  int code = rest && fails(is_there ? CHANGES : OTHER, "unlink") ? -1 : syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (code != 0 && errno == EISDIR) code = syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  if (rest && code == 0) record(REMOVED, 0, 0, strlen(rest), rest);
  if (rest) pthread_mutex_unlock(&lock);
  return code;
}

int unlink(const char *path) { return remove(path); }

int rename(const char *from, const char *to) {
  const char *old = ours(from), *new = ours(to);
  if (!old || !new) return syscall(SYS_rename, from, to);
  pthread_mutex_lock(&lock);
  int code = fails(CHANGES, "rename") ? -1 : syscall(SYS_rename, from, to);
  if (code == 0) {
    char both[8192];
    int length = snprintf(both, sizeof both, "%s\n%s", old, new);
    if (length < 0 || length >= (int)sizeof both) abort();
    record(RENAMED, 0, 0, length, both);
  }
  pthread_mutex_unlock(&lock);
  return code;
}
