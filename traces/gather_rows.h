/* gather_rows.h - facts of io, pages, sched, vms, ops and costs: one const table each, for
 * gather.c. */
#ifndef TRACES_GATHER_ROWS_H
#define TRACES_GATHER_ROWS_H

#include "traces/facts.h"
#include "traces/tally.h"

struct gather_ops {
    size_t size; /* of the state, which begins as zeroes */
    int (*row)(void *state, const union trace_row *row, struct err *e);
    void (*end)(void *state, const struct import_format *format, const struct trace_names *names,
                struct facts *out);
    void (*done)(void *state);
};

extern const struct gather_ops gather_io, gather_pages, gather_sched, gather_vms, gather_timeline,
    gather_costs;

/* n, sum, mean, median, p99, min, max and perhaps cv; per_unit: of the tally in one of the fact. */
void facts_summary(struct facts *f, const char *group, struct tally *t, double per_unit, bool cv);
/* How often each value came, by name where there are names. */
void facts_counts(struct facts *f, const char *group, struct tally *t,
                  const struct trace_names *names);

#endif
