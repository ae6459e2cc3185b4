/* walk.h - what address translation costs a program, by its working set.
 *
 * Random accesses, uniform over a working set, through two levels of TLB
 * (LRU: a page is found with probability entries / pages), paging-structure
 * caches that let a walk skip its upper levels, and three levels of cache in
 * which page-table entries and data compete (residency.h).  In a guest each
 * reference to its tables is translated by the host's (nested TLB, or a walk
 * of the host's tables), and so is the data; a TLB entry covers the smaller
 * of the two pages.
 *
 *     dependent    time = data + second-level TLB + walk           (a pointer chase)
 *     independent  time = max(data / mlp, walk / walkers)          (as many as the core overlaps)
 *
 * All from the profile's "memory" section.  Not modelled: walks' own TLB
 * misses on table pages other than the nested ones, prefetching, dirty bits. */
#ifndef MODELS_MEM_WALK_H
#define MODELS_MEM_WALK_H

#include <stdbool.h>

#include "models/machine.h"
#include "models/mem/ptable.h"

enum { WALK_CACHES = 3, WALK_LEVELS_MAX = 5 };

struct mem_walk_costs {                         /* from the profile */
    double bytes[WALK_CACHES], ns[WALK_CACHES]; /* L1, L2, L3: size; load-to-use */
    double dram_ns;                             /* beyond the last of them */
    double tlb[2][PAGE_SIZES];                  /* entries, both levels; 0: none */
    enum page_size largest;                     /* that one entry covers; larger pages are cut up */
    double tlb2_ns;                             /* extra, when only the second level has it */
    double start_ns;                            /* a walk, before its first reference */
    double pwc[WALK_LEVELS_MAX];                /* entries of the paging-structure cache by level
                                                   (1: PDE, 2: PDPTE, ..); [0] unused */
    double nested_tlb;                          /* guest-physical pages whose host page is known */
    double walkers, mlp;                        /* walks, and loads, that overlap */
};
int mem_walk_costs(struct mem_walk_costs *c, struct machine_use *use, struct err *e) MUST_CHECK;

struct mem_walk_case {
    double working_set; /* bytes */
    enum page_size guest, host;
    bool virtualized; /* else `guest` is the page size and host is not used */
    unsigned levels;  /* 4 or 5, of both dimensions */
    bool independent;
};

struct mem_walk_result {
    double tlb1_miss, walks; /* per access */
    double references;       /* per walk, after the paging-structure caches */
    double walk_ns;          /* per walk */
    double data_ns;          /* per access, translation apart */
    double access_ns;        /* per access, with it */
    double slowdown;         /* access_ns over what it would be with free translation */
};
void mem_walk(const struct mem_walk_costs *c, const struct mem_walk_case *k,
              struct mem_walk_result *out);

/* The same for a program that waits for memory for only a share of its time (0..1, at the speed of
 * free translation): how much longer it runs.  At least 1. */
double mem_walk_slowdown(const struct mem_walk_costs *c, const struct mem_walk_case *k,
                         double memory_bound);

/* References of one walk with nothing cached, counted by walking tables that are built for it;
 * 0: out of memory. */
uint64_t mem_walk_references(const struct mem_walk_case *k);

int page_size_choice(const struct config *c, enum page_size *out, struct err *e) MUST_CHECK;

#endif
