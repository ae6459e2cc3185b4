/* named.h - what an experiment names beside its trace: "programs", captured timelines for tenants
 * to run, and "tables", measured costs.
 *
 *   "programs": {"NAME": {a trace section of ops}, ...}
 *   "tables":   {"NAME": {a trace section of costs}, ...}                     */
#ifndef HARNESS_RUN_NAMED_H
#define HARNESS_RUN_NAMED_H

#include "harness/base/textset.h"
#include "harness/run/setup.h"
#include "traces/source.h"

enum named_kind { NAMED_PROGRAMS, NAMED_TABLES, NAMED_KINDS };

struct named {
    struct model_table *v;
    size_t n;
};

const struct config *named_at(const struct setup *s, enum named_kind kind); /* NULL: none */
unsigned named_rows(enum named_kind kind);                                  /* 1 << TRACE_x */
/* Names, sections, and that files are there; what is in `seen` was found to be good. */
int named_check(enum named_kind kind, const struct setup *s, const struct trace_places *where,
                struct textset *seen, struct err *e) MUST_CHECK;
/* After an error what was opened is still to be closed. */
int named_open(struct named *p, enum named_kind kind, const struct setup *s, uint64_t seed,
               const struct trace_places *where, struct err *e) MUST_CHECK;
void named_close(struct named *p);

#endif
