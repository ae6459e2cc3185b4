/* device_kernels.c - the kernels of the group that is on: progress, SMs, the next event.
 *
 * Mostly one kernel is alone; then it is given all at once, from its start in
 * the future (the launch gap) to its end, in one event.                      */
#include <stdlib.h>

#include "models/gpu/device_state.h"

/* ---- the list ---- */

static bool before(const struct device_stream *a, const struct device_stream *b)
{
    if (a->c->prio != b->c->prio)
        return a->c->prio > b->c->prio;
    if (a->prio != b->prio)
        return a->prio > b->prio;
    if (a->run.start != b->run.start)
        return a->run.start < b->run.start;
    return a->number < b->number;
}

static bool grow(struct group *g)
{
    const uint32_t cap = g->cap ? 2 * g->cap : 4;
    struct device_stream **at = realloc(g->at, cap * sizeof(struct device_stream *));
    if (!at)
        return false;
    g->at = at;
    g->cap = cap;
    return true;
}

void device_list(struct device_stream *s)
{
    struct group *g = s->g;
    if (g->n == g->cap && !grow(g)) {
        sim_fail(s->c->d->sim);
        return;
    }
    uint32_t i = g->n++;
    for (; i && before(s, g->at[i - 1]); i--)
        g->at[i] = g->at[i - 1];
    g->at[i] = s;
    s->state = STREAM_LISTED;
    g->p->listed++;
    if (g->n == 1)
        device_group_work(g);
}

void device_unlist(struct device_stream *s)
{
    struct group *g = s->g;
    uint32_t i = 0;
    while (i < g->n && g->at[i] != s)
        i++;
    if (i == g->n)
        return;
    for (g->n--; i < g->n; i++)
        g->at[i] = g->at[i + 1];
    g->p->listed--;
    if (!g->n)
        device_group_idle(g);
}

/* ---- progress ---- */

static void progress(struct device_stream *s, sim_time d)
{
    struct run *r = &s->run;
    struct device_context *c = s->c;
    const device_fine done = (device_fine)(d * 1000 + r->ahead) * r->speed;
    c->use.sm_time += d * 1000 * r->sms;
    c->drawn += (device_fine)r->bandwidth * r->speed * d;
    s->ahead = r->ahead = 0;
    r->begun = true;
    if (done < r->left) {
        r->left -= done;
        return;
    }
    if (r->speed)
        s->ahead = (uint32_t)((uint64_t)(done - r->left) / r->speed);
    r->left = 0;
}

static void pass(struct device_partition *p, struct group *g, sim_time now)
{
    sim_time busy = 0;
    uint64_t held = 0; /* SM-ns */
    for (uint32_t i = 0; i < g->n; i++) {
        struct run *r = &g->at[i]->run;
        const sim_time from = r->start > p->since ? r->start : p->since;
        if (from >= now || !r->speed)
            continue;
        held += (now - from) * r->sms;
        busy = now - from > busy ? now - from : busy;
        progress(g->at[i], now - from);
    }
    p->use.busy += busy * 1000;
    p->use.sm_idle += ((now - p->since) * p->sms - held) * 1000;
}

void device_advance(struct device_partition *p)
{
    const sim_time now = sim_now(p->d->sim);
    if (now == p->since)
        return;
    if (p->phase == PHASE_ON && p->on) {
        pass(p, p->on, now);
        if (!p->on->n && p->listed)
            p->use.idle_in_slice += (now - p->since) * 1000;
    } else {
        p->use.sm_idle += (now - p->since) * 1000 * p->sms;
        if (p->phase != PHASE_ON)
            p->use.switching += (now - p->since) * 1000;
    }
    p->since = now;
}

/* Until so much of its work is done, at its speed; some takes a nanosecond at least. */
static sim_time rest_ns(const struct run *r, device_fine work)
{
    const device_fine done = (device_fine)r->ahead * r->speed;
    if (work <= done)
        return work > 0;
    work -= done;
    if (r->speed == SPEED_ONE)
        return ((sim_time)((work + SPEED_ONE - 1) >> SPEED_BITS) + 999) / 1000;
    const device_fine each = (device_fine)r->speed * 1000;
    return (sim_time)((work + each - 1) / each);
}

