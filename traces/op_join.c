/* op_join.c - two sorts: by correlation, to join; by time, to give out. */
#include "traces/op_join.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/op_waits.h"
#include "traces/spill.h"
#include "traces/spill_file.h"

/* Of rows of one time: calls without a correlation, other calls, then the device. */
enum { FIRST, CALL, DEVICE, RANKS = 4 };

struct group { /* what shares a correlation */
    uint64_t id;
    bool called, copied;
    struct op_raw call;
    uint32_t devices;
    uint64_t began_ns; /* the first device operation */
};

struct op_join {
    struct spill *by_correlation, *by_time;
    struct op_waits *waits;
    struct group group;
    uint64_t zero_ns, last_ns, nested;
    bool any;
    int depends_fd; /* of rows that come with theirs: -1 none */
    struct spill_outlet depends;
    uint64_t *list;
    uint32_t list_cap;
};

int op_join_new(struct op_join **out, struct err *e)
{
    struct op_join *j = *out = calloc(1, sizeof *j);
    if (!j)
        return err_set(e, ERR_ENOMEM, "out of memory");
    j->depends_fd = -1;
    int rc = spill_new(&j->by_correlation, sizeof(struct op_raw), SPILL_BYTES / 2, e);
    if (!rc)
        rc = spill_new(&j->by_time, sizeof(struct op_raw), SPILL_BYTES / 2, e);
    if (!rc && !(j->waits = op_waits_new()))
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (rc) {
        op_join_free(j);
        *out = NULL;
    }
    return rc;
}

void op_join_free(struct op_join *j)
{
    if (!j)
        return;
    spill_free(j->by_correlation);
    spill_free(j->by_time);
    op_waits_free(j->waits);
    if (j->depends_fd >= 0)
        close(j->depends_fd);
    free(j->depends.buf);
    free(j->list);
    free(j);
}

/* Lists are of any length, records are not: lists lie in a file of their own. */
static int put_depends(struct op_join *j, struct op_raw *r, struct err *e)
{
    int rc = 0;
    if (!r->op.n_depends)
        return 0;
    if (j->depends_fd < 0)
        rc = spill_open_file(&j->depends_fd, e);
    if (!rc && !j->depends.buf)
        rc = spill_outlet_open(&j->depends, j->depends_fd, 0, sizeof *r->op.depends, e);
    r->depends_at = j->depends.at + j->depends.have;
    for (uint32_t i = 0; !rc && i < r->op.n_depends; i++)
        rc = spill_outlet_put(&j->depends, &r->op.depends[i], sizeof *r->op.depends, e);
    return rc;
}

int op_join_add(struct op_join *j, const struct op_raw *raw, struct err *e)
{
    struct op_raw r = *raw;
    const struct trace_op *op = &r.op;
    assert(op->tenant <= OP_JOIN_TENANT &&
           (r.role == OP_ROW || op->correlation <= OP_JOIN_CORRELATION));
    int rc = r.role == OP_ROW ? put_depends(j, &r, e) : 0;
    if (rc)
        return rc;
    if (r.role != OP_NOTE) {
        j->zero_ns = !j->any || op->time_ns < j->zero_ns ? op->time_ns : j->zero_ns;
        j->last_ns = !j->any || op->time_ns > j->last_ns ? op->time_ns : j->last_ns;
        j->any = true;
    }
    r.op.depends = NULL;
    r.op.n_depends = r.role == OP_ROW ? r.op.n_depends : 0;
    r.key = r.role == OP_ROW ? 0 : (uint64_t)op->tenant << 52 | op->correlation << 2 | r.role;
    return spill_add(j->by_correlation, &r, e);
}

static int put(struct op_join *j, struct op_raw *r, struct err *e)
{
    unsigned rank = r->role == OP_DEVICE                          ? DEVICE
                    : r->role == OP_ROW || r->op.correlation == 0 ? FIRST
                                                                  : CALL;
    r->op.time_ns -= j->zero_ns;
    r->key = r->op.time_ns * RANKS + rank;
    return spill_add(j->by_time, r, e);
}

