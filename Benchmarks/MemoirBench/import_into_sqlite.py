# Imports JSON Lines into SQLite with Python's own modules, 1,000 events a transaction: FILE DATABASE.
import json, sqlite3, sys, time

database = sqlite3.connect(sys.argv[2], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("PRAGMA synchronous=FULL")
database.execute(
    "CREATE TABLE events(id INTEGER PRIMARY KEY, stream_id TEXT NOT NULL, version INTEGER NOT NULL, "
    "event_id BLOB NOT NULL, session_id BLOB NOT NULL, type TEXT NOT NULL, occurred_at INTEGER NOT NULL, "
    "recorded_at INTEGER NOT NULL, data TEXT NOT NULL, UNIQUE(stream_id, version))"
)
versions = {}


def store(rows):
    database.execute("BEGIN IMMEDIATE")
    database.executemany(
        "INSERT INTO events(stream_id, version, event_id, session_id, type, occurred_at, recorded_at, data) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    database.execute("COMMIT")


rows = []
for line in open(sys.argv[1], encoding="utf-8"):
    event = json.loads(line)
    user = event["user"]
    version = versions[user] = versions.get(user, 0) + 1
    rows.append((
        user, version, bytes.fromhex(event["id"].replace("-", "")), bytes.fromhex(event["session"].replace("-", "")),
        event["type"], event["occurred_at"], time.time_ns() // 1000,
        json.dumps(event["data"], ensure_ascii=False, separators=(",", ":")),
    ))
    if len(rows) == 1000:
        store(rows)
        rows = []
if rows:
    store(rows)
