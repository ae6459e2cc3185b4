/* spans.h - what happened when, for Perfetto and chrome://tracing.
 *
 * Streams Chrome trace-event JSON to a file while the run goes on: memory
 * does not grow.  Tracks are named "process/thread" ("gpu0/compute").
 * Errors are sticky; spans_close reports the first.                         */
#ifndef SIM_SPANS_H
#define SIM_SPANS_H

#include <stdint.h>

#include "sim/err.h"
#include "sim/time.h"

struct spans;
int spans_open(struct spans **sp, const char *path, struct err *e) MUST_CHECK;
int spans_close(struct spans *sp, struct err *e) MUST_CHECK;
/* All of these accept sp == NULL and then do nothing. */
uint32_t spans_track(struct spans *sp, const char *process, const char *thread);
void spans_slice(struct spans *sp, uint32_t track, const char *name, sim_time start, sim_time end);
void spans_instant(struct spans *sp, uint32_t track, const char *name, sim_time at);
void spans_counter(struct spans *sp, uint32_t track, const char *name, sim_time at, double value);

#endif
