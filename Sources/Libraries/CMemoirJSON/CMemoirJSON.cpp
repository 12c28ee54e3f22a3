// A shim over simdjson's first stage. What the tokens mean is for Swift to say.
//
// The whole of simdjson is not used: its second stages hold numbers in 64 bits and need bytes behind the
// text, and the on-demand front end does not look at what it is not asked for. The first stage is where
// the speed is; it is chosen at run time for the processor, and it checks UTF-8 on the way.
#include "CMemoirJSON.h"

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>

namespace {
constexpr size_t least_capacity = size_t(16) << 10;
constexpr size_t greatest_kept_capacity = size_t(1) << 20;
// Only simdjson's own second stage would use it.
constexpr size_t depth = 1;
}  // namespace

struct memoir_json_indexer {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
};

extern "C" {

memoir_json_indexer *memoir_json_indexer_make(void) {
  std::unique_ptr<memoir_json_indexer> indexer(new (std::nothrow) memoir_json_indexer);
  if (!indexer) return nullptr;
  auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
      least_capacity, depth, indexer->stage);
  return error == simdjson::SUCCESS ? indexer.release() : nullptr;
}

void memoir_json_indexer_free(memoir_json_indexer *indexer) { delete indexer; }

int memoir_json_index(
    memoir_json_indexer *indexer, const uint8_t *bytes, size_t count,
    const uint32_t **starts, size_t *start_count) {
  auto &stage = *indexer->stage;
  if (count > stage.capacity()) {
    size_t capacity = least_capacity;
    while (capacity < count) capacity *= 2;
    if (stage.allocate(capacity, depth) != simdjson::SUCCESS) return MEMOIR_JSON_OUT_OF_MEMORY;
  }
  switch (stage.stage1(bytes, count, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
      *starts = stage.structural_indexes.get();
      *start_count = stage.n_structural_indexes;
      return MEMOIR_JSON_INDEXED;
    case simdjson::EMPTY:
      return MEMOIR_JSON_EMPTY;
    case simdjson::UTF8_ERROR:
      return MEMOIR_JSON_INVALID_UTF8;
    default:
      return MEMOIR_JSON_INVALID;
  }
}

void memoir_json_indexer_trim(memoir_json_indexer *indexer) {
  auto &stage = *indexer->stage;
  if (stage.capacity() <= greatest_kept_capacity) return;
  // Should it fail, the capacity is 0 and the next text asks again.
  (void)stage.allocate(least_capacity, depth);
}

size_t memoir_json_find(const uint8_t *bytes, size_t count, uint8_t byte) {
  if (count == 0) return 0;
  auto found = static_cast<const uint8_t *>(std::memchr(bytes, byte, count));
  return found ? size_t(found - bytes) : count;
}

}  // extern "C"
