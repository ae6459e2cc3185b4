/* touch.h - the accesses that a memory model sees: rows of a trace, or a pattern.
 *
 * Pulled one at a time; nothing is held but a pattern's few numbers.  With a
 * window, each touch also says how many touches later its page comes again
 * (for oracles): exactly, if that is within the window, else UINT64_MAX.    */
#ifndef MODELS_MEM_TOUCH_H
#define MODELS_MEM_TOUCH_H

#include "sim/config.h"
#include "sim/rng.h"
#include "sim/time.h"
#include "traces/record.h"

#define MEM_PATTERNS(X)                                                                            \
    X(uniform, "any page as likely as any other")                                                  \
    X(zipf, "page of rank k with probability ~ k^-skew, ranks scattered over the pages")           \
    X(sequential, "one page after the other, round and round")                                     \
    X(reverse, "the same, downwards")                                                              \
    X(strided, "every stride-th page, round and round")                                            \
    X(phases, "a hot set gets hot_share of the accesses; every `phase` accesses it moves on")

struct mem_pattern {
    int kind;
    uint64_t pages, count, hot, phase, stride;
    double skew, hot_share, writes; /* writes: share of the accesses */
    sim_time gap_ns;                /* between accesses */
};
int mem_pattern_config(const struct config *c, struct mem_pattern *p, struct err *e) MUST_CHECK;

struct mem_touch {
    sim_time time_ns;
    uint64_t page, next;
    uint32_t tenant, pages, write, count; /* count accesses, spread over `pages` pages */
};

/* Scatters ranks below `pages` over the pages, one to one. */
uint64_t mem_scattered(uint64_t rank, uint64_t pages);

struct mem_source;
/* One of pattern and rows; rows is borrowed.  window 0: `next` is always UINT64_MAX.
 * NULL: out of memory. */
struct mem_source *mem_source_new(const struct mem_pattern *pattern, struct row_source *rows,
                                  uint64_t seed, uint64_t window);
void mem_source_free(struct mem_source *s);
/* 1: a touch was filled; 0: the end; negative: an error.  Rows without accesses are skipped. */
int mem_source_next(struct mem_source *s, struct mem_touch *t, struct err *e) MUST_CHECK;
/* With a window: the i-th touch after that, from 0; NULL: beyond the window, or no window. */
const struct mem_touch *mem_source_peek(const struct mem_source *s, uint64_t i);

#endif
