/* schema.c - the columns. */
#include "traces/schema.h"

#include <assert.h>
#include <string.h>

#include "traces/names.h"

#define U32(S, f, unit, fill)                                                                      \
    {                                                                                              \
#f, unit, 4, offsetof(struct S, f), fill                                                   \
    }
#define U64(S, f, unit, fill)                                                                      \
    {                                                                                              \
#f, unit, 8, offsetof(struct S, f), fill                                                   \
    }

static const struct trace_column requests[] = {
    U64(trace_request, time_ns, "ns", 0),
    U32(trace_request, tenant, "index", 0),
    U32(trace_request, prompt_tokens, "tokens", 0),
    U32(trace_request, output_tokens, "tokens", 0),
    U32(trace_request, model, "name", TRACE_NAME_NONE),
    U64(trace_request, session, "id", 0),
};

static const struct trace_column jobs[] = {
    U64(trace_job, time_ns, "ns", 0),
    U32(trace_job, tenant, "index", 0),
    U64(trace_job, duration_ns, "ns", TRACE_TIME_NONE),
    U64(trace_job, wait_ns, "ns", TRACE_TIME_NONE),
    U32(trace_job, gpus, "1", 0),
    U32(trace_job, gpu_milli, "1/1000 of each GPU", 0),
    U32(trace_job, cpu_milli, "1/1000 CPU", 0),
    U64(trace_job, mem_bytes, "bytes", 0),
    U32(trace_job, gpu_spec, "name", TRACE_NAME_NONE),
    U32(trace_job, user, "name", TRACE_NAME_NONE),
    U32(trace_job, group, "name", TRACE_NAME_NONE),
    U32(trace_job, status, "name", TRACE_NAME_NONE),
    U32(trace_job, qos, "name", TRACE_NAME_NONE),
    U32(trace_job, name, "name", TRACE_NAME_NONE),
    U64(trace_job, row, "index", 0),
};

static const struct trace_column nodes[] = {
    U32(trace_node, name, "name", TRACE_NAME_NONE),
    U32(trace_node, model, "name", TRACE_NAME_NONE),
    U32(trace_node, gpus, "1", 0),
    U32(trace_node, cpu_milli, "1/1000 CPU", 0),
    U64(trace_node, mem_bytes, "bytes", 0),
};

static const struct trace_column io[] = {
    U64(trace_io, time_ns, "ns", 0),
    U32(trace_io, tenant, "index", 0),
    U32(trace_io, device, "index", 0),
    U32(trace_io, write, "1", 0),
    U64(trace_io, offset, "bytes", 0),
    U64(trace_io, bytes, "bytes", 0),
    U64(trace_io, latency_ns, "ns", TRACE_TIME_NONE),
};

static const struct trace_column pages[] = {
    U64(trace_page, time_ns, "ns", 0),     U32(trace_page, tenant, "index", 0),
    U64(trace_page, page, "page", 0),      U32(trace_page, pages, "4 KiB pages", 1),
    U32(trace_page, offset, "bytes", 0),   U32(trace_page, write, "1", 0),
    U32(trace_page, count, "accesses", 1),
};

static const struct trace_column sched[] = {
    U64(trace_sched, time_ns, "ns", 0),
    U32(trace_sched, tenant, "index", 0),
    U32(trace_sched, cpu, "index", 0),
    U32(trace_sched, event, "kind", 0),
    U32(trace_sched, task, "name", TRACE_NAME_NONE),
    U32(trace_sched, pid, "id", 0),
    U32(trace_sched, prio, "1", 0),
    U32(trace_sched, state, "bits", 0),
    U32(trace_sched, next_task, "name", TRACE_NAME_NONE),
    U32(trace_sched, next_pid, "id", 0),
    U32(trace_sched, next_prio, "1", 0),
    U32(trace_sched, target_cpu, "index", 0),
};

