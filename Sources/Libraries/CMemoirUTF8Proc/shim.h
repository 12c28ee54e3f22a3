// Unicode's tables: case folding, decomposition, categories.
#include <utf8proc.h>
