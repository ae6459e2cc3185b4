/* replay.h - one long trace, once: each of its processes has a seat on each GPU that it uses. */
#ifndef MODELS_GPU_REPLAY_H
#define MODELS_GPU_REPLAY_H

#include "models/gpu/run.h"

struct replay;
int replay_new(struct gpu_run *r, struct row_source *rows) MUST_CHECK; /* to r->replay */
void replay_start(struct replay *p);
void replay_free(struct replay *p); /* NULL is fine */
void replay_report(const struct replay *p, struct measures *out);

#endif
