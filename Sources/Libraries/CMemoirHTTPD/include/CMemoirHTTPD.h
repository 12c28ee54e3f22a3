// What Swift may call of libmicrohttpd, besides what its own header says: its start is variadic, and one of its
// constants is an expression; Swift can use neither.
#ifndef MEMOIR_HTTPD_H
#define MEMOIR_HTTPD_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// How a daemon is started. The texts are copied, `owner` is handed to each of the callbacks.
struct memoir_httpd_options {
  unsigned int threads, connection_limit;
  /// Seconds without a byte after which a connection ends.
  unsigned int idle_limit;
  /// Bytes of a connection's memory: a request's head must fit into it.
  size_t connection_memory;
  /// PEM; null for plain HTTP.
  const char *certificate, *key;
  MHD_AccessHandlerCallback handle;
  MHD_RequestCompletedCallback completed;
  MHD_NotifyConnectionCallback connection_changed;
  void *owner;
};

/// Stands in a request's context at the first call of `handle` where its target has a space or a control character.
extern void *const memoir_httpd_unreadable_target;

/// Null where it could not be started. It listens nowhere: connections are handed to it by `MHD_add_connection`.
struct MHD_Daemon *memoir_httpd_start(const struct memoir_httpd_options *options);

/// Waits for a connection: its number, fit to be handed to a daemon; -1 and `errno` where there is none.
int memoir_httpd_accept(int listening, struct sockaddr_storage *address, socklen_t *size);

/// An answer whose length is not known, sent piece by piece of at most `piece_size` bytes.
struct MHD_Response *memoir_httpd_stream(size_t piece_size, MHD_ContentReaderCallback read,
                                         MHD_ContentReaderFreeCallback free, void *owner);

/// The number of a connection's socket; -1 where it has none.
int memoir_httpd_socket(struct MHD_Connection *connection);

/// Whether the other end of a socket has said that it sends no more, or is gone.
bool memoir_httpd_sends_no_more(int socket);

/// What `connection_changed` left with a connection.
void *memoir_httpd_context(struct MHD_Connection *connection);

/// Bytes of the address of a connection's other end, 4 or 16, network order; 0 where there is none.
size_t memoir_httpd_address(const struct sockaddr *address, uint8_t bytes[16]);

/// The same of a connection that stands.
size_t memoir_httpd_peer(struct MHD_Connection *connection, uint8_t bytes[16]);

/// Connections that a daemon has.
unsigned int memoir_httpd_connection_count(struct MHD_Daemon *daemon);

/// Ends a stream's reading.
extern const ssize_t memoir_httpd_end_of_stream;

/// Ends it, and the connection, before it is whole.
extern const ssize_t memoir_httpd_end_with_error;

#endif
