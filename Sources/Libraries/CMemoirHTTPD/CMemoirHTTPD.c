#define _GNU_SOURCE
#include "CMemoirHTTPD.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

const ssize_t memoir_httpd_end_of_stream = MHD_CONTENT_READER_END_OF_STREAM;
const ssize_t memoir_httpd_end_with_error = MHD_CONTENT_READER_END_WITH_ERROR;

// Paths and queries are decoded by whoever reads them, strictly and once.
static size_t keep(void *owner, struct MHD_Connection *connection, char *text) {
  (void)owner;
  (void)connection;
  return strlen(text);
}

static char unreadable;
void *const memoir_httpd_unreadable_target = &unreadable;

// The only one who sees a target as it was sent: later a plus has become a space.
static void *look_at(void *owner, const char *target, struct MHD_Connection *connection) {
  (void)owner;
  (void)connection;
  for (; target && *target; target++) {
    if ((unsigned char)*target <= ' ' || *target == 0x7f) return &unreadable;
  }
  return NULL;
}

static void ignore(void *owner, const char *format, va_list arguments) {
  (void)owner;
  (void)format;
  (void)arguments;
}

struct MHD_Daemon *memoir_httpd_start(const struct memoir_httpd_options *options) {
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_ITC |
                       MHD_USE_NO_LISTEN_SOCKET;
  struct MHD_OptionItem secure[] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key},
      {MHD_OPTION_END, 0, NULL},
  };
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  if (options->certificate) flags |= MHD_USE_TLS;
  // A single thread is no pool; the option is refused then.
  struct MHD_OptionItem pool[] = {
      {MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  return MHD_start_daemon(
      flags, 0, NULL, NULL, options->handle, options->owner,
      MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL,
      MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
      MHD_OPTION_CONNECTION_TIMEOUT, options->idle_limit,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_memory,
      // What it would be strict about, a space in the target and no Host, is answered by who reads the head.
      MHD_OPTION_STRICT_FOR_CLIENT, 0,
      MHD_OPTION_URI_LOG_CALLBACK, look_at, NULL,
      MHD_OPTION_UNESCAPE_CALLBACK, keep, NULL,
      MHD_OPTION_NOTIFY_COMPLETED, options->completed, options->owner,
      MHD_OPTION_NOTIFY_CONNECTION, options->connection_changed, options->owner,
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_ARRAY, options->threads > 1 ? pool : none,
      MHD_OPTION_ARRAY, options->certificate ? secure : none,
      MHD_OPTION_END);
}

int memoir_httpd_accept(int listening, struct sockaddr_storage *address, socklen_t *size) {
  return accept4(listening, (struct sockaddr *)address, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

struct MHD_Response *memoir_httpd_stream(size_t piece_size, MHD_ContentReaderCallback read,
                                         MHD_ContentReaderFreeCallback free, void *owner) {
  return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, piece_size, read, owner, free);
}

int memoir_httpd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

bool memoir_httpd_sends_no_more(int socket) {
  struct pollfd end = {socket, POLLRDHUP, 0};
  return poll(&end, 1, 0) == 1;
}

void *memoir_httpd_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

size_t memoir_httpd_address(const struct sockaddr *address, uint8_t bytes[16]) {
  if (!address) return 0;
  if (address->sa_family == AF_INET) {
    memcpy(bytes, &((const struct sockaddr_in *)address)->sin_addr, 4);
    return 4;
  }
  if (address->sa_family == AF_INET6) {
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(six)) {
      memcpy(bytes, six->s6_addr + 12, 4);
      return 4;
    }
    memcpy(bytes, six->s6_addr, 16);
    return 16;
  }
  return 0;
}

size_t memoir_httpd_peer(struct MHD_Connection *connection, uint8_t bytes[16]) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info ? memoir_httpd_address(info->client_addr, bytes) : 0;
}

unsigned int memoir_httpd_connection_count(struct MHD_Daemon *daemon) {
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  return info ? info->num_connections : 0;
}
