// Preloaded into a process to record, in their order, the calls by which a store reaches the disk, and the lines that
// the process prints; and to have a disk that ignores syncs, or a process that dies at one of the calls.
//
//   MEMOIR_IO_FOLDER   the folder of the store
//   MEMOIR_IO_TRACE    where to record: records of a header (kind, file, offset, length) and bytes
//   MEMOIR_IO_IGNORES  "data", "meta" or both: fdatasync does nothing, O_DSYNC is no more than a write
//   MEMOIR_IO_KILL     dies (SIGKILL) at the call of this number, after half of it where it writes
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, DURABLE_WRITE, TRUNCATE, SYNC, SAID, CREATED, FOLDER_SYNC, RENAMED, REMOVED };
enum { NONE, DATA, MARKER, FOLDER, PARENT, MAKING };

struct header { uint32_t kind, file; uint64_t offset, length; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct { uint8_t file, is_durable; off_t place; } files[1024];
static int trace = -1;
static char folder[4096];
static size_t folder_length, parent_length;
static int ignores_data, ignores_meta;
static long kill_at, calls;

__attribute__((constructor)) static void begin(void) {
  const char *value = getenv("MEMOIR_IO_FOLDER");
  if (value) strncpy(folder, value, sizeof folder - 1);
  folder_length = strlen(folder);
  if (strrchr(folder, '/')) parent_length = strrchr(folder, '/') - folder;
  value = getenv("MEMOIR_IO_TRACE");
  if (value) trace = syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  value = getenv("MEMOIR_IO_IGNORES");
  if (value) ignores_data = strstr(value, "data") != NULL, ignores_meta = strstr(value, "meta") != NULL;
  value = getenv("MEMOIR_IO_KILL");
  if (value) kill_at = atol(value);
}

static void record(uint32_t kind, uint32_t file, off_t offset, size_t length, const void *bytes) {
  if (trace < 0) return;
  int before = errno;
  struct header header = {kind, file, (uint64_t)offset, length};
  struct iovec parts[2] = {{&header, sizeof header}, {(void *)bytes, bytes ? length : 0}};
  if (!bytes) header.length = 0;
  if (syscall(SYS_writev, trace, parts, bytes ? 2 : 1) < 0) abort();
  errno = before;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); for (;;) pause(); }

// Counts a call; true where it is the one to die at.
static int is_last(void) { return ++calls == kill_at; }

static int file_of(int fd) { return fd >= 0 && fd < 1024 ? files[fd].file : NONE; }

static int kind_of_path(const char *path) {
  if (!folder_length) return NONE;
  if (!strncmp(path, folder, parent_length) && !path[parent_length]) return PARENT;
  if (strncmp(path, folder, folder_length)) return NONE;
  const char *rest = path + folder_length;
  if (!*rest) return FOLDER;
  if (!strcmp(rest, "/data.mdb")) return DATA;
  if (!strcmp(rest, "/MEMOIR.making")) return MAKING;
  if (!strncmp(rest, "/MEMOIR.", 8)) return MARKER;
  return NONE;
}

static int open_file(const char *path, int flags, mode_t mode) {
  int kind = kind_of_path(path);
  if (!kind) return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat status;
  int is_new = (flags & O_CREAT) && syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0) != 0;
  if (is_new && is_last()) die();
  int fd = syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  if (fd >= 0 && fd < 1024) {
    files[fd].file = kind;
    files[fd].is_durable = (flags & O_DSYNC) != 0;
    files[fd].place = 0;
    if (is_new) record(CREATED, kind, 0, 0, NULL);
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
  if (fd >= 0 && fd < 1024) files[fd].file = NONE;
  return syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset) {
  pthread_mutex_lock(&lock);
  int file = files[fd].file;
  if (is_last()) {
    syscall(SYS_pwrite64, fd, bytes, length / 2, offset);
    die();
  }
  ssize_t done = syscall(SYS_pwrite64, fd, bytes, length, offset);
  if (done > 0)
    record(files[fd].is_durable && !ignores_meta ? DURABLE_WRITE : WRITE, file, offset, done, bytes);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
  if (!file_of(fd)) return syscall(SYS_pwrite64, fd, bytes, length, offset);
  return write_at(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t offset) { return pwrite(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
  if (fd == STDOUT_FILENO && trace >= 0) {
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, fd, bytes, length);
    if (done > 0) record(SAID, NONE, 0, done, bytes);
    pthread_mutex_unlock(&lock);
    return done;
  }
  if (!file_of(fd)) return syscall(SYS_write, fd, bytes, length);
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
  if (!file_of(fd)) return syscall(SYS_writev, fd, parts, count);
  ssize_t done = write_parts_at(fd, parts, count, files[fd].place);
  if (done > 0) files[fd].place += done;
  return done;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  if (!file_of(fd)) return syscall(SYS_pwritev, fd, parts, count, offset, 0);
  return write_parts_at(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev(fd, parts, count, offset); }

off_t lseek(int fd, off_t offset, int from) {
  off_t place = syscall(SYS_lseek, fd, offset, from);
  if (place >= 0 && file_of(fd)) files[fd].place = place;
  return place;
}

off_t lseek64(int fd, off_t offset, int from) { return lseek(fd, offset, from); }

int ftruncate(int fd, off_t length) {
  if (!file_of(fd)) return syscall(SYS_ftruncate, fd, length);
  pthread_mutex_lock(&lock);
  if (is_last()) die();
  int code = syscall(SYS_ftruncate, fd, length);
  if (code == 0) record(TRUNCATE, files[fd].file, length, 0, NULL);
  pthread_mutex_unlock(&lock);
  return code;
}

int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }

static int sync_file(int fd, long call) {
  int file = file_of(fd);
  if (!file) return syscall(call, fd);
  pthread_mutex_lock(&lock);
  if (is_last()) die();
  int code = 0;
  if (file == FOLDER || file == PARENT) {
    code = syscall(call, fd);
    if (code == 0) record(FOLDER_SYNC, file, 0, 0, NULL);
  } else if (!(file == DATA && ignores_data)) {
    code = syscall(call, fd);
    if (code == 0) record(SYNC, file, 0, 0, NULL);
  }
  pthread_mutex_unlock(&lock);
  return code;
}

int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }
int fsync(int fd) { return sync_file(fd, SYS_fsync); }

// The data file is never mapped for writing: whoever starts to must teach this file and the tests about it.
int msync(void *start, size_t length, int flags) { abort(); }

int mkdir(const char *path, mode_t mode) {
  int kind = kind_of_path(path);
  if (kind != FOLDER) return syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  pthread_mutex_lock(&lock);
  if (is_last()) die();
  int code = syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  if (code == 0) record(CREATED, kind, 0, 0, NULL);
  pthread_mutex_unlock(&lock);
  return code;
}

int remove(const char *path) {
  int kind = kind_of_path(path);
  pthread_mutex_lock(&lock);
  if (kind == MAKING && is_last()) die();
  int code = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (code != 0 && errno == EISDIR) code = syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
  else if (code == 0 && kind == MAKING) record(REMOVED, kind, 0, 0, NULL);
  pthread_mutex_unlock(&lock);
  return code;
}

int rename(const char *from, const char *to) {
  int kind = kind_of_path(from);
  if (!kind) return syscall(SYS_rename, from, to);
  pthread_mutex_lock(&lock);
  if (is_last()) die();
  int code = syscall(SYS_rename, from, to);
  if (code == 0) record(RENAMED, kind, 0, 0, NULL);
  pthread_mutex_unlock(&lock);
  return code;
}
