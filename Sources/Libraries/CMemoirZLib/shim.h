// zlib, as Debian installs it.
#include <zlib.h>
