// What the benchmarks ask of the system: how fast a sync is, what was written, an empty page cache.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "peer.h"

static double microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec * 1e-3;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_sync_microseconds(const char *folder) {
  enum { COUNT = 41, BLOCK = 4096 };
  // Kept open: blocks written for the first time would cost more.
  static int file = -1;
  static char block[BLOCK] = {1};
  if (file < 0) {
    char path[4096];
    snprintf(path, sizeof path, "%s/probeXXXXXX", folder);
    file = mkstemp(path);
    if (file < 0) PEER_FAIL(path, "cannot be made");
    unlink(path);
    for (int i = 0; i < COUNT; i++)
      if (write(file, block, BLOCK) != BLOCK) PEER_FAIL(path, "cannot be written");
    fsync(file);
  }
  double times[COUNT];
  for (int i = 0; i < COUNT; i++) {
    double start = microseconds();
    if (pwrite(file, block, BLOCK, (off_t)i * BLOCK) != BLOCK || fdatasync(file)) PEER_FAIL("probe", "cannot sync");
    times[i] = microseconds() - start;
  }
  qsort(times, COUNT, sizeof *times, by_value);
  return times[COUNT / 2];
}

/// Calls `madvise` for every mapping of a file below `folder`.
static void advise(const char *folder, int advice) {
  char line[4096 + 128], real[4096];
  if (!realpath(folder, real)) return;
  FILE *maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  while (fgets(line, sizeof line, maps)) {
    unsigned long start, end;
    const char *path = strchr(line, '/');
    if (path && !strncmp(path, real, strlen(real)) && sscanf(line, "%lx-%lx", &start, &end) == 2)
      madvise((void *)start, end - start, advice);
  }
  fclose(maps);
}

void bench_set_readahead(const char *folder, bool on) { advise(folder, on ? MADV_NORMAL : MADV_RANDOM); }

bool bench_drop_cached(const char *folder) {
  advise(folder, MADV_DONTNEED);
  DIR *entries = opendir(folder);
  if (!entries) return false;
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (entry->d_type != DT_REG) continue;
    int file = openat(dirfd(entries), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    fsync(file);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    close(file);
  }
  closedir(entries);
  // Pages of a mapping stay in the cache while the mapping does; this reaches them.
  FILE *all = fopen("/proc/sys/vm/drop_caches", "w");
  if (!all) return false;
  bool done = fputs("1", all) >= 0;
  return fclose(all) == 0 && done;
}

/// A number from a file of /proc, by the word before it.
static uint64_t number_after(const char *path, const char *word) {
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  char line[256];
  uint64_t number = 0;
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, word, strlen(word))) number = strtoull(line + strlen(word), NULL, 10);
  fclose(file);
  return number;
}

uint64_t bench_bytes_written(void) { return number_after("/proc/self/io", "wchar:"); }
static uint64_t status_of(int process, const char *word) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", process);
  return number_after(path, word) * 1024;
}

uint64_t bench_own_memory(int process) { return status_of(process, "RssAnon:"); }
uint64_t bench_peak_memory(int process) { return status_of(process, "VmHWM:"); }
void bench_die(void) { _exit(0); }