/* The host stood still in a copy that had ended when its call returned. */
static bool waited(const struct op_join *j)
{
    const struct op_raw *c = &j->group.call;
    return j->group.copied && j->group.devices == 1 &&
           c->ended_ns + j->zero_ns <= c->op.time_ns + c->op.duration_ns;
}

static int put_waited(struct op_join *j, struct op_raw *launch, uint64_t began_ns, struct err *e)
{
    struct op_raw sync = *launch;
    uint64_t end = launch->op.time_ns + launch->op.duration_ns;
    uint64_t cut = began_ns < launch->op.time_ns ? launch->op.time_ns : began_ns;
    cut = cut > end ? end : cut;
    launch->op.duration_ns = cut - launch->op.time_ns;
    sync.op.time_ns = cut;
    sync.op.duration_ns = end - cut;
    sync.op.kind = TRACE_OP_SYNC;
    sync.record = launch->op.correlation;
    sync.op.n_depends = 1;
    sync.op.correlation = 0;
    int rc = put(j, launch, e);
    return rc ? rc : put(j, &sync, e);
}

static int put_call(struct op_join *j, struct op_raw *c, struct err *e)
{
    c->op.kind = c->wait == OP_WAIT_STREAM || c->wait == OP_WAIT_DEVICE || c->wait == OP_WAIT_EVENT
                     ? TRACE_OP_SYNC
                     : TRACE_OP_CPU;
    return put(j, c, e);
}

static int end_group(struct op_join *j, struct err *e)
{
    struct group *g = &j->group;
    if (!g->called)
        return 0;
    g->called = false;
    if (!g->devices)
        return put_call(j, &g->call, e);
    g->call.op.kind = TRACE_OP_LAUNCH;
    g->call.wait = OP_WAIT_NONE;
    return waited(j) ? put_waited(j, &g->call, g->began_ns, e) : put(j, &g->call, e);
}

static bool outer(const struct trace_op *a, const struct trace_op *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->duration_ns > b->duration_ns;
}

static int join_call(struct group *g, const struct op_raw *r, uint64_t *nested)
{
    *nested += g->called;
    if (!g->called || outer(&r->op, &g->call.op))
        g->call = *r;
    g->called = true;
    return 0;
}

static int join_note(struct group *g, const struct op_raw *r)
{
    if (!g->called)
        return 0;
    g->call.wait = r->wait;
    g->call.device = r->device;
    g->call.stream = r->stream;
    g->call.event_stream = r->event_stream;
    g->call.record = r->record;
    return 0;
}

/* A graph launches into many streams: all but the last are told by rows of their own. */
static int join_device(struct op_join *j, struct op_raw *r, struct err *e)
{
    struct group *g = &j->group;
    struct op_raw *c = &g->call;
    uint64_t end = r->op.time_ns + r->op.duration_ns - j->zero_ns;
    int rc = 0;
    r->launched_ns = TRACE_TIME_NONE;
    if (g->called) {
        bool same = g->devices && c->device == r->op.device && c->stream == r->op.stream;
        if (g->devices && !same) {
            struct op_raw queued = *c;
            queued.role = OP_QUEUED_;
            rc = put(j, &queued, e);
        }
        c->ended_ns = same && c->ended_ns > end ? c->ended_ns : end;
        c->device = r->op.device;
        c->stream = r->op.stream;
        g->copied = r->op.kind >= TRACE_OP_H2D && r->op.kind <= TRACE_OP_P2P;
        g->began_ns = r->op.time_ns;
        g->devices++;
        r->launched_ns = c->op.time_ns - j->zero_ns;
    }
    return rc ? rc : put(j, r, e);
}

static int join(struct op_join *j, struct op_raw *r, struct err *e)
{
    struct group *g = &j->group;
    if (r->role == OP_ROW)
        return put(j, r, e);
    if (r->key >> 2 != g->id || r->op.correlation == 0) {
        int rc = end_group(j, e);
        if (rc)
            return rc;
        *g = (struct group){.id = r->key >> 2};
    }
    return r->role == OP_CALL   ? join_call(g, r, &j->nested)
           : r->role == OP_NOTE ? join_note(g, r)
                                : join_device(j, r, e);
}

