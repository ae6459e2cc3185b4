/* readahead_doubling.c - as Linux does: a stream that goes on where its last
 * window ended gets a larger one, any other miss starts small.
 *
 * mm/readahead.c: the first window of a sequential reader is four pages for a
 * request of one; the next is four times the last while that is below a
 * sixteenth of the maximum, then twice, up to the maximum (32 pages = 128 KiB
 * unless "max" says so).  A miss elsewhere is a random read: no readahead.
 * Linux's asynchronous marker is left out: the hook is asked on misses only. */
#include "policy.h"

#include <stdlib.h>

enum { STREAMS = 1024 };

struct stream {
    uint64_t expected; /* page where it goes on; 0: nothing known */
    uint32_t id, window;
};

struct doubling {
    uint32_t max;
    struct stream stream[STREAMS];
};

static int create(void **self, const struct policy_host *h)
{
    double max = h->param(h->host, "max", 32);
    if (!(max >= 4 && max <= POLICY_READAHEAD_MAX)) {
        h->log(h->host, "want max 4..1024");
        return -1;
    }
    struct doubling *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->max = (uint32_t)max;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

static uint32_t next_window(uint32_t window, uint32_t max)
{
    if (!window)
        return 4;
    uint32_t more = window < max / 16 ? 4 * window : 2 * window;
    return more < max ? more : max;
}

static uint32_t readahead(void *self, const struct policy_readahead_obs *o)
{
    struct doubling *s = self;
    struct stream *t = &s->stream[o->stream % STREAMS];
    int known = t->id == o->stream && t->expected;
    if ((known && t->expected == o->page) || o->page == 0)
        t->window = next_window(known ? t->window : 0, s->max);
    else
        t->window = 0;
    t->id = o->stream;
    t->expected = o->page + t->window + 1;
    return t->window;
}

POLICY(.name = "readahead-doubling", .summary = "readahead: doubles while a stream is sequential",
       .create = create, .destroy = destroy, .mem_readahead = readahead);
