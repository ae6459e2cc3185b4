/* device_turns.c - whose turn it is.
 *
 * Turns go round in the order of getting work.  Who is alone keeps the device;
 * its slices then follow each other without a gap, so that a newcomer waits
 * for the end of the current one.  With fixed shares the round is a clock that
 * never stops: a slot for every context and a switch after each; nothing is
 * scheduled while nobody has work.                                            */
#include "models/gpu/device_state.h"

/* ---- the queue ---- */

void device_group_work(struct group *g)
{
    struct device_partition *p = g->p;
    if (p->turns != DEVICE_TURNS || p->on == g || p->coming == g || g->queued)
        return;
    g->queued = true;
    g->next = NULL;
    *p->queue_end = g;
    p->queue_end = &g->next;
}

void device_group_idle(struct group *g)
{
    struct device_partition *p = g->p;
    if (!g->queued)
        return;
    struct group **at = &p->queue;
    while (*at != g)
        at = &(*at)->next;
    *at = g->next;
    if (!*at)
        p->queue_end = at;
    g->queued = false;
}

static struct group *queue_take(struct device_partition *p)
{
    struct group *g = p->queue;
    if (g)
        device_group_idle(g);
    return g;
}

/* ---- turns ---- */

static void plan_turn(struct device_partition *p, sim_time when, sim_fn *fn)
{
    if (when == p->turn_at)
        return;
    if (p->turn_at != SIM_NEVER)
        sim_cancel(p->d->sim, p->turn_event);
    p->turn_at = when;
    if (when != SIM_NEVER)
        p->turn_event = sim_at(p->d->sim, when, PRIO_TURN, fn, p, 0);
}

static void come_on(struct device_partition *p, struct group *g)
{
    p->phase = PHASE_ON;
    p->coming = NULL;
    p->on = g;
    p->on_since = p->since;
    for (uint32_t i = 0; i < g->n; i++)
        g->at[i]->run.release = SIM_NEVER;
}

static void switched(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_partition *p = ctx;
    p->turn_at = SIM_NEVER;
    device_advance(p);
    come_on(p, p->coming);
    device_settle(p);
}

static void switch_to(struct device_partition *p, struct group *g)
{
    p->use.switches++;
    device_unplan(p);
    plan_turn(p, SIM_NEVER, NULL);
    if (!p->d->switch_ns) {
        come_on(p, g);
        return;
    }
    p->phase = PHASE_SWITCHING;
    p->coming = g;
    p->on = NULL;
    plan_turn(p, p->since + p->d->switch_ns, switched);
}

static sim_time slice_end(const struct device_partition *p)
{
    const sim_time slice = p->on->timeslice;
    return p->on_since + ((p->since - p->on_since) / slice + 1) * slice;
}

static void slice_over(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_partition *p = ctx;
    struct group *was = p->on, *next = queue_take(p);
    p->turn_at = SIM_NEVER;
    device_advance(p);
    if (next) {
        switch_to(p, next);
        if (was->n)
            device_group_work(was);
    }
    device_settle(p);
}

static void settle_turns(struct device_partition *p)
{
    if (p->phase == PHASE_ON && p->queue) {
        if (!p->on)
            come_on(p, queue_take(p));
        else if (!p->on->n && !p->on->forfeit)
            switch_to(p, queue_take(p));
    }
    if (p->phase != PHASE_ON)
        return;
    if (!p->queue)
        plan_turn(p, SIM_NEVER, NULL);
    else if (p->turn_at == SIM_NEVER)
        plan_turn(p, slice_end(p), slice_over);
}

/* ---- fixed shares ---- */

static void boundary(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_partition *p = ctx;
    p->turn_at = SIM_NEVER;
    device_advance(p);
    device_settle(p);
}

static void fix_on(struct device_partition *p, struct group *g)
{
    if (p->on != g)
        device_unplan(p);
    if (!g)
        p->use.switches += p->phase != PHASE_SWITCHING;
    else if (p->on != g)
        come_on(p, g);
    p->phase = g ? PHASE_ON : PHASE_SWITCHING;
    p->on = g;
}

static sim_time cycle_of(const struct device_partition *p)
{
    sim_time sum = 0;
    for (const struct group *g = p->groups; g; g = g->of_list)
        sum += g->timeslice + p->d->switch_ns;
    return sum;
}