static const struct trace_column vms[] = {
    U64(trace_vm, time_ns, "ns", 0),
    U32(trace_vm, tenant, "index", 0),
    U32(trace_vm, name, "name", TRACE_NAME_NONE),
    U64(trace_vm, end_ns, "ns", TRACE_TIME_NONE),
    U32(trace_vm, vcpus, "1", 0),
    U64(trace_vm, mem_bytes, "bytes", 0),
    U64(trace_vm, step_ns, "ns", 0),
};

static const struct trace_column ops[] = {
    U64(trace_op, time_ns, "ns", 0),
    U32(trace_op, tenant, "index", 0),
    U32(trace_op, device, "index", TRACE_NAME_NONE),
    U32(trace_op, stream, "index", 0),
    U32(trace_op, kind,
        "0 kernel, 1 h2d, 2 d2h, 3 d2d, 4 p2p, 5 memset, 6 comm, 7 launch, 8 sync, 9 cpu", 0),
    U32(trace_op, name, "name", TRACE_NAME_NONE),
    U64(trace_op, duration_ns, "ns", 0),
    U64(trace_op, bytes, "bytes", 0),
    U64(trace_op, grid, "blocks", 0),
    U32(trace_op, block, "threads", 0),
    U32(trace_op, registers, "per thread", 0),
    U32(trace_op, smem, "bytes per block", 0),
    U32(trace_op, sms, "SMs", 0),
    U32(trace_op, bound, "0 not said, 1 compute, 2 memory", 0),
    U64(trace_op, correlation, "id", 0),
};

#define KEY(i)                                                                                     \
    {                                                                                              \
        "key" #i, "1", 8, offsetof(struct trace_cost, key) + 8 * ((i)-1), 0                        \
    }
static const struct trace_column costs[] = {
    U32(trace_cost, name, "name", TRACE_NAME_NONE),
    U32(trace_cost, where, "name", TRACE_NAME_NONE),
    U32(trace_cost, with, "name", TRACE_NAME_NONE),
    U32(trace_cost, unit, "0 ps, 1 millionths, 2 a count", 0),
    KEY(1),
    KEY(2),
    KEY(3),
    KEY(4),
    KEY(5),
    KEY(6),
    U64(trace_cost, value, "unit", 0),
};

static const struct trace_ragged prefix = {
    "prefix",
    "block id",
    "prefix_end",
    offsetof(struct trace_request, n_prefix),
    offsetof(struct trace_request, prefix),
    1u << 20,
    offsetof(struct trace_meta, prefix_blocks),
    "prefix_blocks",
};

static const struct trace_ragged util = {
    "util",
    "1/1000",
    "util_end",
    offsetof(struct trace_vm, n_util),
    offsetof(struct trace_vm, util),
    1u << 20,
    offsetof(struct trace_meta, util_values),
    "util_values",
};

static const struct trace_ragged depends = {
    "depends",
    "correlation",
    "depends_end",
    offsetof(struct trace_op, n_depends),
    offsetof(struct trace_op, depends),
    1u << 16,
    offsetof(struct trace_meta, depends_values),
    "depends_values",
};

#define TABLE(t, S, timed, ragged)                                                                 \
    {                                                                                              \
#t, sizeof(struct S), t, sizeof t / sizeof *t, timed, offsetof(struct trace_meta, t),      \
            ragged                                                                                 \
    }
const struct trace_schema trace_schemas[TRACE_TABLES] = {
    [TRACE_REQUESTS] = TABLE(requests, trace_request, true, &prefix),
    [TRACE_JOBS] = TABLE(jobs, trace_job, true, NULL),
    [TRACE_NODES] = TABLE(nodes, trace_node, false, NULL),
    [TRACE_IO] = TABLE(io, trace_io, true, NULL),
    [TRACE_PAGES] = TABLE(pages, trace_page, true, NULL),
    [TRACE_SCHED] = TABLE(sched, trace_sched, true, NULL),
    [TRACE_VMS] = TABLE(vms, trace_vm, true, &util),
    [TRACE_OPS] = TABLE(ops, trace_op, true, &depends),
    [TRACE_COSTS] = TABLE(costs, trace_cost, false, NULL),
};

