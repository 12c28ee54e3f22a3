// Plain LMDB: a log keyed by position, and in the same transaction, for each user, the positions of its events.
#include <lmdb.h>
#include "peer.h"

#define OK(call)                                                             \
  do {                                                                       \
    int code_ = (call);                                                      \
    if (code_) PEER_FAIL(#call, mdb_strerror(code_));                        \
  } while (0)

typedef struct {
  Peer peer;
  MDB_env *env;
  MDB_dbi log, streams, names, states;
  size_t next;
} Store;

typedef struct {
  PeerReader reader;
  Store *store;
  MDB_txn *transaction;
  MDB_cursor *log, *streams;
} Reader;

// What is stored of an event, before its texts.
typedef struct __attribute__((packed)) {
  uint8_t id[16], session[16];
  int64_t occurred, recorded;
  uint32_t user, version;
  uint8_t type, role;
  uint16_t first_length;  // what remains is the second text
} Record;

static void tally_record(PeerTally *tally, const MDB_val *value) {
  const Record *record = value->mv_data;
  const char *texts = (const char *)(record + 1);
  peer_tally_add(tally, record->type, texts, record->first_length, texts + record->first_length,
                 value->mv_size - sizeof *record - record->first_length);
}

static void check_version(const PeerEvent *event, MDB_cursor *log, MDB_cursor *streams) {
  size_t user = event->user, last;
  MDB_val key = {sizeof user, &user}, value;
  OK(mdb_cursor_get(streams, &key, &value, MDB_SET));
  OK(mdb_cursor_get(streams, &key, &value, MDB_LAST_DUP));
  memcpy(&last, value.mv_data, sizeof last);
  key = (MDB_val){sizeof last, &last};
  OK(mdb_cursor_get(log, &key, &value, MDB_SET));
  if (((const Record *)value.mv_data)->version + 1 != event->version) PEER_FAIL("append", "version conflict");
}

static void commit(Peer *peer, const PeerEvent *events, size_t count, const uint8_t *texts, bool checks) {
  Store *store = (Store *)peer;
  MDB_txn *transaction;
  MDB_cursor *log, *streams;
  OK(mdb_txn_begin(store->env, NULL, 0, &transaction));
  OK(mdb_cursor_open(transaction, store->log, &log));
  OK(mdb_cursor_open(transaction, store->streams, &streams));
  for (const PeerEvent *event = events; event < events + count; event++) {
    if (checks && event->version > 1) check_version(event, log, streams);
    size_t position = store->next++, user = event->user, length = event->first_length + event->second_length;
    MDB_val key = {sizeof position, &position}, value = {sizeof(Record) + length, NULL};
    OK(mdb_cursor_put(log, &key, &value, MDB_RESERVE | MDB_APPEND));
    Record *record = value.mv_data;
    memcpy(record->id, event->id, sizeof record->id);
    memcpy(record->session, event->session, sizeof record->session);
    record->occurred = event->occurred;
    record->recorded = event->recorded;
    record->user = event->user;
    record->version = event->version;
    record->type = event->type;
    record->role = event->role;
    record->first_length = event->first_length;
    memcpy(record + 1, texts + event->text, length);
    key = (MDB_val){sizeof user, &user};
    value = (MDB_val){sizeof position, &position};
    OK(mdb_cursor_put(streams, &key, &value, MDB_APPENDDUP));
  }
  mdb_cursor_close(log);
  mdb_cursor_close(streams);
  OK(mdb_txn_commit(transaction));
}

static void settle(Peer *peer) { (void)peer; }

static void put_states(Peer *peer, uint32_t users) {
  Store *store = (Store *)peer;
  MDB_txn *transaction;
  OK(mdb_txn_begin(store->env, NULL, 0, &transaction));
  for (uint32_t user = 0; user < users; user++) {
    char name[PEER_NAME_SIZE + 8], state[PEER_STATE_SIZE];
    peer_name(user, name);
    peer_fill_state(user, state);
    MDB_val key = {PEER_NAME_SIZE, name}, value = {sizeof state, state};
    OK(mdb_put(transaction, store->states, &key, &value, 0));
  }
  OK(mdb_txn_commit(transaction));
}

static PeerReader *reader_open(Peer *peer) {
  Store *store = (Store *)peer;
  Reader *reader = calloc(1, sizeof *reader);
  reader->reader.calls = peer->calls;
  reader->store = store;
  OK(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader->transaction));
  OK(mdb_cursor_open(reader->transaction, store->log, &reader->log));
  OK(mdb_cursor_open(reader->transaction, store->streams, &reader->streams));
  mdb_txn_reset(reader->transaction);
  return &reader->reader;
}

