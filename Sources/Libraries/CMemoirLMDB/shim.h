// lmdb.h as Debian installs it, and a hint to the processor, which Swift has no word for.
#include <lmdb.h>
#include <stddef.h>
#include <stdint.h>

/// Has the first bytes from an address on, at most a few lines of the cache, fetched while others are looked at. Any
/// address will do: one that is not mapped is ignored.
static inline void memoir_prefetch(uintptr_t address, size_t count) {
  for (size_t offset = 0; offset < count && offset < 256; offset += 64)
    __builtin_prefetch((const void *)(address + offset));
}
