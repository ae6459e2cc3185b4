#include "models/gpu/moves.h"

#include <stdlib.h>

#include "models/gpu/client_state.h"

static uint64_t bytes_of(const struct client *c)
{
    return c->set->memory * c->program->devices;
}

static void here(void *ctx, uint64_t unused)
{
    struct client *c = ctx;
    struct move *m = &c->move;
    (void)unused;
    c->score->downtime += sim_now(c->run->sim) - m->since;
    c->score->moved += bytes_of(c);
    m->state = MOVE_HERE;
    client_again(c);
}

static int new_seats(struct client *c)
{
    for (uint32_t i = 0; i < c->program->devices; i++)
        board_leave(c->seat[i]);
    int rc = client_sit(c, c->move.to);
    for (uint32_t i = 0; !rc && !c->no_room && i < c->program->queues; i++)
        if (c->lane[i].stream || c->lane[i].dispatched) {
            c->lane[i] = (struct lane){0};
            rc = client_lane(c, i);
        }
    return rc;
}

static bool old_seats(struct client *c)
{
    uint32_t n = 0;
    while (n < c->program->devices && board_back(c->seat[n]))
        n++;
    for (uint32_t i = 0; n < c->program->devices && i < n; i++)
        board_away(c->seat[i]);
    return n == c->program->devices;
}

static void come(struct client *c)
{
    struct move *m = &c->move;
    struct gpu_run *r = c->run;
    m->state = MOVE_COMES;
    m->back = false;
    int rc = m->elsewhere ? new_seats(c) : 0;
    if (rc) {
        gpu_run_fail(r, rc);
        return;
    }
    if (m->elsewhere ? c->no_room : !old_seats(c)) {
        c->score->no_room = true;
        client_leave(c);
        return;
    }
    sim_after(r->sim, checkpoint_restore(&r->m->checkpoint, bytes_of(c), m->pinned), 0, here, c, 0);
}

static void saved(void *ctx, uint64_t unused)
{
    struct client *c = ctx;
    (void)unused;
    for (uint32_t i = 0; i < c->program->devices; i++)
        board_away(c->seat[i]);
    c->score->moved += bytes_of(c);
    c->move.state = MOVE_AWAY;
    if (c->move.back)
        come(c);
}

void moves_idle(struct client *c)
{
    struct move *m = &c->move;
    struct gpu_run *r = c->run;
    if (m->state != MOVE_QUIESCES || c->done)
        return;
    m->state = MOVE_SAVES;
    m->since = sim_now(r->sim);
    c->score->quiesce += m->since - m->asked;
    sim_after(r->sim, checkpoint_save(&r->m->checkpoint, bytes_of(c), m->pinned), 0, saved, c, 0);
}

bool moves_may_begin(struct client *c)
{
    if (c->move.state == MOVE_HERE)
        return true;
    c->move.due = true;
    return false;
}

static void happen(struct client *c, const struct gpu_event *v)
{
    struct move *m = &c->move;
    if (c->done || c->no_room)
        return;
    m->pinned = v->pinned;
    if (v->kind == EVENT_RESTORE) {
        m->back = true;
        if (m->state == MOVE_AWAY)
            come(c);
        return;
    }
    if (m->state != MOVE_HERE)
        return; /* it is on its way already */
    m->state = MOVE_QUIESCES;
    m->asked = sim_now(c->run->sim);
    m->back = m->elsewhere = v->kind == EVENT_MIGRATE;
    m->to = v->to_device;
    if (!c->busy)
        moves_idle(c);
}

static void event(void *ctx, uint64_t number)
{
    struct gpu_run *r = ctx;
    const struct gpu_event *v = &r->m->set.event[number];
    for (struct client *c = r->clients; c; c = client_next(c))
        if (c->set == &r->m->set.client[v->client])
            happen(c, v);
}

void moves_plan(struct gpu_run *r)
{
    for (size_t i = 0; r->only == GPU_ALL && i < r->m->set.events; i++)
        sim_at(r->sim, r->m->set.event[i].at, 1, event, r, i);
}