/* ---- the next event ---- */

static bool ended(const struct run *r, sim_time now)
{
    return !r->left && r->granted <= now;
}

static void kernel_event(void *ctx, uint64_t unused)
{
    (void)unused;
    struct device_partition *p = ctx;
    p->event = 0;
    p->event_at = SIM_NEVER;
    device_advance(p);
    struct group *g = p->on;
    struct device_call done = {0};
    for (uint32_t i = 0; i < g->n; i++)
        if (ended(&g->at[i]->run, p->since)) { /* one an event: its callback finds all in order */
            device_finish(g->at[i], &done);
            break;
        }
    device_settle(p);
    if (done.done)
        done.done(done.ctx, done.arg);
}

void device_unplan(struct device_partition *p)
{
    if (p->event_at != SIM_NEVER)
        sim_cancel(p->d->sim, p->event);
    p->event_at = SIM_NEVER;
}

static void plan_at(struct device_partition *p, sim_time when)
{
    if (when == p->event_at)
        return;
    device_unplan(p);
    if (when == SIM_NEVER)
        return;
    p->event = sim_at(p->d->sim, when, 0, kernel_event, p, 0);
    p->event_at = when;
}

static bool untold(struct device_stream *s)
{
    return !s->run.told && device_first(s)->call.begun;
}

/* The only one there is: from its start to its end. */
static void plan_alone(struct device_partition *p, struct device_stream *s)
{
    struct run *r = &s->run;
    const sim_time now = p->since, at = r->start > now ? r->start : now;
    uint32_t sms = r->want < s->c->sms_limit ? r->want : s->c->sms_limit;
    sms = sms < p->sms ? sms : p->sms;
    if (!r->begun)
        r->granted = at;
    if (!r->tail && (sms != r->sms || r->full_for != sms)) {
        r->sms = r->full_for = sms;
        r->full = device_speed(p->d, &device_first(s)->w, sms);
    }
    r->release = SIM_NEVER;
    r->speed = r->full;
    if ((device_fine)r->bandwidth * r->full > (device_fine)p->bandwidth << SPEED_BITS)
        r->speed = (((uint64_t)p->bandwidth << SPEED_BITS) + r->bandwidth - 1) / r->bandwidth;
    if (r->granted != r->start)
        r->ahead = 0;
    plan_at(p, at + rest_ns(r, r->left));
}

static sim_time sooner(sim_time a, sim_time b)
{
    return a < b ? a : b;
}

static sim_time next_of(const struct run *r, sim_time now, bool wanted)
{
    if (r->start > now)
        return r->start;
    if (!r->speed)
        return ended(r, now) ? now : SIM_NEVER;
    sim_time next = sooner(now + rest_ns(r, r->left), r->release);
    if (!wanted || !device_has_tail(r))
        return next;
    const device_fine last = ((device_fine)r->total << SPEED_BITS) / device_waves(r, r->sms);
    return r->left > last ? sooner(next, now + rest_ns(r, r->left - last)) : next;
}

static void plan_all(struct device_partition *p, struct group *g)
{
    const sim_time now = p->since;
    const bool wanted = device_place(p, g); /* somebody wants more SMs */
    for (uint32_t i = 0; i < g->n; i++) {
        struct device_stream *s = g->at[i];
        struct run *r = &s->run;
        if (r->granted <= now && untold(s)) {
            r->told = true;
            device_tell(p->d, device_first(s)->call.begun, &device_first(s)->call);
        }
        if (!r->tail && r->full_for != r->sms) {
            r->full = device_speed(p->d, &device_first(s)->w, r->sms);
            r->full_for = r->sms;
        }
    }
    device_share_bandwidth(g, p->bandwidth);
    sim_time next = SIM_NEVER;
    for (uint32_t i = 0; i < g->n; i++)
        next = sooner(next, next_of(&g->at[i]->run, now, wanted));
    plan_at(p, next);
}

void device_plan(struct device_partition *p)
{
    struct group *g = p->on;
    if (!g || !g->n || p->phase != PHASE_ON)
        device_unplan(p);
    else if (g->n == 1 && !p->saving && !untold(g->at[0]))
        plan_alone(p, g->at[0]);
    else
        plan_all(p, g);
}
