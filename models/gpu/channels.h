/* channels.h - a plan's operations with one more thing that launches wait for: room in the queue.
 *
 * A stream's channel holds so many commands (depth) that were launched and have not ended; a launch
 * into a full one waits until the oldest has.  Which stream a launch goes to, its device operation
 * tells, which comes later: so launches wait here until it has come, as many rows as four full
 * channels need; one whose operation is further away goes without.
 *
 * Where a capture shows a launch further ahead than that, it goes as captured.                 */
#ifndef MODELS_GPU_CHANNELS_H
#define MODELS_GPU_CHANNELS_H

#include "models/gpu/plan.h"

struct channels;
/* depth 0: no bound. */
int channels_new(struct channels **c, struct plan *p, uint32_t depth, struct err *e) MUST_CHECK;
void channels_free(struct channels *c); /* not the plan; NULL is fine */
/* As plan_next. */
int channels_next(struct channels *c, struct plan_op *out, struct err *e) MUST_CHECK;

#endif
