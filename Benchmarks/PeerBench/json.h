// An event's "data" as JSON text, as SQLite keeps it: just what the workload needs of it.
#pragma once
#include "PeerBench.h"

extern const char *const peer_type_names[4];

/// The number of a type by its name.
static inline unsigned peer_type(const char *name) {
  switch (name[0]) {
    case 'M': return PEER_MESSAGE;
    case 'F': return PEER_FACT;
    case 'P': return PEER_PREFERENCE;
    default: return PEER_ENDED;
  }
}

/// Folds an event given as JSON. Kinder to SQLite than a real parser: it looks for the strings it knows to be there.
void peer_tally_json(PeerTally *tally, unsigned type, const char *data, size_t length);
