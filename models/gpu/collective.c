/* collective.c - steps, bytes and protocols of a collective, added up. */
#include "models/gpu/collective.h"

#include <math.h>

const char *const collective_op_names[] = {"all_reduce", "all_gather", "reduce_scatter",
                                           "broadcast",  "all_to_all", NULL};
const char *const collective_how_names[] = {"nccl", "ring",   "tree",  "direct",
                                            "nvls", "custom", "table", NULL};

static uint32_t log2_up(uint32_t n)
{
    uint32_t k = 0;
    while (1u << k < n)
        k++;
    return k;
}

/* What one GPU does: so many steps, so many bytes out, its own share of the message. */
struct plan {
    uint32_t steps;
    double sent, share;
};

static bool plan_ring(const struct collective_ask *a, struct plan *p)
{
    uint32_t n = a->gpus;
    double s = (double)a->bytes;
    *p = (struct plan){n - 1, s * (n - 1) / n, s / n};
    if (a->op == COLLECTIVE_ALL_REDUCE)
        *p = (struct plan){2 * (n - 1), 2 * s * (n - 1) / n, s / n};
    if (a->op == COLLECTIVE_BROADCAST)
        p->sent = s;
    return a->op != COLLECTIVE_ALL_TO_ALL;
}

static bool plan_tree(const struct collective_ask *a, struct plan *p)
{
    uint32_t n = a->gpus, up = log2_up(n);
    double s = (double)a->bytes;
    *p = (struct plan){up, s * (n - 1) / n, s / n};
    if (a->op == COLLECTIVE_ALL_REDUCE) {
        p->steps *= 2;
        p->sent *= 2;
    }
    return a->op == COLLECTIVE_ALL_REDUCE || a->op == COLLECTIVE_BROADCAST;
}

static void plan_direct(const struct collective_ask *a, struct plan *p)
{
    uint32_t n = a->gpus;
    double s = (double)a->bytes;
    bool whole = a->op == COLLECTIVE_ALL_REDUCE || a->op == COLLECTIVE_BROADCAST;
    *p = (struct plan){1, whole ? s * (n - 1) : s * (n - 1) / n, s / n};
}

static void finish(struct collective_cost *c)
{
    c->time = (sim_cost)(c->latency + c->wire + c->local + 0.5);
}

static struct collective_cost cost_of(const struct collective_protocol *r, const struct plan *p)
{
    double load = p->share < r->channel_most ? p->share : r->channel_most;
    struct collective_cost c = {.steps = p->steps, .sent = (uint64_t)(p->sent + 0.5)};
    c.latency = r->base + p->steps * (r->hop + load * r->channel);
    c.wire = p->sent * r->byte;
    c.local = p->share * r->local;
    finish(&c);
    return c;
}

/* NCCL's own estimate, which knows neither channels nor local passes. */
static double guess_of(const struct collective_protocol *r, const struct plan *p)
{
    return r->guess_base + p->steps * r->guess_hop + p->sent * r->guess_byte;
}

static const char *const rings[] = {"ring ll", "ring ll128", "ring simple"};
static const char *const trees[] = {"tree ll", "tree ll128", "tree simple"};
static const char *const directs[] = {"direct ll", "direct ll128", "direct simple"};

/* The quickest of the protocols, or the one that NCCL's estimates favour. */
static void choose(const struct collective_params *p, const struct plan *plan, bool by_guess,
                   const char *const *names, struct collective_cost *out)
{
    double best = -1;
    for (int i = 0; i < COLLECTIVE_PROTOCOLS; i++) {
        const struct collective_protocol *r = &p->protocol[i];
        if (!r->there)
            continue;
        struct collective_cost c = cost_of(r, plan);
        double key = by_guess ? guess_of(r, plan) : (double)c.time;
        if (best >= 0 && key >= best)
            continue;
        best = key;
        *out = c;
        out->how = names[i];
    }
}

