/* tiresias.c - two-dimensional LAS with discretized queues, after Tiresias (NSDI'19).
 *
 * A job begins in the first queue and sinks to the next when the GPU time it
 * has had passes that queue's limit; a higher queue pushes out lower ones, and
 * within one who came first goes first, who runs is left alone.  Wants
 * "preempt" and skip-over.  With `promote` a job that has waited that many
 * times as long as it ran starts again in the first queue, so that none starves.
 *
 * Parameters
 *   limits_s  ends of all queues but the last, GPU-seconds      ("3600,18000")
 *   gpus      0: time alone counts, not times GPUs              (1)
 *   promote   waiting over running; 0: never                    (0)          */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define LIMITS 16

struct promoted { /* its service counts from here on */
    uint64_t id, service_ns, ran_ns;
};

struct tiresias {
    const struct policy_host *h;
    double limit_ns[LIMITS], promote, gpus;
    uint32_t n;
    struct promoted *promoted;
    uint32_t n_promoted, cap;
};

static int refuse(struct tiresias *s, const char *why)
{
    s->h->log(s->h->host, why);
    free(s);
    return -1;
}

/* "3600,18000": ascending. */
static int read_limits(struct tiresias *s, const char *text)
{
    while (*text && s->n < LIMITS) {
        char *end;
        const double v = strtod(text, &end) * 1e9;
        if (end == text || (*end && *end != ','))
            return -1;
        if (!(v >= POLICY_ORDER_MIN && v <= 1e18) || (s->n && v <= s->limit_ns[s->n - 1]))
            return -1;
        s->limit_ns[s->n++] = v;
        text = *end ? end + 1 : end;
    }
    return *text ? -1 : 0;
}

static int create(void **self, const struct policy_host *h)
{
    struct tiresias *s = calloc(1, sizeof *s);
    if (!s) {
        h->log(h->host, "out of memory");
        return -1;
    }
    s->h = h;
    s->promote = h->param(h->host, "promote", 0);
    s->gpus = h->param(h->host, "gpus", 1);
    if (read_limits(s, h->param_text(h->host, "limits_s", "3600,18000")))
        return refuse(s, "limits_s: want up to 16 ascending numbers of seconds, \"3600,18000\"");
    if (!(s->promote >= 0 && s->promote <= 1e6))
        return refuse(s, "promote: want 0..1000000");
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    struct tiresias *s = self;
    free(s->promoted);
    free(s);
}

static struct promoted *find(struct tiresias *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->n_promoted; i++)
        if (s->promoted[i].id == id)
            return &s->promoted[i];
    return NULL;
}

static struct promoted promote(struct tiresias *s, const struct policy_job *j)
{
    const struct promoted p = {j->id, j->service_ns, j->ran_ns};
    struct promoted *at = find(s, j->id);
    if (!at && s->n_promoted == s->cap) {
        const uint32_t cap = s->cap ? 2 * s->cap : 16;
        struct promoted *more = realloc(s->promoted, cap * sizeof *more);
        if (!more)
            return p; /* for now; it sinks again when asked next */
        s->promoted = more;
        s->cap = cap;
    }
    if (!at)
        at = &s->promoted[s->n_promoted++];
    return *at = p;
}

/* Where its service goes past the end of its queue. */
static void sink_at(const struct tiresias *s, const struct policy_job *j, uint64_t base,
                    uint64_t wide, struct policy_order *answer)
{
    const double had = (double)(j->service_ns - base) / (double)wide;
    uint32_t q = 0;
    while (q < s->n && had >= s->limit_ns[q])
        q++;
    answer->key = q;
    if (q == s->n || !j->gpus)
        return;
    answer->at_service_ns = base + (uint64_t)s->limit_ns[q] * wide;
    if (answer->at_service_ns < j->service_ns + POLICY_ORDER_MIN)
        answer->at_service_ns = j->service_ns + POLICY_ORDER_MIN;
}

static void order(void *self, const struct policy_order_obs *o, struct policy_order *answer)
{
    struct tiresias *s = self;
    const struct policy_job *j = &o->job;
    const uint64_t wide = s->gpus > 0 || !j->gpus ? 1 : j->gpus;
    const struct promoted *at = find(s, j->id);
    struct promoted p = at ? *at : (struct promoted){j->id, 0, 0};
    const double waits = j->running ? 0 : (double)(o->cluster.now_ns - j->since_ns);
    const double owed = s->promote * (double)(j->ran_ns - p.ran_ns);
    sink_at(s, j, p.service_ns, wide, answer);
    if (!(s->promote > 0) || j->running || !answer->key)
        return;
    if (waits >= owed) {
        p = promote(s, j);
        sink_at(s, j, p.service_ns, wide, answer);
        return;
    }
    answer->after_ns = (uint64_t)(owed - waits) + POLICY_ORDER_MIN;
}

static void done(void *self, const struct policy_job_done *d)
{
    struct tiresias *s = self;
    struct promoted *at = find(s, d->job.id);
    if (at)
        *at = s->promoted[--s->n_promoted];
}

POLICY(.name = "tiresias", .summary = "least attained GPU time, in queues (wants preemption)",
       .create = create, .destroy = destroy, .cluster_order = order, .cluster_done = done);
