#include "models/gpu/marks.h"

#include <stdlib.h>

struct marks {
    struct mark *ring;
    uint64_t *head; /* 1 + place of the latest of each chain */
    uint64_t n;     /* added so far: the next one's place */
    uint32_t mask;
};

struct marks *marks_new(uint32_t reach)
{
    struct marks *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->mask = reach - 1;
    m->ring = calloc(reach, sizeof *m->ring);
    m->head = calloc(reach, sizeof *m->head);
    if (m->ring && m->head)
        return m;
    marks_free(m);
    return NULL;
}

void marks_free(struct marks *m)
{
    if (!m)
        return;
    free(m->ring);
    free(m->head);
    free(m);
}

static uint64_t *chain(const struct marks *m, uint32_t tenant, uint64_t correlation)
{
    uint64_t h = (correlation + ((uint64_t)tenant << 40)) * UINT64_C(0x9e3779b97f4a7c15);
    return &m->head[(h >> 32) & m->mask];
}

void marks_add(struct marks *m, const struct mark *k)
{
    uint64_t *head = chain(m, k->tenant, k->correlation);
    struct mark *to = &m->ring[m->n & m->mask];
    *to = *k;
    to->before = *head;
    *head = ++m->n;
}

const struct mark *marks_find(const struct marks *m, uint32_t tenant, uint64_t correlation,
                              bool host)
{
    uint64_t at = *chain(m, tenant, correlation);
    while (at && m->n - (at - 1) <= (uint64_t)m->mask + 1) {
        const struct mark *k = &m->ring[(at - 1) & m->mask];
        if (k->correlation == correlation && k->tenant == tenant && k->host == host)
            return k;
        at = k->before;
    }
    return NULL;
}
