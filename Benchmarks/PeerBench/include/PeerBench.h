// The same work on plain LMDB and on SQLite, and the few calls of the system that the benchmarks need.
//
// Every call ends the process with a message where something fails: a benchmark has nothing to go on with.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// An event of the workload. Its texts lie one after the other in the workload's bytes, from `text` on.
typedef struct {
  uint64_t id[2], session[2];  // 16 bytes each, as a UUID has them
  int64_t occurred, recorded;  // microseconds since 1970
  uint64_t text;
  uint32_t user, version;
  uint16_t first_length, second_length;
  uint8_t type, role;
} PeerEvent;

enum { PEER_MESSAGE, PEER_FACT, PEER_PREFERENCE, PEER_ENDED };

/// What a reading comes to: events by type, bytes of text, the last value of each preference.
///
/// All contestants fold with the same function into the same state, so that a wrong answer shows.
enum { PEER_PREFERENCES = 16, PEER_VALUE_SIZE = 55 };
typedef struct {
  uint64_t key;  // at most 8 bytes, filled up with zeros
  uint8_t length;
  char value[PEER_VALUE_SIZE];
} PeerPreference;
typedef struct {
  uint64_t counts[4], length, preference_count;
  PeerPreference preferences[PEER_PREFERENCES];
} PeerTally;

static inline void peer_tally_fail(void) {
  fputs("memoir-bench: a preference that no workload has\n", stderr);
  exit(1);
}

/// Folds one event.
static inline void peer_tally_add(PeerTally *tally, unsigned type, const void *first, size_t first_length,
                                  const void *second, size_t second_length) {
  tally->counts[type & 3]++;
  tally->length += first_length + second_length;
  if (type != PEER_PREFERENCE) return;
  uint64_t key = 0;
  if (first_length > sizeof key || second_length > PEER_VALUE_SIZE) peer_tally_fail();
  memcpy(&key, first, first_length);
  size_t at = 0;
  while (at < tally->preference_count && tally->preferences[at].key != key) at++;
  if (at == tally->preference_count) {
    if (at == PEER_PREFERENCES) peer_tally_fail();
    tally->preference_count++;
    tally->preferences[at].key = key;
  }
  tally->preferences[at].length = (uint8_t)second_length;
  memcpy(tally->preferences[at].value, second, second_length);
}

/// Stands for a tally, in whatever order the preferences came.
uint64_t peer_tally_digest(const PeerTally *tally);

// ---- HTTP ----

/// Serves the same `size` bytes to whoever asks, at a free port of this machine, until the process ends.
uint16_t peer_http_start(size_t size, unsigned threads);

// ---- Peers ----

typedef enum { PEER_LMDB, PEER_SQLITE } PeerKind;
/// A store, with its one writer.
typedef struct Peer Peer;
/// One thread's way to read a store.
typedef struct PeerReader PeerReader;

Peer *peer_open(PeerKind kind, const char *folder, uint32_t users);
void peer_close(Peer *peer);

/// Stores events in one commit. `checks`: each must follow the last of its stream.
void peer_commit(Peer *peer, const PeerEvent *events, size_t count, const uint8_t *texts, bool checks);

/// Stores one event and returns once it is durable. Called by many threads at once: the first that waits commits
/// everybody's events.
void peer_append(Peer *peer, const PeerEvent *event, const uint8_t *texts);

/// Brings to rest what a store puts off, before its size is looked at.
void peer_settle(Peer *peer);

/// Stores a value of `PEER_STATE_SIZE` bytes for each user.
enum { PEER_STATE_SIZE = 4000 };
void peer_put_states(Peer *peer, uint32_t users);

PeerReader *peer_reader_open(Peer *peer);
void peer_reader_close(PeerReader *reader);
/// Folds all events in the order they were stored; the number of them.
uint64_t peer_scan(PeerReader *reader, PeerTally *tally);
/// Folds one user's events; the number of them.
uint64_t peer_stream(PeerReader *reader, uint32_t user, PeerTally *tally);
/// Copies a user's value to `out`; the size of it.
size_t peer_state(PeerReader *reader, uint32_t user, char *out);

/// A row of SQLite's events.
typedef struct {
  const char *user, *type, *data;
  const uint8_t *id, *session;
  size_t data_length;
  int64_t version, occurred, recorded;
} PeerRow;
/// The next row of SQLite, by stream and version; false after the last one, then the first again. It is there until the
/// next call.
bool peer_next_row(PeerReader *reader, PeerRow *row);

/// Prints the members of an event's "data" as JSON; the size of it, 0 where `room` does not do.
size_t peer_event_json(const PeerEvent *event, const uint8_t *texts, char *out, size_t room);

// ---- Search ----

/// Full-text search of one person's texts.
typedef struct PeerSearch PeerSearch;

PeerSearch *peer_search_open(void);
void peer_search_close(PeerSearch *search);
/// Adds a text, which ends with a zero.
void peer_search_add(PeerSearch *search, int64_t number, const char *text);
/// The numbers of the texts that match, best first; how many. `query` is in FTS5's own language.
size_t peer_search_find(PeerSearch *search, const char *query, int64_t *numbers, size_t limit);

// ---- System ----

/// Median time, in microseconds, of a bare fdatasync of a 4 KiB block in `folder`.
double bench_sync_microseconds(const char *folder);
/// Forgets what is in memory of the files in `folder`, also where they are mapped. Whether the system allowed all of it.
bool bench_drop_cached(const char *folder);
/// Whether the kernel is to read ahead of the files in `folder` that are mapped.
void bench_set_readahead(const char *folder, bool on);
/// Bytes that this process has handed to the kernel so far.
uint64_t bench_bytes_written(void);
/// The memory a process has now, in bytes, without the pages of files; 0 once it has ended.
uint64_t bench_own_memory(int process);
/// The most memory a process has had, pages of files that it maps included; 0 once it has ended.
uint64_t bench_peak_memory(int process);
/// Ends the process as a kill would: nothing is closed.
void bench_die(void);
