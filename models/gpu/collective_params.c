/* collective_params.c - the section "collective" of a machine profile. */
#include <stdio.h>
#include <string.h>

#include "models/gpu/collective.h"

/* Below collective.<part>.; the first complaint stays. */
struct reader {
    struct machine_use *u;
    struct err *e;
    const char *part;
    int rc;
};

static double number(struct reader *r, const char *key, enum quantity q)
{
    char name[96];
    double v = 0;
    snprintf(name, sizeof name, "collective.%s.%s", r->part, key);
    if (!r->rc)
        r->rc = machine_value(r->u, name, q, &v, r->e);
    return v;
}

static bool has(const struct machine *m, const char *part, const char *key)
{
    char name[96];
    snprintf(name, sizeof name, "collective.%s.%s", part, key);
    return machine_find(m, name) != NULL;
}

/* ps per byte at a share of the link. */
static double per_byte(struct reader *r, double link)
{
    double share = number(r, "share", QUANTITY_COUNT);
    if (!r->rc && share <= 0)
        r->rc = err_set(r->e, ERR_ERANGE, "machine \"%s\": collective.%s.share: want more than 0",
                        r->u->machine->name, r->part);
    return r->rc ? 0 : 1e12 / (share * link);
}

static double optional_rate(struct reader *r, const char *key)
{
    double v = has(r->u->machine, r->part, key) ? number(r, key, QUANTITY_RATE) : 0;
    return v > 0 ? 1e12 / v : 0;
}

static void read_guess(struct reader *r, const char *tuner, double link,
                       struct collective_protocol *p)
{
    struct reader bus = *r;
    bus.part = "tuner";
    double share = number(&bus, "bus", QUANTITY_COUNT);
    r->rc = bus.rc;
    r->part = tuner;
    p->guess_base = number(r, "base", QUANTITY_TIME);
    p->guess_hop = number(r, "hop", QUANTITY_TIME);
    p->guess_byte = share > 0 ? per_byte(r, link * share) : 0;
    double least = optional_rate(r, "most"); /* the rate of the protocol itself, whatever the bus */
    p->guess_byte = p->guess_byte > least ? p->guess_byte : least;
}

static void read_protocol(struct reader *r, const char *name, const char *tuner, double link,
                          struct collective_protocol *p)
{
    *p = (struct collective_protocol){.there = has(r->u->machine, name, "base")};
    if (!p->there)
        return;
    r->part = name;
    p->base = number(r, "base", QUANTITY_TIME);
    p->hop = number(r, "hop", QUANTITY_TIME);
    p->byte = per_byte(r, link);
    p->local = optional_rate(r, "local");
    p->channel = optional_rate(r, "channel");
    if (p->channel > 0)
        p->channel_most = number(r, "channel_bytes", QUANTITY_BYTES);
    read_guess(r, tuner, link, p);
}

static void read_stage(struct reader *r, const char *part, double link, struct collective_stage *s)
{
    r->part = part;
    s->base = number(r, "base", QUANTITY_TIME);
    s->peer = number(r, "peer", QUANTITY_TIME);
    s->byte = per_byte(r, link);
}

static void read_custom(struct reader *r, double link, struct collective_params *p)
{
    p->custom = has(r->u->machine, "custom", "most");
    if (!p->custom)
        return;
    read_stage(r, "custom.one", link, &p->one);
    read_stage(r, "custom.two", link, &p->two);
    r->part = "custom";
    p->two_from_4 = (uint64_t)number(r, "two_from_4", QUANTITY_BYTES);
    p->two_from_8 = (uint64_t)number(r, "two_from_8", QUANTITY_BYTES);
    p->custom_most = (uint64_t)number(r, "most", QUANTITY_BYTES);
}

static void read_nvls(struct reader *r, double link, struct collective_params *p)
{
    p->nvls = has(r->u->machine, "nvls", "base");
    if (!p->nvls)
        return;
    r->part = "nvls";
    p->nvls_base = number(r, "base", QUANTITY_TIME);
    p->nvls_byte = per_byte(r, link);
    p->nvls_gpus = (uint32_t)number(r, "gpus", QUANTITY_COUNT);
}

static void read_tables(struct reader *r, struct collective_params *p)
{
    for (int n = 2; !r->rc && n <= COLLECTIVE_GPUS_MAX; n++) {
        char key[64];
        snprintf(key, sizeof key, "collective.table.all_reduce.%d", n);
        if (machine_find(r->u->machine, key))
            r->rc = machine_table(r->u, key, &p->table[n], r->e);
    }
}

static void read_rings(struct reader *r, double link, struct collective_params *p)
{
    static const char *const names[] = {"ll", "ll128", "simple"};
    static const char *const tuner[] = {"tuner.ll", "tuner.ll128", "tuner.simple"};
    if (!r->rc && !has(r->u->machine, "simple", "base"))
        r->rc = err_set(r->e, ERR_ENAME,
                        "machine \"%s\" has no \"collective.simple.base\", which this run needs",
                        r->u->machine->name);
    for (int i = 0; !r->rc && i < COLLECTIVE_PROTOCOLS; i++)
        read_protocol(r, names[i], tuner[i], link, &p->protocol[i]);
}

int collective_params_read(struct collective_params *p, struct machine_use *u,
                           enum collective_how how, struct err *e)
{
    const char *over = machine_find(u->machine, "link.nvlink") ? "link.nvlink" : "link.pcie";
    struct reader r = {.u = u, .e = e};
    double link = 0;
    *p = (struct collective_params){0};
    if (how == COLLECTIVE_TABLE) {
        read_tables(&r, p);
        return r.rc;
    }
    r.rc = machine_value(u, over, QUANTITY_RATE, &link, e);
    if (!r.rc && link <= 0)
        r.rc = err_set(e, ERR_ERANGE, "machine \"%s\": \"%s\": got 0, want more", u->machine->name,
                       over);
    if (how != COLLECTIVE_NVLS)
        read_rings(&r, link, p);
    if (!r.rc && (how == COLLECTIVE_NCCL || how == COLLECTIVE_CUSTOM || how == COLLECTIVE_NVLS))
        read_nvls(&r, link, p);
    if (!r.rc && how == COLLECTIVE_CUSTOM)
        read_custom(&r, link, p);
    return r.rc;
}
