/* import_nsys_rows.c - what a row of each table says. */
#include <stdlib.h>
#include <string.h>

#include "traces/import_nsys.h"

#define TID_BITS  24 /* of a global id: host, virtual machine, process, thread */
#define TIME_MAX  (UINT64_C(1) << 61)
#define NO_STREAM UINT32_MAX

/* What every table of operations has, and what is its own behind it. */
enum { START, END, DEVICE_ID, CONTEXT, STREAM, CORRELATION, PID, OWN };
#define SPAN                                                                                       \
    {"start", TIME_MAX, true, false},                                                              \
    {                                                                                              \
        "end", TIME_MAX, true, false                                                               \
    }
#define PLACE                                                                                      \
    SPAN, {"deviceId", OP_JOIN_DEVICE, true, false}, {"contextId", UINT32_MAX, false, false},      \
        {"streamId", UINT32_MAX - 1, true, false},                                                 \
        {"correlationId", OP_JOIN_CORRELATION, false, false},                                      \
    {                                                                                              \
        "globalPid", INT64_MAX, false, false                                                       \
    }
#define COUNT(name)                                                                                \
    {                                                                                              \
        name, UINT32_MAX, false, false                                                             \
    }

enum { GRID_X = OWN, GRID_Y, GRID_Z, BLOCK_X, BLOCK_Y, BLOCK_Z, REGISTERS, STATIC, DYNAMIC };
static const struct nsys_column kernel_columns[] = {PLACE,
                                                    COUNT("gridX"),
                                                    COUNT("gridY"),
                                                    COUNT("gridZ"),
                                                    COUNT("blockX"),
                                                    COUNT("blockY"),
                                                    COUNT("blockZ"),
                                                    COUNT("registersPerThread"),
                                                    COUNT("staticSharedMemory"),
                                                    COUNT("dynamicSharedMemory"),
                                                    {0}};

enum { BYTES = OWN, COPY_KIND, FROM, TO };
static const struct nsys_column copy_columns[] = {PLACE,
                                                  {"bytes", INT64_MAX, true, false},
                                                  COUNT("copyKind"),
                                                  COUNT("srcDeviceId"),
                                                  COUNT("dstDeviceId"),
                                                  {0}};
static const struct nsys_column memset_columns[] = {PLACE, {"bytes", INT64_MAX, true, false}, {0}};
static const struct nsys_column graph_columns[] = {PLACE, {0}};

enum { CALL_CORRELATION = END + 1, CALL_TID };
static const struct nsys_column call_columns[] = {
    SPAN,
    {"correlationId", OP_JOIN_CORRELATION, false, false},
    {"globalTid", INT64_MAX, false, false},
    {0}};

enum {
    SYNC_TYPE,
    SYNC_DEVICE,
    SYNC_CONTEXT,
    SYNC_STREAM,
    SYNC_CORRELATION,
    SYNC_PID,
    RECORDED_BY,
    RECORDED_IN
};
static const struct nsys_column sync_columns[] = {
    {"syncType", UINT32_MAX, true, false},
    {"deviceId", OP_JOIN_DEVICE, false, false},
    {"contextId", UINT32_MAX, false, false},
    {"streamId", UINT32_MAX, false, false},
    {"correlationId", OP_JOIN_CORRELATION, false, false},
    {"globalPid", INT64_MAX, false, false},
    {"correlationId", OP_JOIN_CORRELATION, false, true},
    {"streamId", UINT32_MAX - 1, false, true},
    {0}};

