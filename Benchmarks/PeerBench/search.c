// Full-text search by SQLite: FTS5 with Porter stemming, the texts of one person in memory.
#include <sqlite3.h>
#include "peer.h"

struct PeerSearch {
  sqlite3 *database;
  sqlite3_stmt *insert, *find;
};

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL)) PEER_FAIL(sql, sqlite3_errmsg(database));
  return statement;
}

PeerSearch *peer_search_open(void) {
  PeerSearch *search = calloc(1, sizeof *search);
  const char *table = "CREATE VIRTUAL TABLE texts USING fts5(content, tokenize = 'porter unicode61')";
  if (sqlite3_open(":memory:", &search->database) || sqlite3_exec(search->database, table, NULL, NULL, NULL))
    PEER_FAIL("fts5", sqlite3_errmsg(search->database));
  search->insert = prepare(search->database, "INSERT INTO texts(rowid, content) VALUES(?, ?)");
  search->find = prepare(search->database,
                         "SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY rank, rowid DESC LIMIT ?");
  return search;
}

void peer_search_close(PeerSearch *search) {
  sqlite3_finalize(search->insert);
  sqlite3_finalize(search->find);
  sqlite3_close(search->database);
  free(search);
}

void peer_search_add(PeerSearch *search, int64_t number, const char *text) {
  sqlite3_bind_int64(search->insert, 1, number);
  sqlite3_bind_text(search->insert, 2, text, -1, SQLITE_STATIC);
  if (sqlite3_step(search->insert) != SQLITE_DONE) PEER_FAIL("insert", sqlite3_errmsg(search->database));
  sqlite3_reset(search->insert);
}

size_t peer_search_find(PeerSearch *search, const char *query, int64_t *numbers, size_t limit) {
  sqlite3_bind_text(search->find, 1, query, -1, SQLITE_STATIC);
  sqlite3_bind_int64(search->find, 2, (sqlite3_int64)limit);
  size_t count = 0;
  int code;
  while ((code = sqlite3_step(search->find)) == SQLITE_ROW && count < limit)
    numbers[count++] = sqlite3_column_int64(search->find, 0);
  if (code != SQLITE_DONE && code != SQLITE_ROW) PEER_FAIL(query, sqlite3_errmsg(search->database));
  sqlite3_reset(search->find);
  return count;
}
