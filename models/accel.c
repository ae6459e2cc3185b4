/* gpu.c - whose turn it is on the GPU. */
#include "models/accel.h"

#include <assert.h>

void accel_begin(struct accel *g, struct sim *s)
{
    *g = (struct accel){.sim = s};
}

void accel_turns(struct accel *g, sim_time turn)
{
    assert(!g->tenant && !g->side_until);
    g->turn = turn;
}

static void tenant_done(void *ctx, uint64_t arg)
{
    struct accel *g = ctx;
    assert(g->running && g->end == sim_now(g->sim));
    g->running = false;
    g->busy_ps += g->work_ps;
    g->done(g->ctx, arg);
}

static void start(struct accel *g, sim_time at, sim_time work, sim_cost work_ps, sim_fn *done,
                  void *ctx)
{
    assert(!g->running);
    g->done = done;
    g->ctx = ctx;
    g->running = g->tenant = true;
    g->started = at;
    g->work = work;
    g->work_ps = work_ps;
    g->end = at + work;
    g->ev = sim_at(g->sim, g->end, 1, tenant_done, g, 0);
}

void accel_run(struct accel *g, sim_time work, sim_cost work_ps, sim_fn *done, void *ctx)
{
    const sim_time now = sim_now(g->sim), turn = g->side_last ? g->turn : 0;
    g->side_last = false;
    start(g, (g->side_until > now ? g->side_until : now) + turn, work, work_ps, done, ctx);
}

void accel_resume(struct accel *g, sim_time started, sim_time work, sim_cost work_ps, sim_fn *done,
                  void *ctx)
{
    assert(started <= sim_now(g->sim) && g->side_until <= started);
    start(g, started, work, work_ps, done, ctx);
}

void accel_credit(struct accel *g, sim_cost work_ps)
{
    assert(!g->running);
    g->tenant = true;
    g->busy_ps += work_ps;
}

/* Delays the tenant's end by what the small kernel takes from it. */
static void push_tenant(struct accel *g, sim_time by)
{
    bool was_pending = sim_cancel(g->sim, g->ev);
    assert(was_pending);
    (void)was_pending;
    g->end += by;
    g->ev = sim_at(g->sim, g->end, 1, tenant_done, g, 0);
}

void accel_side(struct accel *g, sim_cost work_ps, sim_time slice, sim_time cost, sim_fn *done,
                void *ctx, uint64_t arg)
{
    sim_time now = sim_now(g->sim), work = (work_ps + 999) / 1000;
    sim_time begin = now;
    if (g->side_until > now) { /* behind another small kernel: its switch is already paid */
        begin = g->side_until;
        if (g->running && g->end > begin)
            push_tenant(g, work);
    } else if (g->running) {
        sim_time left = g->end - now;
        if (left <= slice) { /* the tenant ends first */
            begin = g->end + g->turn;
        } else {
            begin = now + slice + cost;
            push_tenant(g, cost + work + g->turn);
        }
    } else if (g->tenant && !g->side_last) {
        begin = now + g->turn;
    }
    g->side_until = begin + work;
    g->side_last = !g->running || g->end <= g->side_until;
    g->busy_ps += work_ps;
    sim_at(g->sim, g->side_until, 0, done, ctx, arg);
}

sim_cost accel_busy(const struct accel *g)
{
    sim_time now = sim_now(g->sim);
    if (!g->running || now <= g->started)
        return g->busy_ps;
    sim_cost ran = (now - g->started) * 1000;
    return g->busy_ps + (ran < g->work_ps ? ran : g->work_ps);
}

bool accel_tenant_seen(const struct accel *g)
{
    return g->tenant;
}