const struct nsys_query nsys_queries[] = {
    {NSYS_CUPTI "KERNEL", kernel_columns, {"shortName", "demangledName"}, NULL, {NULL, NULL}},
    {NSYS_CUPTI "GRAPH_TRACE", graph_columns, {NULL, NULL}, NULL, {NULL, NULL}},
    {NSYS_CUPTI "MEMCPY", copy_columns, {NULL, NULL}, NULL, {NULL, NULL}},
    {NSYS_CUPTI "MEMSET", memset_columns, {NULL, NULL}, NULL, {NULL, NULL}},
    {NSYS_CUPTI "RUNTIME", call_columns, {"nameId", NULL}, NULL, {NULL, NULL}},
    {NSYS_CUPTI "SYNCHRONIZATION",
     sync_columns,
     {NULL, NULL},
     NSYS_CUPTI "CUDA_EVENT",
     {"eventSyncId", "globalPid"}},
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

static int tenant_of(struct nsys *n, uint64_t global, uint32_t *out, struct err *e)
{
    uint64_t pid = n->one_process ? 0 : global >> TID_BITS;
    for (*out = 0; *out < n->pids; ++*out)
        if (n->pid[*out] == pid)
            return 0;
    if (n->pids > OP_JOIN_TENANT)
        return err_set(e, ERR_ERANGE, "%s: got operations of more than %u processes, want fewer",
                       n->im->path, OP_JOIN_TENANT + 1);
    uint64_t *more = realloc(n->pid, (n->pids + 1) * sizeof *more);
    if (!more)
        return no_memory(e);
    n->pid = more;
    n->pid[n->pids++] = pid;
    return 0;
}

static struct nsys_context *context_of(struct nsys *n, uint64_t tenant, uint64_t id)
{
    for (uint32_t i = 0; i < n->contexts; i++)
        if (n->context[i].tenant == tenant && n->context[i].id == id)
            return &n->context[i];
    return NULL;
}

static void remember_context(struct nsys *n, const struct trace_op *op)
{
    uint64_t id;
    if (!nsys_db_get(n->db, CONTEXT, &id) || n->contexts == NSYS_CONTEXTS ||
        context_of(n, op->tenant, id))
        return;
    n->context[n->contexts++] = (struct nsys_context){op->tenant, id, op->device};
}

static uint32_t small(const struct nsys *n, int column)
{
    uint64_t v;
    nsys_db_get(n->db, column, &v);
    return (uint32_t)v;
}

static int label(struct nsys *n, const char *text, uint32_t *id, struct err *e)
{
    *id = text ? names_id(n->texts, text, strlen(text)) : TRACE_NAME_NONE;
    return text && *id == TRACE_NAME_NONE ? no_memory(e) : 0;
}

static int span(struct nsys *n, struct trace_op *op, struct err *e)
{
    uint64_t end;
    nsys_db_get(n->db, START, &op->time_ns);
    nsys_db_get(n->db, END, &end);
    if (end < op->time_ns)
        return nsys_db_complain(n->db, "end", "a time not before start", e);
    op->duration_ns = end - op->time_ns;
    return 0;
}

/* What all operations of devices have. */
static int place(struct nsys *n, struct op_raw *r, struct err *e)
{
    struct trace_op *op = &r->op;
    uint64_t global;
    int rc = span(n, op, e);
    nsys_db_get(n->db, PID, &global);
    if (rc || (rc = tenant_of(n, global, &op->tenant, e)))
        return rc;
    r->role = OP_DEVICE;
    op->name = TRACE_NAME_NONE;
    op->device = small(n, DEVICE_ID);
    op->stream = small(n, STREAM);
    nsys_db_get(n->db, CORRELATION, &op->correlation);
    remember_context(n, op);
    return 0;
}

/* false: it does not fit. */
static bool product(const struct nsys *n, int first, uint64_t max, uint64_t *out)
{
    *out = 1;
    for (int i = first; i < first + 3; i++) {
        uint64_t v;
        nsys_db_get(n->db, i, &v);
        if (v && *out > max / v)
            return false;
        *out *= v;
    }
    return true;
}

static int kernel(struct nsys *n, struct op_raw *r, struct err *e)
{
    struct trace_op *op = &r->op;
    const char *name = nsys_db_name(n->db);
    uint64_t block, smem = (uint64_t)small(n, STATIC) + small(n, DYNAMIC);
    if (!product(n, GRID_X, UINT64_MAX, &op->grid))
        return nsys_db_complain(n->db, "gridX", "a grid of fewer than 2^64 blocks", e);
    if (!product(n, BLOCK_X, UINT32_MAX, &block))
        return nsys_db_complain(n->db, "blockX", "a block of fewer than 2^32 threads", e);
    if (smem > UINT32_MAX)
        return nsys_db_complain(n->db, "dynamicSharedMemory", "less than 4 GiB a block", e);
    op->kind = name && op_collective_named(name) ? TRACE_OP_COMM : TRACE_OP_KERNEL;
    op->block = (uint32_t)block;
    op->registers = small(n, REGISTERS);
    op->smem = (uint32_t)smem;
    return label(n, name, &op->name, e);
}

/* CUpti_ActivityMemcpyKind: arrays are device memory; 11..13 are migrations of managed memory. */
static uint32_t copy_kind(uint32_t kind, uint32_t from, uint32_t to)
{
    static const uint32_t kinds[] = {TRACE_OP_D2D, TRACE_OP_H2D,   TRACE_OP_D2H, TRACE_OP_H2D,
                                     TRACE_OP_D2H, TRACE_OP_D2D,   TRACE_OP_D2D, TRACE_OP_D2D,
                                     TRACE_OP_D2D, TRACE_OP_KINDS, TRACE_OP_P2P, TRACE_OP_H2D,
                                     TRACE_OP_D2H, TRACE_OP_D2D};
    uint32_t k = kind < sizeof kinds / sizeof *kinds ? kinds[kind] : TRACE_OP_D2D;
    return k == TRACE_OP_D2D && from != to ? TRACE_OP_P2P : k;
}

static int copy(struct nsys *n, struct op_raw *r, struct err *e)
{
    (void)e;
    uint64_t from = 0, to = 0;
    bool both = nsys_db_get(n->db, FROM, &from) && nsys_db_get(n->db, TO, &to);
    nsys_db_get(n->db, BYTES, &r->op.bytes);
    r->op.kind = copy_kind(small(n, COPY_KIND), both ? (uint32_t)from : 0, both ? (uint32_t)to : 0);
    return 0;
}

static int memory_set(struct nsys *n, struct op_raw *r, struct err *e)
{
    (void)e;
    nsys_db_get(n->db, BYTES, &r->op.bytes);
    r->op.kind = TRACE_OP_MEMSET;
    return 0;
}

static int graph(struct nsys *n, struct op_raw *r, struct err *e)
{
    r->op.kind = TRACE_OP_KERNEL;
    return label(n, "CUDA graph", &r->op.name, e);
}

static int call(struct nsys *n, struct op_raw *r, struct err *e)
{
    struct trace_op *op = &r->op;
    const char *name = nsys_db_name(n->db);
    uint64_t global;
    int rc = span(n, op, e);
    nsys_db_get(n->db, CALL_TID, &global);
    if (rc || (rc = tenant_of(n, global, &op->tenant, e)))
        return rc;
    nsys_db_get(n->db, CALL_CORRELATION, &op->correlation);
    r->role = OP_CALL;
    r->wait = name ? op_wait_named(name) : OP_WAIT_NONE;
    r->device = r->stream = r->event_stream = TRACE_NAME_NONE;
    op->device = TRACE_NAME_NONE;
    op->stream = (uint32_t)(global & ((1u << TID_BITS) - 1));
    return label(n, name, &op->name, e);
}

/* CUpti_ActivitySynchronizationType. */
static int note(struct nsys *n, struct op_raw *r, struct err *e)
{
    static const uint32_t waits[] = {OP_WAIT_NONE, OP_WAIT_EVENT, OP_WAIT_IN_STREAM, OP_WAIT_STREAM,
                                     OP_WAIT_DEVICE};
    uint32_t type = small(n, SYNC_TYPE), device = small(n, SYNC_DEVICE);
    uint64_t global, context, stream, event_stream;
    nsys_db_get(n->db, SYNC_PID, &global);
    int rc = tenant_of(n, global, &r->op.tenant, e);
    if (rc)
        return rc;
    const struct nsys_context *c =
        nsys_db_get(n->db, SYNC_CONTEXT, &context) ? context_of(n, r->op.tenant, context) : NULL;
    r->role = OP_NOTE;
    nsys_db_get(n->db, SYNC_CORRELATION, &r->op.correlation);
    r->wait = type < sizeof waits / sizeof *waits ? waits[type] : OP_WAIT_NONE;
    r->device = c ? c->device : device;
    r->stream = nsys_db_get(n->db, SYNC_STREAM, &stream) ? (uint32_t)stream : NO_STREAM;
    nsys_db_get(n->db, RECORDED_BY, &r->record);
    r->event_stream =
        nsys_db_get(n->db, RECORDED_IN, &event_stream) ? (uint32_t)event_stream : TRACE_NAME_NONE;
    return 0;
}

static int (*const readers[NSYS_QUERIES])(struct nsys *, struct op_raw *, struct err *) = {
    kernel, graph, copy, memory_set, call, note};

int nsys_raw(struct nsys *n, int which, struct op_raw *r, struct err *e)
{
    memset(r, 0, sizeof *r);
    int rc = which < NSYS_CALLS ? place(n, r, e) : 0;
    if (rc || (rc = readers[which](n, r, e)))
        return rc;
    if (which < NSYS_CALLS && r->op.kind == TRACE_OP_KINDS)
        n->left_out++;
    bool of_no_use = r->role == OP_NOTE && (r->wait == OP_WAIT_NONE || !r->op.correlation);
    return !of_no_use && (which >= NSYS_CALLS || r->op.kind != TRACE_OP_KINDS);
}
