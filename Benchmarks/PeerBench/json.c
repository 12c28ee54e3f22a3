// Printing and finding the texts of an event in its JSON.
#include "json.h"

const char *const peer_type_names[4] = {"MessageAdded", "FactLearned", "PreferenceUpdated", "SessionEnded"};
static const char *const roles[3] = {"user", "assistant", "tool"};

static char *put(char *out, const char *text) {
  size_t length = strlen(text);
  memcpy(out, text, length);
  return out + length;
}

static char *put_quoted(char *out, const char *text, size_t length) {
  *out++ = '"';
  for (size_t i = 0; i < length; i++) {
    char c = text[i] == '\n' ? 'n' : text[i];
    if (text[i] == '"' || text[i] == '\\' || text[i] == '\n') *out++ = '\\';
    *out++ = c;
  }
  *out++ = '"';
  return out;
}

size_t peer_event_json(const PeerEvent *event, const uint8_t *texts, char *out, size_t room) {
  if (room < 2 * ((size_t)event->first_length + event->second_length) + 128) return 0;
  const char *first = (const char *)texts + event->text, *second = first + event->first_length;
  char *at = out;
  switch (event->type) {
    case PEER_MESSAGE:
      at = put(put(put(at, "{\"role\":\""), roles[event->role]), "\",\"content\":");
      at = put_quoted(at, first, event->first_length);
      break;
    case PEER_FACT:
      at = put_quoted(put(at, "{\"fact\":"), first, event->first_length);
      at = put(at, ",\"category\":\"note\",\"confidence\":0.9");
      break;
    case PEER_PREFERENCE:
      at = put_quoted(put(at, "{\"key\":"), first, event->first_length);
      at = put_quoted(put(at, ",\"value\":"), second, event->second_length);
      break;
    default: at = put_quoted(put(at, "{\"reason\":"), first, event->first_length);
  }
  *at++ = '}';
  return (size_t)(at - out);
}

static _Noreturn void fail(void) {
  fputs("memoir-bench: not the JSON of an event\n", stderr);
  exit(1);
}

/// The next string at or after `*at`, which is left behind it. `length` is of the text itself, without escapes.
static const char *next_string(const char **at, const char *end, size_t *length) {
  const char *c = *at;
  while (c < end && *c != '"') c++;
  if (c == end) fail();
  const char *start = ++c;
  size_t escapes = 0;
  for (; c < end && *c != '"'; c++)
    if (*c == '\\') c++, escapes++;
  if (c >= end) fail();
  *length = (size_t)(c - start) - escapes;
  *at = c + 1;
  return start;
}

void peer_tally_json(PeerTally *tally, unsigned type, const char *data, size_t length) {
  const char *at = data, *end = data + length, *first, *second = NULL;
  size_t skipped, first_length, second_length = 0;
  next_string(&at, end, &skipped);
  first = next_string(&at, end, &first_length);
  if (type == PEER_MESSAGE) {  // That was the role.
    next_string(&at, end, &skipped);
    first = next_string(&at, end, &first_length);
  } else if (type == PEER_PREFERENCE) {
    next_string(&at, end, &skipped);
    second = next_string(&at, end, &second_length);
  }
  peer_tally_add(tally, type, first, first_length, second, second_length);
}