static bool nvls(const struct collective_params *p, const struct collective_ask *a,
                 struct collective_cost *out)
{
    if (!p->nvls || a->op != COLLECTIVE_ALL_REDUCE || a->gpus < p->nvls_gpus)
        return false;
    *out = (struct collective_cost){.steps = 1, .sent = a->bytes, .how = "nvls"};
    out->latency = p->nvls_base;
    out->wire = (double)a->bytes * p->nvls_byte;
    finish(out);
    return true;
}

static void nccl(const struct collective_params *p, const struct collective_ask *a,
                 struct collective_cost *out)
{
    struct plan plan;
    struct collective_cost in_switch;
    if (plan_ring(a, &plan)) {
        choose(p, &plan, true, rings, out);
    } else {
        plan_direct(a, &plan);
        choose(p, &plan, true, directs, out);
    }
    if (nvls(p, a, &in_switch) && in_switch.time < out->time)
        *out = in_switch;
}

static bool custom(const struct collective_params *p, const struct collective_ask *a,
                   struct collective_cost *out)
{
    if (!p->custom || a->op != COLLECTIVE_ALL_REDUCE)
        return false;
    if (a->bytes >= p->custom_most) {
        nccl(p, a, out);
        return true;
    }
    uint32_t n = a->gpus;
    bool two = n > 2 && a->bytes >= (n <= 4 ? p->two_from_4 : p->two_from_8);
    const struct collective_stage *s = two ? &p->two : &p->one;
    double sent = (double)a->bytes * (n - 1) * (two ? 2.0 / n : 1);
    *out = (struct collective_cost){.steps = two ? 2 : 1,
                                    .sent = (uint64_t)(sent + 0.5),
                                    .how = two ? "custom, two stages" : "custom, one stage"};
    out->latency = s->base + (n - 1) * s->peer;
    out->wire = sent * s->byte;
    finish(out);
    return true;
}

static bool table(const struct collective_params *p, const struct collective_ask *a,
                  struct collective_cost *out)
{
    if (!p->table[a->gpus] || a->op != COLLECTIVE_ALL_REDUCE)
        return false;
    *out = (struct collective_cost){.sent = a->bytes, .how = "table"};
    out->time = machine_table_at(p->table[a->gpus], a->bytes);
    out->wire = (double)out->time;
    return true;
}

static bool cost_by(const struct collective_params *p, const struct collective_ask *a,
                    struct collective_cost *out)
{
    struct plan plan;
    switch (a->how) {
    case COLLECTIVE_NCCL:
        nccl(p, a, out);
        return true;
    case COLLECTIVE_RING:
        if (!plan_ring(a, &plan))
            return false;
        choose(p, &plan, false, rings, out);
        return true;
    case COLLECTIVE_TREE:
        if (!plan_tree(a, &plan))
            return false;
        choose(p, &plan, false, trees, out);
        return true;
    case COLLECTIVE_DIRECT:
        plan_direct(a, &plan);
        choose(p, &plan, false, directs, out);
        return true;
    case COLLECTIVE_NVLS:
        return nvls(p, a, out);
    case COLLECTIVE_CUSTOM:
        return custom(p, a, out);
    case COLLECTIVE_TABLE:
        return table(p, a, out);
    }
    return false;
}

int collective_cost(const struct collective_params *p, const struct collective_ask *a,
                    struct collective_cost *out, struct err *e)
{
    *out = (struct collective_cost){.how = "alone"};
    if (a->gpus < 1 || a->gpus > COLLECTIVE_GPUS_MAX)
        return err_set(e, ERR_ERANGE, "a collective of %u GPUs, want 1..%d", a->gpus,
                       COLLECTIVE_GPUS_MAX);
    if (a->gpus == 1 || cost_by(p, a, out))
        return 0;
    return err_set(e, ERR_ENAME, "%s of %u GPUs can not be done by \"%s\" here",
                   collective_op_names[a->op], a->gpus, collective_how_names[a->how]);
}
