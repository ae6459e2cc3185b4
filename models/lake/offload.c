/* offload.c - from a shape and a batch to a core's time, or to commands for a way to the GPU. */
#include "models/lake/offload.h"

#include <math.h>
#include <stdio.h>

/* ---- the section ---- */

static const struct config_field launch_fields[] = {
    CONFIG_U32(struct offload_launch, weight, 0, 1e6, false),
    CONFIG_U32(struct offload_launch, chain, 0, 1e6, false),
    CONFIG_END,
};
static const struct config_field copy_fields[] = {
    CONFIG_U32(struct offload_copy, row_bytes, 0, 1e6, false),
    CONFIG_U32(struct offload_copy, bytes, 0, 1e9, false),
    CONFIG_U32(struct offload_copy, count, 1, 2, false),
    CONFIG_BOOL(struct offload_copy, async, false),
    CONFIG_END,
};

static int read_launches(struct offload_shape *s, const struct config *list, struct err *e)
{
    uint64_t weight = 0;
    s->launches = (uint32_t)config_count(list);
    if (config_kind(list) != CONFIG_ARRAY || !s->launches || s->launches > OFFLOAD_LAUNCHES)
        return config_complain(list, e, "an array of 1..%d launches", OFFLOAD_LAUNCHES);
    for (uint32_t i = 0; i < s->launches; i++) {
        int rc = config_fill(config_at(list, i), launch_fields, &s->launch[i], e);
        if (rc)
            return rc;
        weight += s->launch[i].weight;
    }
    return weight ? 0 : config_complain(list, e, "a launch with a \"weight\"");
}

static int read_copy(struct offload_copy *c, const struct config *in, struct err *e)
{
    *c = (struct offload_copy){.count = 1};
    return in ? config_fill(in, copy_fields, c, e) : 0;
}

