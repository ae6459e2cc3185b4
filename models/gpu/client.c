#include "models/gpu/client.h"

#include <stdlib.h>

#include "models/gpu/client_state.h"

/* An alone run of a tenant that has no count, so that there is something to compare with. */
enum { ALONE_LOOPS = 10, ALONE_ARRIVALS = 200 };

struct client *client_next(const struct client *c)
{
    return c->next;
}

static void from_line(void *ctx, uint64_t unused);

/* ---- iterations ----------------------------------------------------------------------- */

static int next_op(void *ctx, uint64_t number, struct plan_op *op, struct err *e)
{
    const struct client *c = ctx;
    (void)e;
    if (number == c->program->n)
        return 0;
    *op = c->program->op[number];
    return 1;
}

static struct lane *lane_of(void *ctx, uint32_t queue)
{
    struct client *c = ctx;
    struct lane *l = &c->lane[queue];
    if (!l->stream && !l->dispatched)
        if (board_lane(c->seat[c->program->device[queue]], l, c->run->e))
            return NULL;
    return l;
}

/* When the next request comes, for oracles. */
static void expect(struct client *c, sim_time next)
{
    for (uint32_t i = 0; i < c->program->devices; i++)
        board_expect(c->seat[i], next);
}

static void begin(struct client *c, sim_time came)
{
    sim_time now = sim_now(c->run->sim);
    if (c->arrival == ARRIVE_LOOP)
        expect(c, 0);
    c->busy = true;
    c->came = came;
    c->began = now;
    if (c->ended == c->set->warmup)
        c->from = c->arrival == ARRIVE_LOOP ? now : came;
    for (uint32_t i = 0; i < c->program->devices; i++)
        board_request(c->seat[i], came, c->set->deadline ? came + c->set->deadline : 0);
    timeline_start(c->timeline);
}

static void again(void *ctx, uint64_t unused)
{
    (void)unused;
    struct client *c = ctx;
    if (moves_may_begin(c))
        begin(c, sim_now(c->run->sim));
}

void client_leave(struct client *c)
{
    if (c->done)
        return;
    c->done = true;
    for (uint32_t i = 0; i < c->program->devices; i++)
        if (c->seat[i])
            board_leave(c->seat[i]);
    if (!c->set->background || c->run->only != GPU_ALL)
        gpu_run_done(c->run);
}

static void measure(struct client *c, sim_time now)
{
    if (c->ended++ < c->set->warmup)
        return;
    c->to = now;
    c->score->iterations++;
    sketch_add(c->score->latency, (double)(now - c->came) / 1e6);
    sketch_add(c->score->service, (double)(now - c->began) / 1e6);
}

static void iteration_ended(void *ctx, int rc)
{
    struct client *c = ctx;
    sim_time now = sim_now(c->run->sim);
    if (rc) {
        gpu_run_fail(c->run, rc);
        return;
    }
    c->busy = false;
    measure(c, now);
    for (uint32_t i = 0; i < c->program->devices; i++)
        board_answered(c->seat[i], now);
    if (c->count && c->ended == c->count) {
        client_leave(c);
    } else if (c->move.state == MOVE_QUIESCES) {
        c->move.due = true;
        moves_idle(c);
    } else if (c->arrival == ARRIVE_LOOP) {
        sim_after(c->run->sim, c->set->think, 0, again, c, 0);
        expect(c, now + c->set->think);
    } else if (c->waiting.head < c->waiting.tail) {
        c->busy = true;
        sim_after(c->run->sim, 0, 0, from_line, c, 0);
    } else {
        client_no_more(c);
    }
}

void client_no_more(struct client *c)
{
    if (c->arrival == ARRIVE_TRACE && c->run->requests_ended && !c->busy &&
        c->waiting.head == c->waiting.tail)
        client_leave(c);
}

/* ---- arrivals --------------------------------------------------------------------------- */

static bool wait_in_line(struct client *c, sim_time at)
{
    struct waiting *w = &c->waiting;
    if (w->tail - w->head == w->cap) {
        uint64_t cap = w->cap ? 2 * w->cap : 16;
        sim_time *more = malloc(cap * sizeof *more);
        if (!more)
            return false;
        for (uint64_t i = w->head; i < w->tail; i++)
            more[i % cap] = w->at[i % w->cap];
        free(w->at);
        w->at = more;
        w->cap = cap;
    }
    w->at[w->tail++ % w->cap] = at;
    return true;
}

static void from_line(void *ctx, uint64_t unused)
{
    (void)unused;
    struct client *c = ctx;
    if (!moves_may_begin(c)) {
        c->busy = false;
        moves_idle(c);
        return;
    }
    begin(c, c->waiting.at[c->waiting.head++ % c->waiting.cap]);
}

static void arrive(struct client *c)
{
    c->arrived++;
    if (!wait_in_line(c, sim_now(c->run->sim)))
        gpu_run_fail(c->run, err_set(c->run->e, ERR_ENOMEM, "gpu: out of memory"));
    else if (!c->busy)
        from_line(c, 0);
}

void client_again(struct client *c)
{
    const bool due = c->move.due;
    c->move.due = false;
    if (c->arrival != ARRIVE_LOOP && c->waiting.head < c->waiting.tail)
        from_line(c, 0);
    else if (c->arrival == ARRIVE_LOOP && due)
        again(c, 0);
    else
        client_no_more(c);
}

static void plan_arrival(struct client *c);
static void on_arrival(void *ctx, uint64_t unused)
{
    (void)unused;
    arrive(ctx);
    plan_arrival(ctx);
}

