// SQLite: WAL, synchronous=FULL, prepared statements; events with JSON text, unique by stream and version.
#include <sqlite3.h>
#include "json.h"
#include "peer.h"

typedef struct {
  Peer peer;
  char path[4096];
  sqlite3 *database;
  sqlite3_stmt *insert, *begin, *commit;
} Store;

typedef struct {
  PeerReader reader;
  sqlite3 *database;
  sqlite3_stmt *all, *stream, *state, *rows;
} Reader;

static void execute(sqlite3 *database, const char *sql) {
  char *message = NULL;
  if (sqlite3_exec(database, sql, NULL, NULL, &message)) PEER_FAIL(sql, message);
}

static sqlite3 *connect(const char *path) {
  sqlite3 *database;
  if (sqlite3_open(path, &database)) PEER_FAIL(path, sqlite3_errmsg(database));
  sqlite3_busy_timeout(database, 60000);
  execute(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
                    "PRAGMA mmap_size=1073741824");
  return database;
}

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
    PEER_FAIL(sql, sqlite3_errmsg(database));
  return statement;
}

static void run(sqlite3_stmt *statement) {
  if (sqlite3_step(statement) != SQLITE_DONE) PEER_FAIL("step", sqlite3_errmsg(sqlite3_db_handle(statement)));
  sqlite3_reset(statement);
}

/// Whether there is a row; after the last one the statement is ready for the next time.
static bool next_row(sqlite3_stmt *statement) {
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) PEER_FAIL("step", sqlite3_errmsg(sqlite3_db_handle(statement)));
  sqlite3_reset(statement);
  return false;
}

static void insert(sqlite3_stmt *statement, const PeerEvent *event, const uint8_t *texts) {
  char name[PEER_NAME_SIZE + 8], data[16384];
  peer_name(event->user, name);
  size_t length = peer_event_json(event, texts, data, sizeof data);
  if (!length) PEER_FAIL("insert", "a text too long");
  sqlite3_bind_text(statement, 1, name, PEER_NAME_SIZE, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 2, event->version);
  sqlite3_bind_blob(statement, 3, event->id, sizeof event->id, SQLITE_STATIC);
  sqlite3_bind_blob(statement, 4, event->session, sizeof event->session, SQLITE_STATIC);
  sqlite3_bind_text(statement, 5, peer_type_names[event->type], -1, SQLITE_STATIC);
  sqlite3_bind_int64(statement, 6, event->occurred);
  sqlite3_bind_int64(statement, 7, event->recorded);
  sqlite3_bind_text(statement, 8, data, (int)length, SQLITE_STATIC);
  run(statement);
}

// The versions are checked by the table itself.
static void commit(Peer *peer, const PeerEvent *events, size_t count, const uint8_t *texts, bool checks) {
  (void)checks;
  Store *store = (Store *)peer;
  if (count > 1) run(store->begin);
  for (size_t i = 0; i < count; i++) insert(store->insert, events + i, texts);
  if (count > 1) run(store->commit);
}

static void settle(Peer *peer) { execute(((Store *)peer)->database, "PRAGMA wal_checkpoint(TRUNCATE)"); }

