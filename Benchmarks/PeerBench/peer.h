// What LMDB and SQLite have in common: a table of functions, and the commit that writers share.
#pragma once
#include <pthread.h>
#include "PeerBench.h"

_Noreturn void peer_fail(const char *file, int line, const char *what, const char *why);
#define PEER_FAIL(what, why) peer_fail(__FILE__, __LINE__, what, why)

enum { PEER_GROUP = 256 };

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t done[2];
  PeerEvent queue[PEER_GROUP];
  size_t count;
  bool busy;
  uint64_t filling, finished;
} PeerGroup;

typedef struct {
  void (*close)(Peer *);
  void (*commit)(Peer *, const PeerEvent *, size_t, const uint8_t *, bool);
  void (*settle)(Peer *);
  void (*put_states)(Peer *, uint32_t);
  PeerReader *(*reader_open)(Peer *);
  void (*reader_close)(PeerReader *);
  uint64_t (*scan)(PeerReader *, PeerTally *);
  uint64_t (*stream)(PeerReader *, uint32_t, PeerTally *);
  size_t (*state)(PeerReader *, uint32_t, char *);
  bool (*next_row)(PeerReader *, PeerRow *);
} PeerCalls;

struct Peer {
  const PeerCalls *calls;
  PeerGroup group;
};
struct PeerReader {
  const PeerCalls *calls;
};

Peer *peer_open_lmdb(const char *folder, uint32_t users);
Peer *peer_open_sqlite(const char *folder);
void peer_fill_state(uint32_t user, char *out);

enum { PEER_NAME_SIZE = 10 };
/// "user-00042", with a zero at its end.
static inline void peer_name(uint32_t user, char out[PEER_NAME_SIZE + 8]) {
  snprintf(out, PEER_NAME_SIZE + 8, "user-%05u", user);
}
