// Opening a peer, group commit, and what is the same for all peers.
#include "peer.h"

void peer_fail(const char *file, int line, const char *what, const char *why) {
  fprintf(stderr, "memoir-bench: %s:%d: %s: %s\n", file, line, what, why);
  exit(1);
}

Peer *peer_open(PeerKind kind, const char *folder, uint32_t users) {
  Peer *peer = kind == PEER_LMDB ? peer_open_lmdb(folder, users) : peer_open_sqlite(folder);
  pthread_mutex_init(&peer->group.lock, NULL);
  for (int i = 0; i < 2; i++) pthread_cond_init(&peer->group.done[i], NULL);
  peer->group.filling = 1;
  return peer;
}

void peer_close(Peer *peer) { peer->calls->close(peer); }
void peer_commit(Peer *peer, const PeerEvent *events, size_t count, const uint8_t *texts, bool checks) {
  peer->calls->commit(peer, events, count, texts, checks);
}
void peer_settle(Peer *peer) { peer->calls->settle(peer); }
void peer_put_states(Peer *peer, uint32_t users) { peer->calls->put_states(peer, users); }
PeerReader *peer_reader_open(Peer *peer) { return peer->calls->reader_open(peer); }
void peer_reader_close(PeerReader *reader) { reader->calls->reader_close(reader); }
uint64_t peer_scan(PeerReader *reader, PeerTally *tally) { return reader->calls->scan(reader, tally); }
uint64_t peer_stream(PeerReader *reader, uint32_t user, PeerTally *tally) {
  return reader->calls->stream(reader, user, tally);
}
size_t peer_state(PeerReader *reader, uint32_t user, char *out) { return reader->calls->state(reader, user, out); }
bool peer_next_row(PeerReader *reader, PeerRow *row) {
  if (!reader->calls->next_row) PEER_FAIL("rows", "only SQLite has them");
  return reader->calls->next_row(reader, row);
}

// Batches are numbered. While one is being committed the next one fills; whoever of it wakes first commits it. Two
// conditions in turn, so that the end of one batch wakes its own writers and one of the next.
void peer_append(Peer *peer, const PeerEvent *event, const uint8_t *texts) {
  PeerGroup *group = &peer->group;
  pthread_mutex_lock(&group->lock);
  if (group->count == PEER_GROUP) PEER_FAIL("append", "more writers than a group holds");
  uint64_t mine = group->filling;
  group->queue[group->count++] = *event;
  while (group->finished < mine) {
    if (group->busy) {
      pthread_cond_wait(&group->done[mine & 1], &group->lock);
      continue;
    }
    PeerEvent batch[PEER_GROUP];
    size_t count = group->count;
    memcpy(batch, group->queue, count * sizeof *batch);
    group->busy = true;
    group->count = 0;
    group->filling++;
    pthread_mutex_unlock(&group->lock);
    peer->calls->commit(peer, batch, count, texts, true);
    pthread_mutex_lock(&group->lock);
    group->finished = mine;
    group->busy = false;
    pthread_cond_broadcast(&group->done[mine & 1]);
    pthread_cond_signal(&group->done[(mine + 1) & 1]);
  }
  pthread_mutex_unlock(&group->lock);
}

void peer_fill_state(uint32_t user, char *out) {
  uint64_t seed = user + 1;
  for (int i = 0; i < PEER_STATE_SIZE; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    out[i] = (char)('0' + (seed >> 58));
  }
}

static uint64_t fnv1a(uint64_t hash, const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  for (size_t i = 0; i < count; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
  return hash;
}

uint64_t peer_tally_digest(const PeerTally *tally) {
  uint64_t start = fnv1a(0xcbf29ce484222325u, tally->counts, sizeof tally->counts);
  start = fnv1a(start, &tally->length, sizeof tally->length);
  uint64_t sum = start;
  for (size_t i = 0; i < tally->preference_count; i++) {
    const PeerPreference *preference = &tally->preferences[i];
    size_t length = strnlen((const char *)&preference->key, sizeof preference->key);
    uint64_t hash = fnv1a(start, &preference->key, length);
    sum += fnv1a(hash, preference->value, preference->length);
  }
  return sum;
}