/* A framework hides its kernels and copies, and has nothing that a shape could say about them. */
static int check_framework(const struct config *section, const struct offload_section *in,
                           struct err *e)
{
    static const char *const keys[] = {"launches", "copy_in", "copy_out",
                                       "calls",    "lanes",   "block_rows"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (in->step_rows && config_get(section, keys[i]))
            return config_complain(config_get(section, keys[i]), e,
                                   "no \"%s\" beside \"step_rows\": a framework has its own",
                                   keys[i]);
    if (!in->step_rows && config_get(section, "skip_rows"))
        return config_complain(config_get(section, "skip_rows"), e, "\"step_rows\" beside it");
    if (!in->step_rows && !in->launches)
        return config_complain(section, e, "\"launches\", or \"step_rows\" of a framework");
    return 0;
}

int offload_read(struct offload_shape *s, const struct config *section,
                 const struct offload_section *in, struct err *e)
{
    *s = (struct offload_shape){.workload = in->workload,
                                .block_rows = in->block_rows,
                                .lanes = in->lanes,
                                .calls = in->calls,
                                .step_rows = in->step_rows,
                                .skip_rows = in->skip_rows};
    int rc = check_framework(section, in, e);
    if (!rc)
        rc = read_copy(&s->in, in->copy_in, e);
    if (!rc)
        rc = read_copy(&s->out, in->copy_out, e);
    return !rc && in->launches ? read_launches(s, in->launches, e) : rc;
}

/* ---- costs ---- */

/* 1024 bytes at the rate of that name. */
static int per_kb(struct machine_use *use, const char *name, sim_cost *to, struct err *e)
{
    double rate = 0;
    int rc = machine_value(use, name, QUANTITY_RATE, &rate, e);
    if (!rc && rate <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": \"%s\" is 0, want more", use->machine->name,
                     name);
    if (!rc)
        *to = (sim_cost)llround(1024 * 1e12 / rate);
    return rc;
}

static int slope(struct machine_use *use, const char *workload, const char *what, sim_cost *to,
                 struct err *e)
{
    char name[96];
    snprintf(name, sizeof name, "offload.%.64s.%s", workload, what);
    return machine_ps(use, name, to, e);
}

int offload_costs(struct offload_costs *c, const struct offload_shape *s, struct machine_use *use,
                  struct err *e)
{
    double sms = 1;
    *c = (struct offload_costs){0};
    int rc = slope(use, s->workload, "cpu", &c->cpu, e);
    if (!rc)
        rc = slope(use, s->workload, "gpu", &c->gpu, e);
    if (!rc && s->step_rows)
        return machine_ps(use, "offload.framework", &c->framework, e);
    if (!rc)
        rc = machine_ps(use, "offload.chain_step", &c->chain, e);
    if (!rc)
        rc = per_kb(use, "offload.copy", &c->copy_kb, e);
    if (!rc)
        rc = per_kb(use, "link.pcie", &c->pcie_kb, e);
    if (!rc)
        rc = machine_value(use, "gpu.sms", QUANTITY_COUNT, &sms, e);
    c->sms = sms < 1 ? 1 : (uint64_t)sms;
    return rc;
}

/* ---- shapes at work ---- */

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t steps(const struct offload_shape *s, uint32_t batch)
{
    return batch > s->skip_rows ? ceil_div(batch - s->skip_rows, s->step_rows) : 1;
}

uint64_t offload_rounds(const struct offload_shape *s, const struct offload_costs *c,
                        uint32_t batch)
{
    if (s->step_rows)
        return steps(s, batch);
    uint64_t rounds = ceil_div(ceil_div(batch, s->block_rows), c->sms);
    uint64_t rows = batch < s->block_rows ? batch : s->block_rows; /* of a block */
    uint64_t lanes = rows < OFFLOAD_WARP ? rows : OFFLOAD_WARP;
    return s->lanes ? rounds * lanes : rounds;
}

sim_cost offload_cpu(const struct offload_shape *s, const struct offload_costs *c, uint32_t batch)
{
    return s->step_rows ? c->framework + steps(s, batch) * c->cpu : batch * c->cpu;
}

bool offload_has(const struct offload_shape *s, enum offload_way way)
{
    return way != OFFLOAD_MALV || !s->step_rows;
}

/* The bytes of one of a direction's commands, as time. */
static sim_cost bytes_ps(const struct offload_copy *m, uint32_t batch, sim_cost kb)
{
    uint64_t bytes = m->bytes + (uint64_t)m->row_bytes * batch;
    return bytes * kb / 1024 / m->count;
}

struct list {
    struct gpuway_command *to;
    uint32_t n;
};

static void add(struct list *l, struct gpuway_command c)
{
    l->to[l->n++] = c;
}

static void add_launches(struct list *l, const struct offload_shape *s,
                         const struct offload_costs *c, uint32_t batch)
{
    uint64_t weight = 0, round = c->gpu * offload_rounds(s, c, batch);
    for (uint32_t i = 0; i < s->launches; i++)
        weight += s->launch[i].weight;
    for (uint32_t i = 0; i < s->launches; i++) {
        sim_cost ps = (sim_cost)((unsigned __int128)round * s->launch[i].weight / weight);
        ps += s->launch[i].chain * c->chain;
        add(l, (struct gpuway_command){
                   .what = GPUWAY_LAUNCH, .async = true, .gpu_ns = (ps + 500) / 1000});
    }
}

static void add_copies(struct list *l, const struct offload_copy *m, enum gpuway_do what,
                       uint32_t batch, sim_cost kb)
{
    for (uint32_t i = 0; i < m->count; i++)
        add(l, (struct gpuway_command){
                   .what = what, .async = m->async, .extra = bytes_ps(m, batch, kb)});
}

/* Micro-LAKE: the first kernel reads its rows from host memory, the last one writes its results. */
static void add_malv(struct list *l, const struct offload_shape *s, const struct offload_costs *c,
                     uint32_t batch)
{
    add_launches(l, s, c, batch);
    l->to[0].gpu_ns += bytes_ps(&s->in, batch, c->pcie_kb) * s->in.count / 1000;
    l->to[l->n - 1].gpu_ns += bytes_ps(&s->out, batch, c->pcie_kb) * s->out.count / 1000;
    add(l, (struct gpuway_command){.what = GPUWAY_SYNC});
}

uint32_t offload_commands(const struct offload_shape *s, const struct offload_costs *c,
                          enum offload_way way, uint32_t batch, struct gpuway_command *to)
{
    struct list l = {.to = to};
    if (s->step_rows) {
        add(&l, (struct gpuway_command){.what = GPUWAY_CALL,
                                        .extra = c->framework + steps(s, batch) * c->gpu});
        return l.n;
    }
    if (way == OFFLOAD_MALV) {
        add_malv(&l, s, c, batch);
        return l.n;
    }
    for (uint32_t i = 0; way == OFFLOAD_COPIES && i < s->calls; i++)
        add(&l, (struct gpuway_command){.what = GPUWAY_CALL});
    if (way == OFFLOAD_COPIES)
        add_copies(&l, &s->in, GPUWAY_COPY_IN, batch, c->copy_kb);
    add_launches(&l, s, c, batch);
    if (way == OFFLOAD_COPIES)
        add_copies(&l, &s->out, GPUWAY_COPY_OUT, batch, c->copy_kb);
    if (way == OFFLOAD_COMPUTE || s->out.async)
        add(&l, (struct gpuway_command){.what = GPUWAY_SYNC});
    return l.n;
}
