/* ssd_params.c - a drive's numbers from a machine profile. */
#include <stdio.h>

#include "models/blk/ssd.h"

#define NAME_MAX_ 96
#define DIES_MAX  4096

struct reader {
    struct machine_use *use;
    const char *device;
    struct err *e;
    int rc;
};

static const char *path(const struct reader *r, const char *leaf, char out[NAME_MAX_])
{
    snprintf(out, NAME_MAX_, "ssd.%.48s.%s", r->device, leaf);
    return out;
}

static double value(struct reader *r, const char *leaf, enum quantity q, double lo, double hi)
{
    char name[NAME_MAX_];
    double v = 0;
    if (!r->rc)
        r->rc = machine_value(r->use, path(r, leaf, name), q, &v, r->e);
    if (!r->rc && !(v >= lo && v <= hi))
        r->rc = err_set(r->e, ERR_ERANGE, "machine \"%s\": \"%s\" is %g, want %g..%g",
                        r->use->machine->name, name, v, lo, hi);
    return v;
}

static uint64_t whole(struct reader *r, const char *leaf, enum quantity q, double lo, double hi)
{
    return (uint64_t)(value(r, leaf, q, lo, hi) + 0.5);
}

static sim_cost cost(struct reader *r, const char *leaf)
{
    return whole(r, leaf, QUANTITY_TIME, 0, 1e15);
}

static sim_cost per_byte(struct reader *r, const char *leaf)
{
    double rate = value(r, leaf, QUANTITY_RATE, 1e3, 1e15);
    return r->rc ? 0 : (sim_cost)(1e12 / rate + 0.5);
}

static int disagree(const struct reader *r, const char *what)
{
    return err_set(r->e, ERR_ERANGE, "machine \"%s\": \"ssd.%s\": %s", r->use->machine->name,
                   r->device, what);
}

static int check(const struct ssd_params *p, const struct reader *r)
{
    if (p->buffer / 2 < p->stripe)
        return disagree(r, "the buffer has no room for two stripes");
    if (p->valid >= p->block)
        return disagree(r, "gc_valid leaves nothing to gain from a block, want less than gc_block");
    if (p->gc_low && p->gc_high <= p->gc_low)
        return disagree(r, "gc_high is not above gc_low");
    if (p->gc_low && p->free < p->gc_low)
        return disagree(r, "free is below gc_low, want a drive that is not yet out of room");
    return 0;
}

int ssd_params(struct ssd_params *p, struct machine_use *use, const char *device, struct err *e)
{
    struct reader r = {use, device, e, 0};
    char name[NAME_MAX_];
    *p = (struct ssd_params){0};
    p->dies = whole(&r, "dies", QUANTITY_COUNT, 1, DIES_MAX);
    p->depth = whole(&r, "depth", QUANTITY_COUNT, 1, 1 << 20);
    p->overtake = whole(&r, "overtake", QUANTITY_COUNT, 0, 1e9);
    p->stripe = whole(&r, "stripe", QUANTITY_BYTES, 512, 1 << 30);
    p->buffer = whole(&r, "buffer", QUANTITY_BYTES, 512, 1e15);
    p->command = cost(&r, "command");
    p->program = cost(&r, "program");
    p->read_byte = per_byte(&r, "read_link");
    p->write_byte = per_byte(&r, "write_link");
    p->free = whole(&r, "free", QUANTITY_COUNT, 1, 1e15);
    p->gc_low = whole(&r, "gc_low", QUANTITY_COUNT, 0, 1e15);
    p->gc_high = whole(&r, "gc_high", QUANTITY_COUNT, 0, 1e15);
    p->block = whole(&r, "gc_block", QUANTITY_COUNT, 1, 1e9);
    p->valid = whole(&r, "gc_valid", QUANTITY_COUNT, 0, 1e9);
    p->erase = cost(&r, "erase");
    p->flush_bytes = whole(&r, "flush_bytes", QUANTITY_BYTES, 0, 1e18);
    p->flush_time = cost(&r, "flush_time");
    if (!r.rc)
        r.rc = machine_table(use, path(&r, "read", name), &p->read, e);
    return r.rc ? r.rc : check(p, &r);
}
