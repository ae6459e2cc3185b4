/* device_place.c - which kernel has which SMs: the leftover policy, block by block. */
#include "models/gpu/device_state.h"

bool device_has_tail(const struct run *r)
{
    return r->loads && r->sms && !r->tail && r->loads > r->sms;
}

/* In its last wave a kernel keeps the SMs that this wave fills, and its speed. */
static void enter_tail(struct run *r)
{
    if (!device_has_tail(r))
        return;
    const uint32_t waves = device_waves(r, r->sms);
    if (r->left * waves > (device_fine)r->total << SPEED_BITS)
        return;
    r->sms = r->loads - (waves - 1) * r->sms;
    r->tail = true;
}

static uint32_t want(struct device_stream *s, sim_time now)
{
    struct run *r = &s->run;
    if (r->start > now) { /* what it was promised while it was alone */
        r->sms = 0;
        r->granted = SIM_NEVER;
        return 0;
    }
    enter_tail(r);
    if (r->tail)
        return r->sms;
    return r->want < s->c->room ? r->want : s->c->room;
}

/* In order, each aims at what it can fill of what is left. */
static bool aim(struct device_partition *p, struct group *g)
{
    uint32_t left = p->sms - p->saving;
    bool wanted = false;
    for (uint32_t i = 0; i < g->n; i++)
        g->at[i]->c->room = g->at[i]->c->sms_limit;
    for (uint32_t i = 0; i < g->n; i++) {
        struct device_stream *s = g->at[i];
        const uint32_t w = want(s, p->since), got = w < left ? w : left;
        s->run.target = got;
        wanted |= s->run.start <= p->since && s->run.sms < s->run.want;
        left -= got;
        s->c->room -= got < s->c->room ? got : s->c->room;
    }
    return wanted;
}

/* Time of a step of one of its waves; 0: it gives SMs up at once, for it flows or has not run. */
static sim_time step_time(const struct run *r)
{
    if (!r->loads || !r->speed || !r->begun)
        return 0;
    const device_fine steps = (device_fine)device_waves(r, r->sms) * DEVICE_STEPS;
    const device_fine each = steps * r->speed * 1000;
    return (sim_time)((((device_fine)r->total << SPEED_BITS) + each - 1) / each);
}

static void release(struct run *r, sim_time now)
{
    const bool begins = r->release == SIM_NEVER;
    if (r->sms <= r->target || r->tail) {
        r->release = SIM_NEVER;
        return;
    }
    const sim_time step = step_time(r);
    if (!step) {
        r->sms = r->target;
        return;
    }
    if (begins) {
        r->step = (r->sms + DEVICE_STEPS - 1) / DEVICE_STEPS;
        r->release = now + step;
    } else if (r->release <= now) {
        const uint32_t over = r->sms - r->target;
        r->sms -= over < r->step ? over : r->step;
        r->release = r->sms > r->target ? now + step : SIM_NEVER;
    }
}

static void grant(struct device_partition *p, struct group *g)
{
    uint32_t used = p->saving;
    for (uint32_t i = 0; i < g->n; i++)
        used += g->at[i]->run.sms;
    uint32_t left = used < p->sms ? p->sms - used : 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct run *r = &g->at[i]->run;
        const uint32_t lack = r->target > r->sms ? r->target - r->sms : 0;
        const uint32_t more = lack < left ? lack : left;
        r->sms += more;
        left -= more;
        if (r->granted == SIM_NEVER && r->start <= p->since && (r->sms || !r->want))
            r->granted = p->since;
        if (r->granted != r->start)
            r->ahead = 0;
    }
}

bool device_place(struct device_partition *p, struct group *g)
{
    const bool wanted = aim(p, g);
    for (uint32_t i = 0; i < g->n; i++)
        release(&g->at[i]->run, p->since);
    grant(p, g);
    return wanted;
}
