/* rounds_random.c - a random part of a random type: the trivial baseline. */
#include "rounds_book.h"

struct coin {
    const struct policy_host *h;
};

static uint32_t share(void *self, const struct policy_round_obs *o, struct policy_part *part)
{
    const struct policy_host *h = ((struct coin *)self)->h;
    double left[ROUNDS_TYPES];
    uint32_t n = 0;
    if (o->types > ROUNDS_TYPES)
        return 0;
    for (uint32_t t = 0; t < o->types; t++)
        left[t] = o->gpus[t];
    for (uint32_t i = 0; i < o->n && n < o->most; i++) {
        const uint32_t t = (uint32_t)(h->random(h->host) % o->types);
        double p = (double)(h->random(h->host) >> 11) * 0x1p-53;
        if (p * o->job[i].gpus > left[t])
            p = left[t] / o->job[i].gpus;
        left[t] -= p * o->job[i].gpus;
        left[t] = left[t] > 0 ? left[t] : 0;
        part[n++] = (struct policy_part){i, POLICY_NONE, t, p};
    }
    return n;
}

static int create(void **self, const struct policy_host *h)
{
    struct coin *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->h = h;
    *self = s;
    return 0;
}

static void destroy(void *self)
{
    free(self);
}

POLICY(.name = "rounds-random", .summary = "a random part of a random type of GPU",
       .create = create, .destroy = destroy, .cluster_share = share);
