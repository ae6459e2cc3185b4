/* fleet_retry.c - requests whose engine failed: once more, or lost.
 *
 * What was computed is gone and is computed again elsewhere, from the prompt
 * and the tokens that were sent; none of these is sent twice.  A request that
 * nobody can take, because who could has failed, waits at the router.        */
#include <inttypes.h>
#include <stdio.h>

#include "models/fleet/fleet_state.h"

#define LOST_SAID 8

static void lose(struct fleet *f, uint32_t slot)
{
    const struct seq *q = &f->seq[slot];
    if (f->n.lost++ < LOST_SAID) {
        char line[160];
        snprintf(line, sizeof line,
                 "request %" PRIu64 " lost: engines failed under it %u times, %u of %u tokens sent",
                 q->id, q->tries + 1, q->generated, q->output);
        measures_incident(f->out, "lost", "fleet", sim_now(f->sim), 0, line);
    }
    fleet_release(f, slot);
}

void fleet_retry(struct fleet *f, uint32_t slot)
{
    struct seq *q = &f->seq[slot];
    request_enters(&q->clock, PART_PREEMPTED, sim_now(f->sim));
    q->goal = q->prompt + q->generated;
    q->filled = 0;
    q->shipped = q->broken = false;
    q->left = LEFT_NOBODY;
    q->kept = 0;
    if (q->tries == f->c.retries) {
        lose(f, slot);
        return;
    }
    q->tries++;
    f->n.retries++;
    fleet_route_again(f, slot);
}

void fleet_retry_leaving(struct engine *e)
{
    struct fleet *f = e->f;
    for (uint32_t i = 0; e->leaving && i < f->slots; i++) {
        struct seq *q = &f->seq[i];
        if (!q->leaving || q->engine != e->id)
            continue;
        f->n.lost_tokens += q->goal;
        fleet_prefix_leave(e, q, q->goal);
        q->leaving = false;
        q->broken = true;
        e->leaving--;
    }
}

/* ---- at the router ---- */

static bool comes_back(const struct engine *e)
{
    return e->state == ENGINE_DOWN || e->state == ENGINE_STARTING || e->state == ENGINE_SERVING;
}

bool fleet_retry_parks(struct fleet *f, struct gate *g, uint32_t slot)
{
    struct seq *q = &f->seq[slot];
    bool waits = false;
    for (uint32_t i = 0; f->failing && !waits && i < g->n; i++) {
        const struct engine *e = &f->engine[g->first + i];
        waits = !e->seen->takes && comes_back(e) && fleet_route_could_hold(e, q);
    }
    if (!waits)
        return false;
    q->next = NO_SLOT;
    *(g->parked == NO_SLOT ? &g->parked : &f->seq[g->parked_last].next) = slot;
    g->parked_last = slot;
    return true;
}

void fleet_retry_parked(struct fleet *f, struct gate *g)
{
    uint32_t slot = g->parked;
    g->parked = NO_SLOT;
    while (slot != NO_SLOT) {
        const uint32_t next = f->seq[slot].next;
        fleet_route_again(f, slot);
        slot = next;
    }
}
