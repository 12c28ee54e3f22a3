// The Snowball stemmers, as Debian installs them.
#include <libstemmer.h>
