/* device_speed.c - how fast a kernel runs on so many SMs, and how bandwidth is shared. */
#include "models/gpu/device_state.h"

uint32_t device_fill(const struct device *d, const struct device_work *w)
{
    const uint32_t all = d->params.sms;
    if (w->kind != DEVICE_KERNEL && !w->sms)
        return 0; /* beside the SMs */
    return w->sms && w->sms < all ? w->sms : all;
}

uint32_t device_loads(const struct device_work *w, uint32_t fill)
{
    const uint64_t n = w->loads ? w->loads : (uint64_t)w->waves * fill;
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static uint32_t waves(uint32_t blocks, uint32_t sms)
{
    return (uint32_t)(((uint64_t)blocks + sms - 1) / sms);
}

uint32_t device_waves(const struct run *r, uint32_t sms)
{
    return waves(r->loads, sms);
}

/* Rounded up: a time that is a whole number of ns stays one. */
static device_fine ratio(device_fine part, uint64_t whole)
{
    return (part + whole - 1) / whole;
}

static uint64_t by_sms(const struct device_work *w, uint32_t fill, uint32_t sms)
{
    const uint32_t blocks = device_loads(w, fill);
    device_fine v = SPEED_ONE;
    if (blocks)
        v = ratio(v * waves(blocks, fill), waves(blocks, sms));
    else
        v = ratio(v * sms, fill);
    if (w->compute)
        v = ratio(v * DEVICE_MILLI, w->compute);
    return v < SPEED_ONE ? (uint64_t)v : SPEED_ONE;
}

static uint64_t by_memory(const struct device *d, const struct device_work *w, uint32_t fill,
                          uint32_t sms)
{
    const uint64_t alone = w->bandwidth < d->reach[fill] ? w->bandwidth : d->reach[fill];
    return d->reach[sms] < alone ? (uint64_t)ratio(SPEED_ONE * d->reach[sms], alone) : SPEED_ONE;
}

uint64_t device_speed(const struct device *d, const struct device_work *w, uint32_t sms)
{
    const uint32_t fill = device_fill(d, w);
    if (sms >= fill)
        return SPEED_ONE;
    if (!sms)
        return 0;
    const uint64_t v = by_sms(w, fill, sms), m = by_memory(d, w, fill, sms);
    return v < m ? v : m;
}

static device_fine demand(const struct run *r)
{
    return (device_fine)r->bandwidth * r->full;
}

/* Max-min: who wants no more than an even share of what is left gets it, until all that are left
 * want more. */
void device_share_bandwidth(struct group *g, uint32_t bandwidth)
{
    device_fine left = (device_fine)bandwidth << SPEED_BITS, sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        struct run *r = &g->at[i]->run;
        r->speed = r->full;
        sum += demand(r);
        n += demand(r) > 0;
    }
    if (sum <= left)
        return;
    bool again = true;
    device_fine even = left / n, floor = 0; /* who wants <= floor is served */
    while (again) {
        again = false;
        for (uint32_t i = 0; i < g->n; i++) {
            const device_fine want = demand(&g->at[i]->run);
            if (want > floor && want <= even) {
                left -= want;
                n--;
                again = true;
            }
        }
        floor = even;
        even = n ? left / n : 0;
    }
    for (uint32_t i = 0; i < g->n; i++) {
        struct run *r = &g->at[i]->run;
        if (demand(r) > floor)
            r->speed = (uint64_t)ratio(even, r->bandwidth);
    }
}