static void put_states(Peer *peer, uint32_t users) {
  Store *store = (Store *)peer;
  sqlite3_stmt *put = prepare(store->database, "INSERT OR REPLACE INTO states VALUES(?, ?)");
  run(store->begin);
  for (uint32_t user = 0; user < users; user++) {
    char name[PEER_NAME_SIZE + 8], state[PEER_STATE_SIZE];
    peer_name(user, name);
    peer_fill_state(user, state);
    sqlite3_bind_text(put, 1, name, PEER_NAME_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(put, 2, state, sizeof state, SQLITE_STATIC);
    run(put);
  }
  run(store->commit);
  sqlite3_finalize(put);
  settle(peer);
}

static PeerReader *reader_open(Peer *peer) {
  Reader *reader = calloc(1, sizeof *reader);
  reader->reader.calls = peer->calls;
  reader->database = connect(((Store *)peer)->path);
  reader->all = prepare(reader->database, "SELECT type, data FROM events ORDER BY id");
  reader->stream = prepare(reader->database, "SELECT type, data FROM events WHERE stream_id = ? ORDER BY version");
  reader->state = prepare(reader->database, "SELECT state FROM states WHERE user = ?");
  reader->rows = prepare(reader->database,
                         "SELECT stream_id, version, event_id, session_id, type, occurred_at, recorded_at, data "
                         "FROM events ORDER BY stream_id, version");
  return &reader->reader;
}

static void reader_close(PeerReader *peer) {
  Reader *reader = (Reader *)peer;
  sqlite3_stmt *statements[] = {reader->all, reader->stream, reader->state, reader->rows};
  for (int i = 0; i < 4; i++) sqlite3_finalize(statements[i]);
  sqlite3_close(reader->database);
  free(reader);
}

static uint64_t tally_rows(sqlite3_stmt *statement, PeerTally *tally) {
  uint64_t count = 0;
  for (; next_row(statement); count++) {
    unsigned type = peer_type((const char *)sqlite3_column_text(statement, 0));
    const char *data = (const char *)sqlite3_column_text(statement, 1);
    peer_tally_json(tally, type, data, (size_t)sqlite3_column_bytes(statement, 1));
  }
  return count;
}

static uint64_t scan(PeerReader *peer, PeerTally *tally) { return tally_rows(((Reader *)peer)->all, tally); }

static uint64_t stream(PeerReader *peer, uint32_t user, PeerTally *tally) {
  sqlite3_stmt *statement = ((Reader *)peer)->stream;
  char name[PEER_NAME_SIZE + 8];
  peer_name(user, name);
  sqlite3_bind_text(statement, 1, name, PEER_NAME_SIZE, SQLITE_STATIC);
  return tally_rows(statement, tally);
}

static size_t state(PeerReader *peer, uint32_t user, char *out) {
  sqlite3_stmt *statement = ((Reader *)peer)->state;
  char name[PEER_NAME_SIZE + 8];
  peer_name(user, name);
  sqlite3_bind_text(statement, 1, name, PEER_NAME_SIZE, SQLITE_STATIC);
  if (!next_row(statement)) return 0;
  size_t length = (size_t)sqlite3_column_bytes(statement, 0);
  memcpy(out, sqlite3_column_blob(statement, 0), length);
  sqlite3_reset(statement);
  return length;
}

static bool next_numbered_row(PeerReader *peer, PeerRow *row) {
  sqlite3_stmt *statement = ((Reader *)peer)->rows;
  if (!next_row(statement)) return false;
  *row = (PeerRow){
      .user = (const char *)sqlite3_column_text(statement, 0),
      .version = sqlite3_column_int64(statement, 1),
      .id = sqlite3_column_blob(statement, 2),
      .session = sqlite3_column_blob(statement, 3),
      .type = (const char *)sqlite3_column_text(statement, 4),
      .occurred = sqlite3_column_int64(statement, 5),
      .recorded = sqlite3_column_int64(statement, 6),
      .data = (const char *)sqlite3_column_text(statement, 7),
      .data_length = (size_t)sqlite3_column_bytes(statement, 7),
  };
  return true;
}

static void close_store(Peer *peer) {
  Store *store = (Store *)peer;
  sqlite3_stmt *statements[] = {store->insert, store->begin, store->commit};
  for (int i = 0; i < 3; i++) sqlite3_finalize(statements[i]);
  sqlite3_close(store->database);
  free(store);
}

static const PeerCalls calls = {
    .close = close_store, .commit = commit, .settle = settle, .put_states = put_states,
    .reader_open = reader_open, .reader_close = reader_close,
    .scan = scan, .stream = stream, .state = state, .next_row = next_numbered_row,
};

Peer *peer_open_sqlite(const char *folder) {
  Store *store = calloc(1, sizeof *store);
  store->peer.calls = &calls;
  if (snprintf(store->path, sizeof store->path, "%s/events.db", folder) >= (int)sizeof store->path)
    PEER_FAIL(folder, "the path is too long");
  store->database = connect(store->path);
  execute(store->database,
          "CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, stream_id TEXT NOT NULL, "
          "version INTEGER NOT NULL, event_id BLOB NOT NULL, session_id BLOB NOT NULL, type TEXT NOT NULL, "
          "occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, data TEXT NOT NULL, "
          "UNIQUE(stream_id, version));"
          "CREATE TABLE IF NOT EXISTS states(user TEXT PRIMARY KEY, state BLOB) WITHOUT ROWID");
  store->insert = prepare(store->database,
                          "INSERT INTO events(stream_id, version, event_id, session_id, type, occurred_at, "
                          "recorded_at, data) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  store->begin = prepare(store->database, "BEGIN IMMEDIATE");
  store->commit = prepare(store->database, "COMMIT");
  return &store->peer;
}
