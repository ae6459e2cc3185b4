/* sink.h - the raw file of this process: whole records, in the order they come.
 *
 * Not locked: the caller is one thread at a time.  What has been put is on
 * its way to the disk after sink_flush; nothing else holds it.  A write that
 * fails closes the file for good, and says so once on standard error.       */
#ifndef CAPTURE_SINK_H
#define CAPTURE_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/raw.h"

enum { SINK_BUFFER = 1 << 16, SINK_NAMES = 1 << 12 };

struct sink {
    int fd; /* -1: closed */
    size_t used;
    struct sink_name { /* open addressing */
        uint64_t hash; /* of the text: 64 bits stand for it */
        uint32_t id;
    } name[SINK_NAMES];
    uint32_t names;
    _Alignas(8) unsigned char buffer[SINK_BUFFER];
};

/* DIR/PID.raw, or PID-2.raw .. where this process has been another program before. */
int sink_open(struct sink *s, const char *dir, const struct raw_begin *begin);
void sink_put(struct sink *s, const void *record); /* raw_head.size bytes */
/* The number of a text, which is written when it is new; NULL is "unknown". */
uint32_t sink_name(struct sink *s, const char *text);
void sink_flush(struct sink *s);
void sink_close(struct sink *s);

#endif
