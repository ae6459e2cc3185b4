#include "sim/lanes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    LANES_KEPT = 64
}; /* a model with endless priorities must not fill memory with empty lanes */

void lanes_free(struct lanes *ls)
{
    for (uint32_t i = 0; i < ls->n; i++)
        free(ls->lane[i].at);
    free(ls->lane);
}

static bool grow(struct lane *l)
{
    uint32_t cap = l->cap ? 2 * l->cap : 16;
    sim_event *at = malloc(cap * sizeof *at);
    if (!at)
        return false;
    for (uint32_t i = 0; i < l->n; i++)
        at[i] = l->at[(l->head + i) & (l->cap - 1)];
    free(l->at);
    *l = (struct lane){l->prio, 0, l->n, cap, at};
    return true;
}

/* Where prio is or belongs. */
static uint32_t place(const struct lanes *ls, int32_t prio)
{
    uint32_t lo = 0, hi = ls->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (ls->lane[mid].prio > prio)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct lane *insert(struct lanes *ls, uint32_t i, int32_t prio)
{
    if (ls->n == ls->cap) {
        uint32_t cap = ls->cap ? 2 * ls->cap : 4;
        struct lane *lane = realloc(ls->lane, cap * sizeof *lane);
        if (!lane)
            return NULL;
        ls->lane = lane;
        ls->cap = cap;
    }
    memmove(ls->lane + i + 1, ls->lane + i, (ls->n - i) * sizeof *ls->lane);
    ls->n++;
    ls->lane[i] = (struct lane){.prio = prio};
    return &ls->lane[i];
}

static struct lane *lane_of(struct lanes *ls, int32_t prio)
{
    uint32_t i = place(ls, prio);
    if (i < ls->n && ls->lane[i].prio == prio)
        return &ls->lane[i];
    if (ls->n >= LANES_KEPT && !ls->held) {
        lanes_free(ls);
        *ls = (struct lanes){.failed = ls->failed};
        i = 0;
    }
    return insert(ls, i, prio);
}

void lanes_push(struct lanes *ls, sim_event ev, int32_t prio)
{
    struct lane *l = lane_of(ls, prio);
    if (!l || (l->n == l->cap && !grow(l))) {
        ls->failed = true;
        return;
    }
    l->at[(l->head + l->n++) & (l->cap - 1)] = ev;
    ls->held++;
}

sim_event lanes_pop(struct lanes *ls)
{
    assert(ls->held > 0);
    struct lane *l = ls->lane;
    while (!l->n)
        l++;
    sim_event ev = l->at[l->head];
    l->head = (l->head + 1) & (l->cap - 1);
    l->n--;
    ls->held--;
    return ev;
}

void lanes_sweep(struct lanes *ls, const struct pool *pool)
{
    for (uint32_t k = 0; k < ls->n; k++) {
        struct lane *l = &ls->lane[k];
        uint32_t kept = 0, mask = l->cap - 1;
        for (uint32_t i = 0; i < l->n; i++) {
            sim_event ev = l->at[(l->head + i) & mask];
            if (pool_live(pool, ev))
                l->at[(l->head + kept++) & mask] = ev;
        }
        ls->held -= l->n - kept;
        l->n = kept;
    }
}
