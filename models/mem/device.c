#include "models/mem/device.h"

#include <stdio.h>

static int read_phase(struct mem_device *d, const struct config *c, struct err *e)
{
    static const struct config_field fields[] = {
        CONFIG_F64(struct mem_device_phase, from_s, 0, 1e9, false),
        CONFIG_F64(struct mem_device_phase, request, 0, 1e6, false),
        CONFIG_F64(struct mem_device_phase, page, 0, 1e6, false), CONFIG_END};
    struct mem_device_phase *p = &d->phase[d->n];
    *p = (struct mem_device_phase){.request = 1, .page = 1};
    const int rc = config_fill(c, fields, p, e);
    if (rc)
        return rc;
    if (d->n ? p->from_s <= p[-1].from_s : p->from_s > 0)
        return config_complain(
            c, e, d->n ? "from_s after that of the phase before" : "from_s 0 in the first phase");
    d->n++;
    return 0;
}

int mem_device_config(struct mem_device *d, const struct config *list, struct err *e)
{
    *d = (struct mem_device){.n = 1, .phase = {{.request = 1, .page = 1}}};
    if (!list)
        return 0;
    const size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (n < 1 || n > MEM_DEVICE_PHASES)
        return config_complain(list, e, "a list of 1 to %d phases", MEM_DEVICE_PHASES);
    d->n = 0;
    for (size_t i = 0; i < n; i++) {
        const int rc = read_phase(d, config_at(list, i), e);
        if (rc)
            return rc;
    }
    return 0;
}

double mem_device_ns(const struct mem_device *d, uint64_t requests, uint64_t pages)
{
    const struct mem_device_phase *p = &d->phase[d->now];
    return d->request * p->request * (double)requests + d->page * p->page * (double)pages;
}

static void close_phase(struct mem_device *d, const struct mem_device_count *c)
{
    struct mem_device_phase *p = &d->phase[d->now];
    p->done = (struct mem_device_count){.requests = c->requests - d->since.requests,
                                        .pages = c->pages - d->since.pages,
                                        .accesses = c->accesses - d->since.accesses};
    p->io = mem_device_ns(d, p->done.requests, p->done.pages);
    d->since = *c;
}

void mem_device_clock(struct mem_device *d, sim_time now, const struct mem_device_count *c)
{
    while (d->now + 1 < d->n && (double)now >= d->phase[d->now + 1].from_s * 1e9) {
        close_phase(d, c);
        d->now++;
    }
}

double mem_device_end(struct mem_device *d, const struct mem_device_count *c)
{
    double io = 0;
    close_phase(d, c);
    for (uint32_t i = 0; i <= d->now; i++)
        io += d->phase[i].io;
    return io;
}

void mem_device_report(const struct mem_device *d, struct measures *out)
{
    for (uint32_t i = 0; d->n > 1 && i <= d->now; i++) {
        const struct mem_device_phase *p = &d->phase[i];
        char name[48];
        snprintf(name, sizeof name, "device.%u.io_per_access", i);
        measures_number(out, name, "us", BETTER_LESS,
                        p->done.accesses ? p->io / 1e3 / (double)p->done.accesses : 0);
    }
}
