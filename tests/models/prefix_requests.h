/* prefix_requests.h - requests that share prefixes, made or as Mooncake published them, and a cache
 * of blocks written the slow way to compare with.                           */
#ifndef TESTS_MODELS_PREFIX_REQUESTS_H
#define TESTS_MODELS_PREFIX_REQUESTS_H

#include <stddef.h>

#include "traces/record.h"

struct prefix_requests {
    struct trace_request *r; /* [n]; each prefix malloc'd */
    size_t n, blocks;        /* of all of them together */
};

/* Conversations: a request goes on where one before it ended, or begins anew after a prefix that
 * all share.  block_tokens in a block; the last one of a prompt is not always full. */
void prefix_requests_make(struct prefix_requests *p, size_t n, uint32_t block_tokens,
                          uint64_t seed);
void prefix_requests_free(struct prefix_requests *p);

struct prefix_source { /* from the array; set `p`, and source.next = prefix_source_next */
    struct request_source source;
    const struct prefix_requests *p;
    size_t at;
};
int prefix_source_next(struct request_source *self, struct trace_request *out, struct err *e);

/* Where Mooncake's conversation trace lies, or NULL. */
const char *prefix_requests_mooncake(void);

struct prefix_count {
    uint64_t hits, leading;
};
/* policy: "lru", "lfu", "length-aware", "fifo-cache"; capacity 0: unbounded. */
struct prefix_count prefix_reference(const char *policy, const struct prefix_requests *p,
                                     size_t capacity, bool backward);

#endif
