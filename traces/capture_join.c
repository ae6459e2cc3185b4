/* capture_join.c - a call with what it did; see capture_raw.h */
#include <string.h>

#include "traces/capture_raw.h"

struct group { /* of one correlation of one process */
    struct spill *to;
    uint64_t key, zero;
    uint32_t lane; /* of what was launched first; CAPTURE_NO_LANE: nothing yet */
    bool called;
    struct capture_item call; /* the outermost: a call of the runtime is around the driver's */
};

static int emit(struct group *g, struct capture_item it, struct err *e)
{
    it.key = it.begin;
    g->zero = it.begin < g->zero ? it.begin : g->zero;
    return spill_add(g->to, &it, e);
}

static void keep_longer(struct group *g, const struct capture_item *it)
{
    if (!g->called || it->end - it->begin > g->call.end - g->call.begin)
        g->call = *it;
    g->called = true;
}

/* When, where and by what name the host did it. */
static struct capture_item by_call(const struct group *g, struct capture_item it)
{
    if (g->called) {
        it.begin = g->call.begin;
        it.end = g->call.end;
        it.thread = g->call.thread;
        it.name = g->call.name;
    }
    return it;
}

static int join_sync(struct group *g, const struct capture_item *it, struct err *e)
{
    if (it->what == CAPTURE_EVENT && !g->called)
        return 0; /* nobody knows when */
    return emit(g, by_call(g, *it), e);
}

/* A copy that was over before its call was: the call waited for it. */
static bool blocking(const struct group *g, const struct capture_item *it)
{
    return it->kind != TRACE_OP_KERNEL && it->kind != TRACE_OP_COMM && it->begin > g->call.begin &&
           it->end <= g->call.end;
}

static int join_launch(struct group *g, const struct capture_item *it, bool waits, struct err *e)
{
    struct capture_item launch = by_call(g, *it);
    launch.what = g->lane == CAPTURE_NO_LANE ? CAPTURE_LAUNCH : CAPTURE_SUBMIT;
    if (waits)
        launch.end = it->begin;
    return emit(g, launch, e);
}

static int join_wait(struct group *g, const struct capture_item *it, struct err *e)
{
    struct capture_item wait = by_call(g, *it);
    wait.begin = it->begin;
    wait.what = CAPTURE_SYNC;
    wait.kind = CAPTURE_SYNC_OP;
    return emit(g, wait, e);
}

static int join_device(struct group *g, const struct capture_item *it, struct err *e)
{
    struct capture_item op = *it;
    bool waits = g->called && g->lane == CAPTURE_NO_LANE && blocking(g, it);
    int rc = 0;
    op.launched = g->called;
    if (g->called && g->lane != it->lane)
        rc = join_launch(g, it, waits, e);
    if (!rc)
        rc = emit(g, op, e);
    if (!rc && waits)
        rc = join_wait(g, it, e);
    g->lane = it->lane;
    return rc;
}

static int join(struct group *g, const struct capture_item *it, struct err *e)
{
    uint64_t key = it->key >> 16;
    if (key != g->key || !it->correlation) { /* 0: of nothing in particular */
        g->key = key;
        g->called = false;
        g->lane = CAPTURE_NO_LANE;
    }
    if (it->what == CAPTURE_CALL) {
        keep_longer(g, it);
        return 0;
    }
    return it->what == CAPTURE_DEVICE ? join_device(g, it, e) : join_sync(g, it, e);
}

int capture_join(struct spill *from, struct spill *to, uint64_t *zero, struct err *e)
{
    struct group g = {.to = to, .key = UINT64_MAX, .zero = UINT64_MAX, .lane = CAPTURE_NO_LANE};
    struct capture_item it;
    int rc;
    memset(&it, 0, sizeof it);
    while ((rc = spill_next(from, &it, e)) == 1)
        if ((rc = join(&g, &it, e)))
            return rc;
    *zero = g.zero == UINT64_MAX ? 0 : g.zero;
    return rc ? rc : spill_sort(to, e);
}