_Static_assert(sizeof jobs / sizeof *jobs <= SCHEMA_COLUMNS &&
                   sizeof ops / sizeof *ops <= SCHEMA_COLUMNS,
               "SCHEMA_COLUMNS is too small");

uint64_t column_get(const struct trace_column *c, const void *record)
{
    const char *at = (const char *)record + c->offset;
    uint32_t narrow;
    uint64_t wide;
    if (c->width == 8) {
        memcpy(&wide, at, 8);
        return wide;
    }
    memcpy(&narrow, at, 4);
    return narrow;
}

void column_set(const struct trace_column *c, void *record, uint64_t v)
{
    char *at = (char *)record + c->offset;
    uint32_t narrow = (uint32_t)v;
    assert(c->width == 8 || v <= UINT32_MAX);
    memcpy(at, c->width == 8 ? (const void *)&v : (const void *)&narrow, c->width);
}

uint32_t ragged_get(const struct trace_ragged *g, const void *record, const uint64_t **values)
{
    uint32_t n;
    memcpy(&n, (const char *)record + g->count, sizeof n);
    memcpy(values, (const char *)record + g->values, sizeof *values);
    return n;
}

void ragged_set(const struct trace_ragged *g, void *record, const uint64_t *values, uint32_t n)
{
    memcpy((char *)record + g->count, &n, sizeof n);
    memcpy((char *)record + g->values, &values, sizeof values);
}

uint64_t *schema_rows(enum trace_table t, struct trace_meta *m)
{
    return (uint64_t *)(void *)((char *)m + trace_schemas[t].in_meta);
}

uint64_t *schema_values(enum trace_table t, struct trace_meta *m)
{
    const struct trace_ragged *g = trace_schemas[t].ragged;
    return g ? (uint64_t *)(void *)((char *)m + g->in_meta) : NULL;
}

uint64_t schema_meta_rows(const struct trace_meta *m)
{
    return m->requests + m->jobs + m->nodes + m->io + m->pages + m->sched + m->vms + m->ops +
           m->costs;
}

static unsigned char *pack_u64(unsigned char *to, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        *to++ = (unsigned char)(v >> 8 * i);
    return to;
}

static void digest_blocks(const uint64_t *v, uint32_t n, struct sha256 *s)
{
    unsigned char packed[8 * 64];
    for (uint32_t i = 0; i < n;) {
        unsigned char *to = packed;
        for (; i < n && to < packed + sizeof packed; i++)
            to = pack_u64(to, v[i]);
        sha256_add(s, packed, (size_t)(to - packed));
    }
}

/* One record is one call: feeding the digest eight bytes at a time costs as much as digesting. */
void schema_digest(enum trace_table t, const union trace_row *row, struct sha256 *s)
{
    const struct trace_schema *sc = &trace_schemas[t];
    unsigned char packed[8 * (SCHEMA_COLUMNS + 1)], *to = packed;
    for (unsigned i = 0; i < sc->n_columns; i++)
        to = pack_u64(to, column_get(&sc->columns[i], row));
    const uint64_t *values;
    uint32_t n = sc->ragged ? ragged_get(sc->ragged, row, &values) : 0;
    if (sc->ragged)
        to = pack_u64(to, n);
    sha256_add(s, packed, (size_t)(to - packed));
    if (n)
        digest_blocks(values, n, s);
}

void schema_digest_names(const struct trace_names *names, struct sha256 *s)
{
    for (uint32_t i = 0; names && i < names_count(names); i++) {
        const char *text = names_text(names, i);
        sha256_add(s, text, strlen(text) + 1);
    }
}
