// What Swift may call of libcurl. Its options are variadic, which Swift cannot call; and it is loaded when the first
// request is made, since it brings thirty libraries with it that every start of a program would else wait for.
#ifndef MEMOIR_CURL_H
#define MEMOIR_CURL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Finds the library and starts it. Once in a process, before anything else here; not by two threads at once.
///
/// False where it is not installed, or too old.
bool memoir_curl_load(void);

/// Transfers under way side by side. One thread at a time, save for `memoir_curl_wake`.
typedef struct memoir_curl_transfers memoir_curl_transfers;

/// One of them.
typedef struct memoir_curl_transfer memoir_curl_transfer;

/// A POST. Everything is copied.
struct memoir_curl_request {
  const char *url;
  /// Lines such as "Content-Type: text/plain".
  const char *const *headers;
  size_t header_count;
  const uint8_t *body;
  size_t body_size;
  /// Milliseconds.
  long connect_limit, total_limit;
  /// Bytes of an answer.
  int64_t size_limit;
  /// Whether to go past any proxy.
  bool is_direct;
};

/// What became of a transfer.
enum memoir_curl_outcome {
  MEMOIR_CURL_DONE = 0,
  MEMOIR_CURL_TIMED_OUT = 1,
  /// The name is unknown, nobody listens, or the connection broke.
  MEMOIR_CURL_UNREACHABLE = 2,
  /// The other side is not proven to be who it should be.
  MEMOIR_CURL_INSECURE = 3,
  MEMOIR_CURL_TOO_LARGE = 4,
  MEMOIR_CURL_FAILED = 5,
};

/// Takes a piece of an answer; false ends the transfer.
typedef bool (*memoir_curl_receiver)(const uint8_t *bytes, size_t count, void *owner);

/// NULL where memory is short.
memoir_curl_transfers *memoir_curl_transfers_make(void);

/// All transfers must have ended.
void memoir_curl_transfers_free(memoir_curl_transfers *transfers);

/// Begins a transfer: `receiver` is called with `owner` by `memoir_curl_perform`. NULL where memory is short, or the
/// request is none.
memoir_curl_transfer *memoir_curl_begin(
    memoir_curl_transfers *transfers, const struct memoir_curl_request *request, memoir_curl_receiver receiver,
    void *owner);

/// Does what can be done without waiting. False where the transfers cannot go on.
bool memoir_curl_perform(memoir_curl_transfers *transfers);

/// Waits until there is something to do, or somebody wakes it.
void memoir_curl_wait(memoir_curl_transfers *transfers, int milliseconds);

/// Ends the waiting, from any thread, before or after it begins.
void memoir_curl_wake(memoir_curl_transfers *transfers);

/// A transfer that has come to its end, NULL where none has (again).
memoir_curl_transfer *memoir_curl_finished(memoir_curl_transfers *transfers, enum memoir_curl_outcome *outcome);

/// The status of the answer; 0 where there is none.
long memoir_curl_status(memoir_curl_transfer *transfer);

/// The seconds of Retry-After, also where it names a time; 0 where there is none.
int64_t memoir_curl_retry_after(memoir_curl_transfer *transfer);

/// What went wrong, for people; valid until the transfer ends.
const char *memoir_curl_reason(memoir_curl_transfer *transfer);

/// Lets a transfer go, whether it has come to its end or not.
void memoir_curl_end(memoir_curl_transfers *transfers, memoir_curl_transfer *transfer);

#endif
