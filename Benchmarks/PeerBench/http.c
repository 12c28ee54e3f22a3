// The least that answers over HTTP: libmicrohttpd, which sends the same bytes to whoever asks.
#include <microhttpd.h>
#include <netinet/in.h>
#include "peer.h"

static enum MHD_Result answer(void *response, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *body, size_t *count, void **context) {
  (void)path, (void)method, (void)version, (void)body, (void)count;
  // An answer before the request is there whole would end the connection.
  static char seen;
  if (!*context) {
    *context = &seen;
    return MHD_YES;
  }
  return MHD_queue_response(connection, MHD_HTTP_OK, response);
}

uint16_t peer_http_start(size_t size, unsigned threads) {
  char *bytes = malloc(size);
  if (!bytes) PEER_FAIL("http", "no memory");
  memset(bytes, 'x', size);
  struct MHD_Response *response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
  MHD_add_response_header(response, "Content-Type", "application/json");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR, &address,
      MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT, 1024, MHD_OPTION_END);
  if (!daemon) PEER_FAIL("http", "cannot be started");
  // It runs to the end of the process.
  return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}
