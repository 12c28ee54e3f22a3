// lmdb.h as Debian installs it.
#include <lmdb.h>
