// What Swift may call of simdjson: its first stage, which finds where each token of a text begins.
#ifndef MEMOIR_JSON_H
#define MEMOIR_JSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A handle on simdjson and the memory it writes its answers to. One thread at a time.
typedef struct memoir_json_indexer memoir_json_indexer;

/// What the first stage said about a text.
enum memoir_json_status {
  /// Valid UTF-8, every string closed, no raw control character in a string. Nothing else is known.
  MEMOIR_JSON_INDEXED = 0,
  /// Nothing but white space.
  MEMOIR_JSON_EMPTY = 1,
  MEMOIR_JSON_INVALID_UTF8 = 2,
  /// A string is not closed, or has a raw control character, or anything else simdjson refuses.
  MEMOIR_JSON_INVALID = 3,
  MEMOIR_JSON_OUT_OF_MEMORY = 4,
};

/// NULL where memory is short.
memoir_json_indexer *memoir_json_indexer_make(void);

void memoir_json_indexer_free(memoir_json_indexer *indexer);

/// Finds where each token outside of strings begins: each of {}[]:, and the first byte of each run of
/// other bytes that are no white space. A string begins a token of its own, whatever stands before it
/// except such a run.
///
/// Reads no byte at or past `bytes + count`. `*starts` rises, is valid until the next call with this
/// indexer, and is set only with MEMOIR_JSON_INDEXED.
int memoir_json_index(
    memoir_json_indexer *indexer, const uint8_t *bytes, size_t count,
    const uint32_t **starts, size_t *start_count);

/// Gives memory back where a large text made the indexer keep much of it.
void memoir_json_indexer_trim(memoir_json_indexer *indexer);

/// The offset of the first `byte` in the text, `count` where there is none.
size_t memoir_json_find(const uint8_t *bytes, size_t count, uint8_t byte);

#ifdef __cplusplus
}
#endif

#endif
