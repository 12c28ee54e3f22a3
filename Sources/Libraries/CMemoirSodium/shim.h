// BLAKE2b, random bytes and constant-time comparison, as Debian installs them.
#include <sodium.h>