static void reader_close(PeerReader *peer) {
  Reader *reader = (Reader *)peer;
  mdb_cursor_close(reader->log);
  mdb_cursor_close(reader->streams);
  mdb_txn_abort(reader->transaction);
  free(reader);
}

static uint64_t scan(PeerReader *peer, PeerTally *tally) {
  Reader *reader = (Reader *)peer;
  OK(mdb_txn_renew(reader->transaction));
  OK(mdb_cursor_renew(reader->transaction, reader->log));
  uint64_t count = 0;
  MDB_val key, value;
  int code;
  for (; !(code = mdb_cursor_get(reader->log, &key, &value, MDB_NEXT)); count++) tally_record(tally, &value);
  if (code != MDB_NOTFOUND) OK(code);
  mdb_txn_reset(reader->transaction);
  return count;
}

static uint64_t stream(PeerReader *peer, uint32_t number, PeerTally *tally) {
  Reader *reader = (Reader *)peer;
  OK(mdb_txn_renew(reader->transaction));
  OK(mdb_cursor_renew(reader->transaction, reader->log));
  OK(mdb_cursor_renew(reader->transaction, reader->streams));
  char name[PEER_NAME_SIZE + 8];
  peer_name(number, name);
  MDB_val key = {PEER_NAME_SIZE, name}, value, positions;
  uint64_t count = 0;
  size_t user;
  OK(mdb_get(reader->transaction, reader->store->names, &key, &value));
  memcpy(&user, value.mv_data, sizeof user);
  key = (MDB_val){sizeof user, &user};
  // A lone position stays as this call gave it: the next one leaves it alone.
  int code = mdb_cursor_get(reader->streams, &key, &positions, MDB_SET_KEY);
  if (!code) code = mdb_cursor_get(reader->streams, &key, &positions, MDB_GET_MULTIPLE);
  while (!code) {
    for (size_t at = 0; at < positions.mv_size; at += sizeof(size_t), count++) {
      MDB_val position = {sizeof(size_t), (char *)positions.mv_data + at};
      OK(mdb_cursor_get(reader->log, &position, &value, MDB_SET_KEY));
      tally_record(tally, &value);
    }
    code = mdb_cursor_get(reader->streams, &key, &positions, MDB_NEXT_MULTIPLE);
  }
  if (code != MDB_NOTFOUND) OK(code);
  mdb_txn_reset(reader->transaction);
  return count;
}

static size_t state(PeerReader *peer, uint32_t user, char *out) {
  Reader *reader = (Reader *)peer;
  OK(mdb_txn_renew(reader->transaction));
  char name[PEER_NAME_SIZE + 8];
  peer_name(user, name);
  MDB_val key = {PEER_NAME_SIZE, name}, value;
  OK(mdb_get(reader->transaction, reader->store->states, &key, &value));
  memcpy(out, value.mv_data, value.mv_size);
  mdb_txn_reset(reader->transaction);
  return value.mv_size;
}

static void close_store(Peer *peer) {
  mdb_env_close(((Store *)peer)->env);
  free(peer);
}

static const PeerCalls calls = {
    .close = close_store, .commit = commit, .settle = settle, .put_states = put_states,
    .reader_open = reader_open, .reader_close = reader_close,
    .scan = scan, .stream = stream, .state = state,
};

Peer *peer_open_lmdb(const char *folder, uint32_t users) {
  Store *store = calloc(1, sizeof *store);
  store->peer.calls = &calls;
  store->next = 1;
  OK(mdb_env_create(&store->env));
  OK(mdb_env_set_mapsize(store->env, (size_t)64 << 30));
  OK(mdb_env_set_maxdbs(store->env, 8));
  OK(mdb_env_open(store->env, folder, MDB_NOTLS, 0600));
  MDB_txn *transaction;
  OK(mdb_txn_begin(store->env, NULL, 0, &transaction));
  OK(mdb_dbi_open(transaction, "log", MDB_CREATE | MDB_INTEGERKEY, &store->log));
  OK(mdb_dbi_open(transaction, "streams",
                  MDB_CREATE | MDB_INTEGERKEY | MDB_DUPSORT | MDB_DUPFIXED | MDB_INTEGERDUP, &store->streams));
  OK(mdb_dbi_open(transaction, "names", MDB_CREATE, &store->names));
  OK(mdb_dbi_open(transaction, "states", MDB_CREATE, &store->states));
  for (size_t user = 0; user < users; user++) {
    char name[PEER_NAME_SIZE + 8];
    peer_name((uint32_t)user, name);
    MDB_val key = {PEER_NAME_SIZE, name}, value = {sizeof user, &user};
    OK(mdb_put(transaction, store->names, &key, &value, 0));
  }
  OK(mdb_txn_commit(transaction));
  return &store->peer;
}
