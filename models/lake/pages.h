/* pages.h - what encrypting pages of a file costs: on a core, by AES-NI, on the GPU, or by both.
 *
 * eCryptfs takes a page at a time: the file system's work, then the cipher.  LAKE's changed
 * eCryptfs takes a batch: the pages of one write, or of one readahead window.  Of a batch some go
 * to the GPU (copied into shared memory, to the GPU, through one kernel, and back) while the
 * caller's core encrypts the others with AES-NI.  By Micro-LAKE the GPU reads and writes the pages
 * in place. */
#ifndef MODELS_LAKE_PAGES_H
#define MODELS_LAKE_PAGES_H

#include "models/kernel/gpuway.h"

enum pages_engine { PAGES_CPU, PAGES_AESNI, PAGES_LAKE, PAGES_MALV };

struct pages_costs {
    sim_cost call;        /* read or write by the benchmark, once per block */
    sim_cost file[2];     /* of the file system, per page, page by page: [write] */
    sim_cost batch[2];    /* the same in LAKE's eCryptfs */
    sim_cost cpu, aesni;  /* the cipher, per page */
    sim_cost copy;        /* a page into shared memory, or out of it */
    sim_cost driver;      /* a page to the GPU, or back, by the driver */
    sim_cost link;        /* the same by the GPU itself */
    sim_cost kernel, gpu; /* the cipher's kernel: however few pages; and per page */
    sim_cost start;       /* the first batch too large for the driver's small copies */
    struct gpuway_config way;
};
int pages_costs(struct pages_costs *c, enum pages_engine engine, struct machine_use *use,
                struct err *e) MUST_CHECK;

/* One batch of so many pages; aesni_percent of them, rounded down, on the caller's core (LAKE and
 * Micro-LAKE only).  From the first command to the last, ns; 0: out of memory. */
sim_time pages_batch(const struct pages_costs *c, enum pages_engine engine, bool write, uint32_t n,
                     uint32_t aesni_percent);

#endif
