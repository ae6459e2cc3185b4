/* mem_reference.h - page replacement as in the papers, the slow way, to check ours with.
 *
 * Nothing here is shared with models/mem or policies/: pages are small dense
 * numbers, order is kept by stamps or by arrays that are shifted, and victims
 * are looked for one by one.                                                */
#ifndef TESTS_MODELS_MEM_REFERENCE_H
#define TESTS_MODELS_MEM_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

struct page_trace {
    uint32_t *page; /* [n], dense: 0..pages-1 */
    uint8_t *write; /* [n] */
    size_t n;
    uint32_t pages;
};

struct reference_count {
    uint64_t misses, writebacks;
};

extern const char *const reference_policies[]; /* as our policies are called; NULL at the end */
struct reference_count reference_replay(const char *policy, const struct page_trace *t,
                                        uint32_t frames);

/* Where the trace of the Ramulator repository lies, or NULL; reads and write-backs in order. */
int page_trace_ramulator(struct page_trace *t, const char *name);
/* kind: "uniform", "zipf", "loop", "mix" (a hot set, a scan, a moving one); own generator. */
void page_trace_make(struct page_trace *t, const char *kind, uint32_t pages, size_t n,
                     uint64_t seed);
void page_trace_free(struct page_trace *t);

#endif