static int join_all(struct op_join *j, struct err *e)
{
    struct op_raw r;
    int rc = spill_sort(j->by_correlation, e);
    while (!rc && (rc = spill_next(j->by_correlation, &r, e)) == 1)
        rc = join(j, &r, e);
    if (!rc)
        rc = end_group(j, e);
    spill_free(j->by_correlation);
    j->by_correlation = NULL;
    if (!rc && j->depends.buf)
        rc = spill_outlet_flush(&j->depends, e);
    return rc ? rc : spill_sort(j->by_time, e);
}

int op_join_sort_from(struct op_join *j, uint64_t zero_ns, struct err *e)
{
    assert(!j->any || zero_ns <= j->zero_ns);
    j->zero_ns = zero_ns;
    if (j->last_ns - zero_ns > UINT64_MAX / RANKS - OP_JOIN_CLOCK_NS)
        return err_set(e, ERR_ERANGE, "got rows %.3g s apart, want at most %.3g s",
                       (double)(j->last_ns - zero_ns) * 1e-9, (double)(UINT64_MAX / RANKS) * 1e-9);
    return join_all(j, e);
}

int op_join_sort(struct op_join *j, uint64_t *zero_ns, struct err *e)
{
    *zero_ns = j->zero_ns;
    return op_join_sort_from(j, j->zero_ns, e);
}

static int get_depends(struct op_join *j, struct op_raw *r, struct err *e)
{
    uint32_t n = r->op.n_depends;
    if (n > j->list_cap) {
        uint64_t *more = realloc(j->list, n * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory");
        j->list = more;
        j->list_cap = n;
    }
    r->op.depends = j->list;
    return n ? spill_read_all(j->depends_fd, (unsigned char *)j->list, n * sizeof *j->list,
                              r->depends_at, e)
             : 0;
}

static int resolve(struct op_join *j, struct op_raw *r, struct err *e)
{
    if (r->role == OP_ROW)
        return get_depends(j, r, e);
    if (r->role == OP_DEVICE)
        return op_waits_device(j->waits, r, e);
    if (r->role == OP_QUEUED_ || r->op.kind == TRACE_OP_LAUNCH)
        return op_waits_launch(j->waits, r, e);
    if (r->op.kind == TRACE_OP_SYNC)
        return op_waits_sync(j->waits, r, e);
    if (r->wait == OP_WAIT_RECORD)
        return op_waits_record(j->waits, r, e);
    return r->wait == OP_WAIT_IN_STREAM ? op_waits_in_stream(j->waits, r, e) : 0;
}

int op_join_next(struct op_join *j, struct trace_op *out, struct err *e)
{
    struct op_raw r;
    int rc;
    do {
        if ((rc = spill_next(j->by_time, &r, e)) <= 0)
            return rc;
        if ((rc = resolve(j, &r, e)))
            return rc;
    } while (r.role == OP_QUEUED_);
    *out = r.op;
    return 1;
}

uint64_t op_join_nested(const struct op_join *j)
{
    return j->nested;
}

enum op_wait op_wait_named(const char *call)
{
    static const struct {
        const char *part;
        enum op_wait wait;
    } known[] = {{"StreamSynchronize", OP_WAIT_STREAM},  {"DeviceSynchronize", OP_WAIT_DEVICE},
                 {"CtxSynchronize", OP_WAIT_DEVICE},     {"EventSynchronize", OP_WAIT_EVENT},
                 {"StreamWaitEvent", OP_WAIT_IN_STREAM}, {"EventRecord", OP_WAIT_RECORD}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(call, known[i].part))
            return known[i].wait;
    return OP_WAIT_NONE;
}

bool op_collective_named(const char *kernel)
{
    return !strncmp(kernel, "nccl", 4) || !strncmp(kernel, "rccl", 4);
}
