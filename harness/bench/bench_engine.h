/* bench_engine.h - the parts of malv bench engine, and the plain C that they
 * are compared with: a 4-ary heap as anybody would write it for one program. */
#ifndef HARNESS_BENCH_BENCH_ENGINE_H
#define HARNESS_BENCH_BENCH_ENGINE_H

#include <stdint.h>

#include "harness/bench/bench.h"

int bench_phold(struct bench *b, struct err *e);
int bench_mm1(struct bench *b, struct err *e);
int bench_hold(struct bench *b, struct err *e); /* queue sizes, and ties */

/* ---- the calibration's queue: 16-byte entries, inlined, no features ---- */

struct plain_entry {
    uint64_t when;
    uint64_t what;
};

struct plain_heap {
    struct plain_entry *at; /* the caller's memory, large enough */
    uint64_t n;
};

static inline void plain_push(struct plain_heap *h, uint64_t when, uint64_t what)
{
    uint64_t i = h->n++;
    for (; i > 0 && when < h->at[(i - 1) / 4].when; i = (i - 1) / 4)
        h->at[i] = h->at[(i - 1) / 4];
    h->at[i] = (struct plain_entry){when, what};
}

static inline struct plain_entry plain_pop(struct plain_heap *h)
{
    struct plain_entry top = h->at[0], last = h->at[--h->n];
    uint64_t i = 0, c;
    while ((c = 4 * i + 1) < h->n) {
        uint64_t end = c + 4 < h->n ? c + 4 : h->n;
        for (uint64_t k = c + 1; k < end; k++)
            c = h->at[k].when < h->at[c].when ? k : c;
        if (last.when <= h->at[c].when)
            break;
        h->at[i] = h->at[c];
        i = c;
    }
    h->at[i] = last;
    return top;
}

/* ---- random numbers for both sides: splitmix64, one state per entity ---- */

static inline uint64_t bench_u64(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static inline uint64_t bench_below(uint64_t *state, uint64_t n)
{
    return (uint64_t)((unsigned __int128)bench_u64(state) * n >> 64);
}

uint64_t bench_exponential(uint64_t *state, double mean); /* ziggurat, whole ns */

#endif
