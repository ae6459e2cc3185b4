/* hosts.c - the GPUs: a pool of identical ones, without constraints of place. */
#include <assert.h>
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

struct hosts {
    uint64_t gpus, used_milli;
    uint64_t down; /* GPUs */
};

int hosts_open(struct cluster *s)
{
    s->hosts = calloc(1, sizeof *s->hosts);
    if (!s->hosts)
        return cluster_no_memory(s);
    s->hosts->gpus = s->c.pool;
    return 0;
}

void hosts_close(struct cluster *s)
{
    free(s->hosts);
}

uint64_t hosts_milli(const struct cluster *s)
{
    return s->hosts->gpus * 1000;
}

uint64_t hosts_down(const struct cluster *s)
{
    return s->hosts->down * 1000;
}

uint64_t hosts_free(const struct cluster *s)
{
    return hosts_milli(s) - hosts_down(s) - s->hosts->used_milli;
}

uint64_t hosts_models(const struct cluster *s, uint32_t spec)
{
    (void)s, (void)spec;
    return POLICY_ANY_MODEL;
}

bool hosts_feasible(const struct cluster *s, const struct job *j)
{
    return (uint64_t)j->seen.gpus_min * j->seen.gpu_milli <= hosts_milli(s);
}

bool hosts_take(struct cluster *s, uint32_t slot, uint32_t given)
{
    struct job *j = &s->job[slot];
    const uint64_t milli = (uint64_t)given * j->seen.gpu_milli;
    if (milli > hosts_free(s))
        return false;
    s->hosts->used_milli += milli;
    j->given = given;
    j->milli = milli;
    j->speed_micro = s->c.beside_micro[0];
    return true;
}

void hosts_give(struct cluster *s, uint32_t slot)
{
    s->hosts->used_milli -= s->job[slot].milli;
}

/* ---- failures ------------------------------------------------------------------- */

uint64_t hosts_units(const struct cluster *s)
{
    return s->hosts->gpus;
}

/* A pool's GPUs have no names: the last ones are those that are down. */
bool hosts_up(const struct cluster *s, uint64_t unit)
{
    return unit < s->hosts->gpus - s->hosts->down;
}

/* Those before them belong to the jobs that run, in the order of the heap; parts of GPUs lie side
 * by side. */
uint32_t hosts_on(const struct cluster *s, uint64_t unit, uint32_t *slot)
{
    uint64_t at = 0, hit = unit * 1000;
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->running && at < hit + 1000; i++) {
        const uint64_t next = at + s->job[s->ran[i]].milli;
        if (next > hit && s->job[s->ran[i]].milli)
            slot[n++] = s->ran[i];
        at = next;
    }
    return n;
}

void hosts_break(struct cluster *s, uint64_t unit)
{
    (void)unit;
    s->hosts->down++;
    assert(s->hosts->used_milli + hosts_down(s) <= hosts_milli(s));
}

void hosts_repair(struct cluster *s, uint64_t unit)
{
    (void)unit;
    s->hosts->down--;
}
