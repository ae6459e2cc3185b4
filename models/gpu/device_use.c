/* device_use.c - what a device and its contexts have used, and use now. */
#include "models/gpu/device_state.h"

/* 1/1000 of peak x speed x ns, in bytes. */
static uint64_t drawn_bytes(const struct device *d, device_fine drawn)
{
    return (uint64_t)((drawn >> SPEED_BITS) * (d->bandwidth / 1000) / 1000000000u);
}

void device_context_used(const struct device_context *c, struct device_use *out)
{
    device_advance(c->p);
    *out = c->use;
    out->bytes = drawn_bytes(c->d, c->drawn);
}

void device_used(const struct device *d, struct device_use *out)
{
    device_fine drawn = 0;
    *out = (struct device_use){0};
    for (uint32_t i = 0; i < d->n_partitions; i++) {
        device_advance(d->partition[i]);
        const struct device_use *u = &d->partition[i]->use;
        out->busy += u->busy;
        out->sm_idle += u->sm_idle;
        out->switches += u->switches;
        out->switching += u->switching;
        out->idle_in_slice += u->idle_in_slice;
    }
    for (const struct device_context *c = d->contexts; c; c = c->of_device) {
        out->sm_time += c->use.sm_time;
        out->h2d += c->use.h2d;
        out->d2h += c->use.d2h;
        out->kernels += c->use.kernels;
        out->copies += c->use.copies;
        out->preempted += c->use.preempted;
        drawn += c->drawn;
    }
    out->bytes = drawn_bytes(d, drawn);
}

/* Whether it moves now. */
static bool moves(const struct device_stream *s)
{
    const struct device_partition *p = s->c->p;
    const sim_time now = sim_now(s->c->d->sim);
    return s->state == STREAM_LISTED && p->phase == PHASE_ON && p->on == s->g &&
           s->run.start <= now && s->run.speed;
}

uint32_t device_free_sms(const struct device *d, uint32_t partition)
{
    const struct device_partition *p = d->partition[partition];
    uint32_t n = p->sms - p->saving;
    if (p->phase == PHASE_SAVING)
        return 0;
    for (uint32_t i = 0; p->on && i < p->on->n; i++)
        if (moves(p->on->at[i]))
            n -= p->on->at[i]->run.sms;
    return n;
}

void device_context_running(const struct device_context *c, struct device_running *out)
{
    *out = (struct device_running){0};
    device_advance(c->p);
    for (const struct device_stream *s = c->streams; s; s = s->of_context) {
        if (!moves(s))
            continue;
        const device_fine each = (device_fine)s->run.speed * 1000;
        const sim_time left = (sim_time)((s->run.left + each - 1) / each);
        out->commands++;
        out->sms += s->run.sms;
        out->bandwidth += (uint32_t)((uint64_t)s->run.bandwidth * s->run.speed >> SPEED_BITS);
        out->left = left > out->left ? left : out->left;
    }
}
