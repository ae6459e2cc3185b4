/* moves.h - a tenant is saved, comes back, or moves: checkpoint.h in a run.
 *
 * quiesce   no further iteration begins; the one under way ends: all that was
 *           launched has run, nothing is lost and nothing runs twice
 * save      its bytes go to the host; then its memory on the device is free
 * away      until it is restored; a migration restores at once
 * restore   memory on the device (none: it does not run again, an incident), a
 *           context, its bytes; then what was due meanwhile begins          */
#ifndef MODELS_GPU_MOVES_H
#define MODELS_GPU_MOVES_H

#include "models/gpu/events.h"
#include "models/gpu/run.h"

struct client;
enum move_state { MOVE_HERE, MOVE_QUIESCES, MOVE_SAVES, MOVE_AWAY, MOVE_COMES };
struct move {
    enum move_state state;
    bool back;      /* a restore is due as soon as it is away */
    bool due;       /* an iteration of a loop */
    bool pinned;    /* of the next transfer */
    bool elsewhere; /* to */
    uint32_t to;
    sim_time asked, since; /* quiesce, save began */
};

void moves_plan(struct gpu_run *r); /* all events of the run */
/* false: its iteration may not begin, and will when it is back. */
bool moves_may_begin(struct client *c);
void moves_idle(struct client *c); /* an iteration has ended */

#endif
