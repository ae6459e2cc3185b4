/* blk_bench.h - drives and replicas on a bench: every number of a drive can be set, rows come
 * from an array or from a small generator.                                    */
#ifndef TESTS_MODELS_BLK_BENCH_H
#define TESTS_MODELS_BLK_BENCH_H

#include "models/blk/ssd.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/rng.h"

/* One die, no link to speak of, room for everything: a plain queue.  Times in ns. */
struct ssd_params blk_drive(uint64_t read_ns, uint64_t program_ns);

/* Poisson I/Os on one drive; reads of one stripe at random places. */
struct blk_load {
    double gap_ns, reads; /* mean; probability of a read */
    uint64_t bytes, n, warmup, seed;
};
struct blk_seen {
    double wait_ns, sojourn_ns, reads; /* means over the measured reads */
    double inside_ns;                  /* integral of the number inside */
    sim_time end;
    struct ssd_stats stats;
};
struct blk_seen blk_drive_run(const struct ssd_params *p, const struct blk_load *l);

/* Rows for model "io". */
struct row_source *blk_rows(const struct trace_io *rows, size_t n);
struct blk_run {
    const char *section, *machine; /* JSON text; NULL: the LAKE testbed's file */
    const char *stack;
    struct row_source *rows;
    struct policy_slot *policy;
    const struct model_infer *infer;
    uint64_t seed, shuffle; /* shuffle 0: no */
};
struct measures *blk_run(const struct blk_run *b, struct err *why); /* closes the rows */
double blk_number(const struct measures *m, const char *name);

#endif
