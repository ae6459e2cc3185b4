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

/* What the kernels [from, to) want, by context; how many contexts that are. */
static uint32_t count_wants(struct group *g, uint32_t from, uint32_t to, sim_time now)
{
    uint32_t contexts = 0;
    for (uint32_t i = from; i < to; i++)
        g->at[i]->c->wanted = 0;
    for (uint32_t i = from; i < to; i++) {
        struct device_context *c = g->at[i]->c;
        c->room = c->sms_limit;
        const uint32_t w = want(g->at[i], now),
                       more = w < c->room - c->wanted ? w : c->room - c->wanted;
        contexts += more && !c->wanted;
        c->wanted += more;
    }
    return contexts;
}

/* Contexts of one priority: who wants no more than an even part of what is left gets it, the others
 * share the rest evenly; the first ones get what does not divide. */
static void share_rooms(struct group *g, uint32_t from, uint32_t to, uint32_t left, sim_time now)
{
    uint32_t n = count_wants(g, from, to, now);
    bool again = n > 1;
    while (again && n) {
        const uint32_t even = left / n;
        again = false;
        for (uint32_t i = from; i < to; i++) {
            struct device_context *c = g->at[i]->c;
            if (!c->wanted || c->wanted > even)
                continue;
            c->room = c->wanted;
            left -= c->wanted;
            c->wanted = 0;
            n--;
            again = true;
        }
    }
    for (uint32_t i = from; i < to && n; i++) {
        struct device_context *c = g->at[i]->c;
        if (!c->wanted)
            continue;
        const uint32_t even = left / n;
        c->room = c->wanted < even ? c->wanted : even;
        left -= c->room;
        c->wanted = 0;
        n--;
    }
}

static bool aim_for(struct device_partition *p, struct device_stream *s, uint32_t *left)
{
    const uint32_t w = want(s, p->since), got = w < *left ? w : *left;
    s->run.target = got;
    *left -= got;
    s->c->room -= got < s->c->room ? got : s->c->room;
    return s->run.start <= p->since && s->run.sms < s->run.want;
}

/* Priority by priority the contexts get their part; within it, in order, each kernel aims at what
 * it can fill of what is left. */
static bool aim(struct device_partition *p, struct group *g)
{
    uint32_t left = p->sms - p->saving;
    bool wanted = false;
    for (uint32_t from = 0, to; from < g->n; from = to) {
        for (to = from + 1; to < g->n && g->at[to]->c->prio == g->at[from]->c->prio;)
            to++;
        share_rooms(g, from, to, left, p->since);
        for (uint32_t i = from; i < to; i++)
            wanted |= aim_for(p, g->at[i], &left);
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

/* Until its wave has ended, whose blocks began together. */
static sim_time wave_rest(const struct run *r)
{
    const device_fine wave = ((device_fine)r->total << SPEED_BITS) / device_waves(r, r->sms);
    const device_fine part = r->left % wave, rest = part ? part : wave;
    const device_fine each = (device_fine)r->speed * 1000;
    return (sim_time)((rest + each - 1) / each);
}

static void release(struct run *r, bool together, sim_time now)
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
        r->step = together ? r->sms : (r->sms + DEVICE_STEPS - 1) / DEVICE_STEPS;
        r->release = now + (together ? wave_rest(r) : step);
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
        release(&g->at[i]->run, p->d->params.together, p->since);
    grant(p, g);
    return wanted;
}
