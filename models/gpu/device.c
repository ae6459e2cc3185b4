/* device.c - a GPU put together: partitions, contexts, streams, memory; and what was used. */
#include "models/gpu/device.h"

#include <math.h>
#include <stdlib.h>

#include "models/gpu/device_state.h"

/* ---- parts ---- */

static int oom(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "GPU: out of memory");
}

static struct device_partition *partition_new(struct device *d)
{
    struct device_partition *p = calloc(1, sizeof *p);
    struct device_partition **at =
        p ? realloc(d->partition, (d->n_partitions + 1) * sizeof(struct device_partition *)) : NULL;
    if (!at) {
        free(p);
        return NULL;
    }
    d->partition = at;
    d->partition[d->n_partitions] = p;
    p->number = d->n_partitions++;
    p->d = d;
    p->groups_end = &p->groups;
    p->queue_end = &p->queue;
    p->copy_queue_end = &p->copy_queue;
    p->since = p->cycle_since = sim_now(d->sim);
    p->event_at = p->turn_at = SIM_NEVER;
    return p;
}

static void partition_fill(struct device_partition *p, const struct device_partition_want *w,
                           enum device_turns turns)
{
    const struct device_params *q = &p->d->params;
    p->sms = w->sms ? w->sms : q->sms;
    p->bandwidth = w->memory_milli ? w->memory_milli : DEVICE_MILLI;
    p->memory = q->memory / DEVICE_MILLI * p->bandwidth +
                q->memory % DEVICE_MILLI * p->bandwidth / DEVICE_MILLI;
    if (w->memory && w->memory < p->memory)
        p->memory = w->memory;
    p->engines = w->copy_engines ? w->copy_engines : q->copy_engines;
    p->turns = turns;
}

static uint64_t sum_sms(const struct device *d)
{
    uint64_t n = 0;
    for (uint32_t i = 0; d->parted && i < d->n_partitions; i++)
        n += d->partition[i]->sms;
    return n;
}

static uint64_t sum_engines(const struct device *d)
{
    uint64_t n = 0;
    for (uint32_t i = 0; d->parted && i < d->n_partitions; i++)
        n += d->partition[i]->engines;
    return n;
}

static uint64_t sum_memory(const struct device *d)
{
    uint64_t n = 0;
    for (uint32_t i = 0; d->parted && i < d->n_partitions; i++)
        n += d->partition[i]->bandwidth;
    return n;
}

static int fits(const char *what, uint64_t taken, uint64_t want, uint64_t all, struct err *e)
{
    return taken + want <= all
               ? 0
               : err_set(e, ERR_ERANGE, "GPU: a partition of %llu %s: %llu of %llu are taken",
                         (unsigned long long)want, what, (unsigned long long)taken,
                         (unsigned long long)all);
}

int device_partition(struct device *d, const struct device_partition_want *w,
                     enum device_turns turns, uint32_t *number, struct err *e)
{
    struct device_partition want = {.d = d};
    partition_fill(&want, w, turns);
    if (!d->parted && d->contexts)
        return err_set(e, ERR_EFAIL, "GPU: it has contexts, want partitions made before");
    int rc = fits("SMs", sum_sms(d), want.sms, d->params.sms, e);
    if (!rc)
        rc = fits("thousandths of memory", sum_memory(d), want.bandwidth, DEVICE_MILLI, e);
    if (!rc)
        rc = fits("copy engines", sum_engines(d), want.engines, d->params.copy_engines, e);
    if (rc)
        return rc;
    struct device_partition *p = d->parted ? partition_new(d) : d->partition[0];
    if (!p)
        return oom(e);
    d->parted = true;
    partition_fill(p, w, turns);
    *number = p->number;
    return 0;
}

/* ---- contexts and streams ---- */

static struct group *group_new(struct device_partition *p)
{
    struct group *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->p = p;
    *p->groups_end = g;
    p->groups_end = &g->of_list;
    return g;
}

void device_context_share(struct device_context *c, uint32_t sms_milli, sim_time timeslice)
{
    struct device_partition *p = c->p;
    device_advance(p);
    const uint32_t n = (uint32_t)((uint64_t)p->sms * sms_milli / DEVICE_MILLI);
    c->sms_limit = !sms_milli || n > p->sms ? p->sms : n ? n : 1;
    c->g->timeslice = timeslice ? timeslice : c->d->slice_ns;
    p->cycle_since = p->since;
    device_settle(p);
}