static void settle_fixed(struct device_partition *p)
{
    if (!p->listed) { /* the clock goes on, unseen */
        fix_on(p, p->groups);
        plan_turn(p, SIM_NEVER, NULL);
        return;
    }
    if (!p->groups->of_list) {
        fix_on(p, p->groups);
        return;
    }
    sim_time at = (p->since - p->cycle_since) % cycle_of(p);
    for (struct group *g = p->groups; g; g = g->of_list) {
        const sim_time slot = g->timeslice + p->d->switch_ns;
        if (at < slot) {
            const bool on = at < g->timeslice;
            fix_on(p, on ? g : NULL);
            plan_turn(p, p->since + (on ? g->timeslice : slot) - at, boundary);
            return;
        }
        at -= slot;
    }
}

void device_settle(struct device_partition *p)
{
    if (p->turns == DEVICE_TURNS)
        settle_turns(p);
    else if (p->turns == DEVICE_TURNS_FIX && p->groups)
        settle_fixed(p);
    else
        p->on = p->groups;
    device_plan(p);
}

/* ---- stopped, held, resumed ---- */

static void tell_stopped(struct device_context *c)
{
    device_tell(c->d, c->on_stopped.done, &c->on_stopped);
    c->on_stopped.done = NULL;
}

static void saved_turn(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_context *c = ctx;
    struct device_partition *p = c->p;
    device_advance(p);
    p->turn_at = SIM_NEVER;
    p->phase = PHASE_ON;
    tell_stopped(c);
    device_settle(p);
}

static void saved_sms(void *ctx, uint64_t sms)
{
    struct device_context *c = ctx;
    struct device_partition *p = c->p;
    device_advance(p);
    p->saving -= (uint32_t)sms;
    tell_stopped(c);
    device_settle(p);
}

/* Takes off the list what has not begun (all: and what has).  SMs of what has; *any: there was. */
static uint32_t withdraw(struct device_context *c, bool all, bool *any)
{
    uint32_t sms = 0;
    for (struct device_stream *s = c->streams; s; s = s->of_context) {
        struct run *r = &s->run;
        if (s->state == STREAM_COPY && device_copy_withdraw(s))
            s->state = STREAM_HELD;
        if (s->state != STREAM_LISTED || (r->begun && !all))
            continue;
        device_unlist(s);
        s->state = r->begun ? STREAM_STOPPED : STREAM_HELD;
        if (!r->begun)
            continue;
        *any = true;
        sms += r->sms;
        r->sms = 0;
        r->full_for = UINT32_MAX;
        r->release = SIM_NEVER;
        r->tail = false;
    }
    return sms;
}

static void save(struct device_context *c, uint32_t sms)
{
    struct device_partition *p = c->p;
    c->use.preempted++;
    device_unplan(p);
    if (p->turns != DEVICE_TURNS) {
        p->saving += sms;
        sim_after(c->d->sim, c->d->preempt_ns, PRIO_TURN, saved_sms, c, sms);
        return;
    }
    plan_turn(p, SIM_NEVER, NULL);
    p->on = NULL;
    p->phase = PHASE_SAVING;
    p->turn_at = p->since + c->d->preempt_ns;
    p->turn_event = sim_at(c->d->sim, p->turn_at, PRIO_TURN, saved_turn, c, 0);
}

void device_preempt(struct device_context *c, const struct device_call *stopped)
{
    struct device_partition *p = c->p;
    bool any = false;
    if (c->stopped)
        return;
    device_advance(p);
    const bool on = p->phase == PHASE_ON && p->on == c->g;
    c->stopped = true;
    tell_stopped(c); /* of an earlier preemption that was given up */
    c->on_stopped = stopped ? *stopped : (struct device_call){0};
    const uint32_t sms = withdraw(c, true, &any);
    if (on && any)
        save(c, sms);
    else
        tell_stopped(c);
    device_settle(p);
}

void device_hold(struct device_context *c, const struct device_call *drained)
{
    bool any;
    device_advance(c->p);
    c->held = true;
    c->drained = drained ? *drained : (struct device_call){0};
    withdraw(c, false, &any);
    device_tell_drained(c);
    device_settle(c->p);
}

void device_resume(struct device_context *c)
{
    device_advance(c->p);
    c->held = c->stopped = false;
    c->drained.done = NULL;
    for (struct device_stream *s = c->streams; s; s = s->of_context)
        if (s->state == STREAM_HELD) {
            device_next(s);
        } else if (s->state == STREAM_STOPPED) {
            s->run.start = sim_now(c->d->sim);
            device_list(s);
        }
    device_settle(c->p);
}
