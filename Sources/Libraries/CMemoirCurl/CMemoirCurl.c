// libcurl behind CMemoirCurl.h.
#include "CMemoirCurl.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// The functions of the library that are called, by their own types.
#define EACH_FUNCTION(F)                                                                                     \
  F(curl_global_init) F(curl_easy_init) F(curl_easy_cleanup) F(curl_easy_setopt) F(curl_easy_getinfo)        \
  F(curl_easy_strerror) F(curl_slist_append) F(curl_slist_free_all) F(curl_multi_init) F(curl_multi_cleanup) \
  F(curl_multi_add_handle) F(curl_multi_remove_handle) F(curl_multi_perform) F(curl_multi_poll)              \
  F(curl_multi_wakeup) F(curl_multi_info_read)

static struct {
#define DECLARE(name) __typeof__(&(name)) name;
  EACH_FUNCTION(DECLARE)
} curl;

struct memoir_curl_transfers {
  CURLM *multi;
};

struct memoir_curl_transfer {
  CURL *easy;
  struct curl_slist *headers;
  memoir_curl_receiver receiver;
  void *owner;
  CURLcode code;
  char reason[CURL_ERROR_SIZE];
};

bool memoir_curl_load(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) return false;
#define FIND(name)                                                                                           \
  *(void **)&curl.name = dlsym(library, #name);                                                              \
  if (!curl.name) return false;
  EACH_FUNCTION(FIND)
  return curl.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

memoir_curl_transfers *memoir_curl_transfers_make(void) {
  memoir_curl_transfers *transfers = malloc(sizeof *transfers);
  if (!transfers) return NULL;
  transfers->multi = curl.curl_multi_init();
  if (transfers->multi) return transfers;
  free(transfers);
  return NULL;
}

void memoir_curl_transfers_free(memoir_curl_transfers *transfers) {
  curl.curl_multi_cleanup(transfers->multi);
  free(transfers);
}

static size_t receive(char *bytes, size_t size, size_t count, void *argument) {
  memoir_curl_transfer *transfer = argument;
  return transfer->receiver((const uint8_t *)bytes, size * count, transfer->owner) ? size * count : 0;
}

static void release(memoir_curl_transfer *transfer) {
  if (transfer->easy) curl.curl_easy_cleanup(transfer->easy);
  curl.curl_slist_free_all(transfer->headers);
  free(transfer);
}

// False where an option was refused.
static bool configure(memoir_curl_transfer *transfer, const struct memoir_curl_request *request) {
  for (size_t index = 0; index < request->header_count; index++) {
    struct curl_slist *longer = curl.curl_slist_append(transfer->headers, request->headers[index]);
    if (!longer) return false;
    transfer->headers = longer;
  }
  CURLcode code = CURLE_OK;
#define SET(option, value)                                                                                   \
  if (code == CURLE_OK) code = curl.curl_easy_setopt(transfer->easy, option, value)
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_ERRORBUFFER, transfer->reason);
  SET(CURLOPT_URL, request->url);
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
  // An answer that leads elsewhere would take the key there.
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_SSL_VERIFYPEER, 1L);
  SET(CURLOPT_SSL_VERIFYHOST, 2L);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_CONNECTTIMEOUT_MS, request->connect_limit);
  SET(CURLOPT_TIMEOUT_MS, request->total_limit);
  SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->size_limit);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
  SET(CURLOPT_COPYPOSTFIELDS, request->body_size > 0 ? (const char *)request->body : "");
  SET(CURLOPT_HTTPHEADER, transfer->headers);
  SET(CURLOPT_WRITEFUNCTION, receive);
  SET(CURLOPT_WRITEDATA, transfer);
  if (request->is_direct) { SET(CURLOPT_PROXY, ""); }
  return code == CURLE_OK;
}

memoir_curl_transfer *memoir_curl_begin(
    memoir_curl_transfers *transfers, const struct memoir_curl_request *request, memoir_curl_receiver receiver,
    void *owner) {
  memoir_curl_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->receiver = receiver;
  transfer->owner = owner;
  transfer->easy = curl.curl_easy_init();
  if (transfer->easy && configure(transfer, request) &&
      curl.curl_multi_add_handle(transfers->multi, transfer->easy) == CURLM_OK) {
    return transfer;
  }
  release(transfer);
  return NULL;
}

bool memoir_curl_perform(memoir_curl_transfers *transfers) {
  int running = 0;
  return curl.curl_multi_perform(transfers->multi, &running) == CURLM_OK;
}

void memoir_curl_wait(memoir_curl_transfers *transfers, int milliseconds) {
  curl.curl_multi_poll(transfers->multi, NULL, 0, milliseconds, NULL);
}

void memoir_curl_wake(memoir_curl_transfers *transfers) { curl.curl_multi_wakeup(transfers->multi); }

static enum memoir_curl_outcome outcome_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return MEMOIR_CURL_DONE;
    case CURLE_OPERATION_TIMEDOUT: return MEMOIR_CURL_TIMED_OUT;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return MEMOIR_CURL_UNREACHABLE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS: return MEMOIR_CURL_INSECURE;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED: return MEMOIR_CURL_TOO_LARGE;
    default: return MEMOIR_CURL_FAILED;
  }
}

memoir_curl_transfer *memoir_curl_finished(memoir_curl_transfers *transfers, enum memoir_curl_outcome *outcome) {
  int waiting = 0;
  CURLMsg *message;
  while ((message = curl.curl_multi_info_read(transfers->multi, &waiting))) {
    if (message->msg != CURLMSG_DONE) continue;
    memoir_curl_transfer *transfer = NULL;
    curl.curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    transfer->code = message->data.result;
    *outcome = outcome_of(transfer->code);
    return transfer;
  }
  return NULL;
}

long memoir_curl_status(memoir_curl_transfer *transfer) {
  long status = 0;
  curl.curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

int64_t memoir_curl_retry_after(memoir_curl_transfer *transfer) {
  curl_off_t seconds = 0;
  curl.curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &seconds);
  return seconds;
}

const char *memoir_curl_reason(memoir_curl_transfer *transfer) {
  return transfer->reason[0] ? transfer->reason : curl.curl_easy_strerror(transfer->code);
}

void memoir_curl_end(memoir_curl_transfers *transfers, memoir_curl_transfer *transfer) {
  curl.curl_multi_remove_handle(transfers->multi, transfer->easy);
  release(transfer);
}
