/* programs.h - an experiment's "programs": captured timelines by name, for tenants to run.
 *
 *   "programs": {"NAME": {a trace section of the table ops}, ...}             */
#ifndef HARNESS_RUN_PROGRAMS_H
#define HARNESS_RUN_PROGRAMS_H

#include "harness/base/textset.h"
#include "harness/run/setup.h"
#include "traces/source.h"

struct programs {
    struct model_program *v;
    size_t n;
};

/* Names, sections, and that files are there; what is in `seen` was found to be good. */
int programs_check(const struct setup *s, const struct trace_places *where, struct textset *seen,
                   struct err *e) MUST_CHECK;
/* After an error what was opened is still to be closed. */
int programs_open(struct programs *p, const struct setup *s, uint64_t seed,
                  const struct trace_places *where, struct err *e) MUST_CHECK;
void programs_close(struct programs *p);

#endif
