/* synth_rig.h - synthesized rows, and sampled means against closed forms. */
#ifndef TESTS_TRACES_SYNTH_RIG_H
#define TESTS_TRACES_SYNTH_RIG_H

#include "traces/synth_kinds.h"

/* Of parameters in JSON; to be closed.  NULL: they were refused, see *e. */
struct row_source *synth_text(const char *text, uint64_t seed, struct err *e);
/* rows 0: as many as the preset has. */
struct row_source *synth_preset(const char *preset, uint64_t rows, uint64_t seed);

struct moments {
    double n, sum, squares;
};
void moments_add(struct moments *m, double v);
/* Their mean is within 4.5 standard errors of what is wanted: 7 in a million are not. */
void moments_near(const char *what, const struct moments *m, double want);

#endif
