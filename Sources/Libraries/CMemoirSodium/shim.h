// Hashing, signing, authenticated encryption, random bytes and constant-time comparison, as Debian installs them.
#include <sodium.h>
