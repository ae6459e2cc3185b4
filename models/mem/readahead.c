#include "models/mem/readahead.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { STREAMS = 1024 };

struct window { /* Welford's running moments */
    uint64_t n;
    double mean, m2, steps;
};

struct stream {
    uint32_t tenant;
    uint32_t readahead;
    uint64_t accesses, last; /* of the page */
    sim_time since;          /* when the window began */
    struct window now;
    float feature[5]; /* of the last full window */
    double io_ns;     /* of the device, so far */
};

struct mem_readahead {
    sim_time window;
    struct policy_slot *policy;
    struct stream stream[STREAMS];
    uint64_t next[MEM_READAHEAD_OWN]; /* what an oracle is shown */
};

struct mem_readahead *mem_readahead_new(sim_time window_ns, struct policy_slot *policy)
{
    assert(window_ns >= 1);
    struct mem_readahead *r = calloc(1, sizeof *r);
    if (r)
        r->window = window_ns, r->policy = policy;
    return r;
}

void mem_readahead_free(struct mem_readahead *r)
{
    free(r);
}

static struct stream *stream_of(struct mem_readahead *r, const struct mem_touch *t)
{
    struct stream *s = &r->stream[t->tenant % STREAMS];
    if (s->tenant != t->tenant || !s->accesses)
        *s = (struct stream){.tenant = t->tenant,
                             .last = t->page,
                             .since = t->time_ns,
                             .readahead = POLICY_READAHEAD_DEFAULT};
    return s;
}

static void close_window(struct stream *s, const struct window *w)
{
    s->feature[0] = (float)w->n;
    s->feature[1] = (float)w->mean;
    s->feature[2] = w->n ? (float)sqrt(w->m2 / (double)w->n) : 0;
    s->feature[3] = w->n ? (float)(w->steps / (double)w->n) : 0;
    s->now = (struct window){0};
}

/* A stream that slept for more than a window has seen nothing in the last full one. */
static void roll(struct mem_readahead *r, struct stream *s, sim_time now)
{
    static const struct window silence;
    uint64_t passed = (now - s->since) / r->window;
    if (passed == 0)
        return;
    close_window(s, passed == 1 ? &s->now : &silence);
    s->since += passed * r->window;
}

void mem_readahead_see(struct mem_readahead *r, const struct mem_touch *t)
{
    struct stream *s = stream_of(r, t);
    roll(r, s, t->time_ns);
    uint64_t step = t->page > s->last ? t->page - s->last : s->last - t->page;
    double off = (double)t->page - s->now.mean;
    s->now.n++;
    s->now.mean += off / (double)s->now.n;
    s->now.m2 += off * ((double)t->page - s->now.mean);
    s->now.steps += (double)step;
    s->last = t->page;
    s->accesses++;
}

void mem_readahead_took(struct mem_readahead *r, uint32_t tenant, double ns)
{
    struct stream *s = &r->stream[tenant % STREAMS];
    if (s->tenant == tenant)
        s->io_ns += ns;
}

void mem_readahead_under(struct mem_readahead *r, struct policy_slot *policy)
{
    r->policy = policy;
}

/* The pages that the stream accesses next, in order. */
static uint32_t foresee(const struct mem_source *ahead, uint32_t tenant, uint64_t *next)
{
    const struct mem_touch *t;
    uint32_t n = 0;
    for (uint64_t i = 0;
         i < MEM_READAHEAD_SIGHT && n < MEM_READAHEAD_OWN && (t = mem_source_peek(ahead, i)); i++)
        if (t->tenant == tenant)
            next[n++] = t->page;
    return n;
}

uint32_t mem_readahead_ask(struct mem_readahead *r, const struct mem_touch *t,
                           const struct mem_source *ahead)
{
    struct stream *s = stream_of(r, t);
    struct policy_readahead_obs o = {.now_ns = t->time_ns,
                                     .page = t->page,
                                     .stream = t->tenant,
                                     .readahead = s->readahead,
                                     .accesses = s->accesses,
                                     .io_ns = (uint64_t)s->io_ns};
    for (int i = 0; i < 4; i++)
        o.feature[i] = s->feature[i];
    o.feature[4] = (float)s->readahead;
    if (ahead && policy_slot_oracle(r->policy)) {
        o.oracle_next = r->next;
        o.n_next = foresee(ahead, t->tenant, r->next);
    }
    s->readahead = policy_slot_readahead(r->policy, &o);
    return s->readahead;
}