struct device_context *device_context(struct device *d, const struct device_context_want *w,
                                      struct err *e)
{
    if (w->partition >= d->n_partitions) {
        err_set(e, ERR_ERANGE, "GPU: partition %u, want less than %u", w->partition,
                d->n_partitions);
        return NULL;
    }
    struct device_partition *p = d->partition[w->partition];
    struct device_context *c = calloc(1, sizeof *c);
    const bool joins = p->turns == DEVICE_TOGETHER && p->groups;
    struct group *g = !c ? NULL : joins ? p->groups : group_new(p);
    if (!g) {
        free(c);
        oom(e);
        return NULL;
    }
    c->d = d;
    c->p = p;
    c->g = g;
    c->prio = w->prio;
    g->forfeit = w->forfeit;
    c->of_device = d->contexts;
    d->contexts = c;
    device_context_share(c, w->sms_milli, w->timeslice);
    return c;
}

struct device_stream *device_stream(struct device_context *c, int32_t prio, struct err *e)
{
    struct device_stream *s = calloc(1, sizeof *s);
    if (!s) {
        oom(e);
        return NULL;
    }
    s->c = c;
    s->g = c->g;
    s->prio = prio;
    s->number = c->d->n_streams++;
    s->of_device = c->d->streams;
    c->d->streams = s;
    struct device_stream **end = &c->streams;
    while (*end)
        end = &(*end)->of_context;
    *end = s;
    return s;
}

/* ---- memory ---- */

bool device_alloc(struct device_context *c, uint64_t bytes)
{
    struct device_partition *p = c->p;
    if (bytes > p->memory - p->allocated)
        return false;
    p->allocated += bytes;
    c->allocated += bytes;
    return true;
}

void device_release(struct device_context *c, uint64_t bytes)
{
    const uint64_t n = bytes < c->allocated ? bytes : c->allocated;
    c->allocated -= n;
    c->p->allocated -= n;
}

/* ---- the whole ---- */

static sim_time whole_ns(sim_cost ps)
{
    return (ps + 999) / 1000;
}

static void numbers(struct device *d)
{
    const struct device_params *p = &d->params;
    d->bandwidth = (uint64_t)llround(p->bandwidth);
    d->link = (uint64_t)llround(p->link);
    d->duplex = (uint64_t)llround(p->duplex);
    d->pageable = (uint64_t)llround(p->pageable < p->link ? p->pageable : p->link);
    d->peer = (uint64_t)llround(p->peer);
    d->switch_ns = whole_ns(p->context_switch);
    d->preempt_ns = whole_ns(p->preempt);
    d->latency_ns = whole_ns(p->copy_latency);
    d->slice_ns = whole_ns(p->timeslice);
    d->gap = p->gap;
    d->graph_gap = p->graph_gap;
}

static void fill_reach(struct device *d)
{
    const struct device_params *p = &d->params;
    for (uint32_t n = 1; n <= p->sms; n++) {
        const uint64_t part = (uint64_t)n * DEVICE_MILLI / p->sms;
        const uint64_t y =
            p->reach ? machine_table_at(p->reach, part) : 2 * (uint64_t)n * DEVICE_MILLI / p->sms;
        d->reach[n] = y < 1 ? 1 : y > DEVICE_MILLI ? DEVICE_MILLI : (uint32_t)y;
    }
}

int device_new(struct device **out, struct sim *s, const struct device_params *p, struct err *e)
{
    struct device *d = calloc(1, sizeof *d);
    if (!d)
        return oom(e);
    d->sim = s;
    d->params = *p;
    d->link_since = sim_now(s);
    numbers(d);
    d->reach = calloc((size_t)p->sms + 1, sizeof *d->reach);
    struct device_partition *first = partition_new(d);
    if (!d->reach || !first) {
        device_free(d);
        return oom(e);
    }
    fill_reach(d);
    partition_fill(first, &(struct device_partition_want){0}, DEVICE_TURNS);
    *out = d;
    return 0;
}

static void partition_free(struct device_partition *p)
{
    for (struct group *g = p->groups, *next; g; g = next) {
        next = g->of_list;
        free(g->at);
        free(g);
    }
    free(p);
}

void device_free(struct device *d)
{
    if (!d)
        return;
    for (struct device_stream *s = d->streams, *next; s; s = next) {
        next = s->of_device;
        free(s->ring);
        free(s->wait);
        free(s);
    }
    for (struct device_context *c = d->contexts, *next; c; c = next) {
        next = c->of_device;
        free(c);
    }
    for (uint32_t i = 0; i < d->n_partitions; i++)
        partition_free(d->partition[i]);
    for (uint32_t k = 0; k < CHANNELS; k++)
        free(d->flows[k].at);
    free(d->partition);
    free(d->reach);
    free(d);
}