static void plan_arrival(struct client *c)
{
    const struct gpu_client_setup *set = c->set;
    sim_time gap = 0;
    if (c->count && c->arrived == c->count) {
        expect(c, UINT64_MAX);
        return;
    }
    if (c->arrival == ARRIVE_LIST) {
        double at = 0;
        int rc = config_f64(config_at(set->list, c->arrived), 0, 1e9, &at, c->run->e);
        if (rc)
            gpu_run_fail(c->run, rc);
        sim_time when = set->start + (sim_time)(at * 1e9 + 0.5);
        sim_at(c->run->sim, when, 0, on_arrival, c, 0);
        expect(c, when);
        return;
    }
    double mean = 1e9 / set->rate;
    gap = (sim_time)((c->arrival == ARRIVE_POISSON ? rng_exponential(&c->arrivals, mean) : mean) +
                     0.5);
    sim_after(c->run->sim, gap, 0, on_arrival, c, 0);
    expect(c, sim_now(c->run->sim) + gap);
}

void client_request(struct client *c, const struct trace_request *q)
{
    const struct gpu_client_setup *set = c->set;
    if (c->arrival != ARRIVE_TRACE || c->done || (c->count && c->arrived == c->count))
        return;
    if (set->trace_tenant == GPU_ANYONE || set->trace_tenant == q->tenant)
        arrive(c);
}

static void first(void *ctx, uint64_t unused)
{
    (void)unused;
    struct client *c = ctx;
    if (c->arrival == ARRIVE_LOOP)
        again(c, 0);
    else
        plan_arrival(c);
}

void client_start(struct client *c)
{
    if (c->no_room)
        client_leave(c);
    else if (c->arrival != ARRIVE_TRACE)
        sim_at(c->run->sim, c->set->start, 0, first, c, 0);
}

/* ---- life ------------------------------------------------------------------------------------ */

int client_lane(struct client *c, uint32_t queue)
{
    return lane_of(c, queue) ? 0 : c->run->e->code;
}

int client_sit(struct client *c, uint32_t device)
{
    struct gpu_run *r = c->run;
    const struct gpu_client_setup *set = c->set;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < c->program->devices; i++) {
        struct board *b = gpu_run_board(r, device + i);
        const struct board_seat_want want = {.id = r->ids,
                                             .partition = set->partition,
                                             .weight = set->weight,
                                             .sms_milli = r->only == GPU_ALL ? set->sms_milli : 0,
                                             .prio = set->prio,
                                             .memory = set->memory};
        bool no_room = false;
        rc = b ? board_seat(b, &want, &c->seat[i], &no_room, r->e) : r->rc;
        c->no_room |= no_room;
    }
    c->score->no_room |= c->no_room;
    r->ids++;
    return rc;
}

static uint64_t count_of(const struct client *c)
{
    const struct gpu_client_setup *set = c->set;
    if (c->arrival == ARRIVE_LIST && !set->count)
        return config_count(set->list);
    if (c->run->only == GPU_ALL || set->count)
        return set->count;
    return set->warmup + (c->arrival == ARRIVE_LOOP ? ALONE_LOOPS : ALONE_ARRIVALS);
}

static int open_client(struct client *c, size_t i, uint32_t copy)
{
    struct gpu_run *r = c->run;
    c->arrival = c->set->arrival;
    if (c->arrival == ARRIVE_TRACE && r->only != GPU_ALL)
        c->arrival = ARRIVE_LOOP; /* the trace is for the run that counts */
    c->count = count_of(c);
    rng_init_indexed(&c->arrivals, r->m->env->seed, "gpu", "arrivals", i * GPU_COPIES_MAX + copy);
    const struct timeline_host host = {
        .ctx = c, .next = next_op, .lane = lane_of, .ended = iteration_ended, .e = r->e};
    uint64_t window = c->program->n < r->m->set.window ? c->program->n : r->m->set.window;
    c->timeline = timeline_new(r->sim, &host, (uint32_t)window);
    c->seat = calloc(c->program->devices, sizeof *c->seat);
    c->lane = calloc(c->program->queues, sizeof *c->lane);
    if (!c->timeline || !c->seat || !c->lane)
        return err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    r->busy += !c->set->background || r->only != GPU_ALL;
    return client_sit(c, c->set->device);
}

int client_new(struct gpu_run *r, size_t i, uint32_t copy)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        return err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    c->run = r;
    c->set = &r->m->set.client[i];
    c->program = &r->m->program[r->m->of[i]];
    c->score = &r->score[i];
    struct client **end = &r->clients;
    while (*end)
        end = &(*end)->next;
    *end = c;
    return open_client(c, i, copy);
}

void client_free(struct client *c)
{
    timeline_free(c->timeline);
    free(c->seat);
    free(c->lane);
    free(c->waiting.at);
    free(c);
}

/* Iterations a second, up to the end of the last; before the first has ended, its part. */
void client_score(const struct client *c)
{
    sim_time now = sim_now(c->run->sim), to = c->to;
    if (c->ended < c->set->warmup || (c->ended == c->set->warmup && !c->busy))
        return;
    double n = (double)(c->ended - c->set->warmup);
    if (c->ended == c->set->warmup) {
        n = (double)timeline_done(c->timeline) / (double)c->program->n;
        to = now;
    }
    if (to > c->from)
        c->score->rate += n / ((double)(to - c->from) / 1e9);
}
