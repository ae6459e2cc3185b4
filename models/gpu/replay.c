#include "models/gpu/replay.h"

#include <stdlib.h>

#include "models/gpu/channels.h"
#include "models/gpu/timeline.h"

enum { KIND_KERNEL, KIND_COPY, KIND_COMM, KINDS };

struct place { /* of a process on a device */
    uint32_t tenant, device;
    struct board_seat *seat;
};
struct replay {
    struct gpu_run *run;
    struct plan *plan;
    struct channels *channels;
    struct timeline *timeline;
    struct lane **lane; /* by queue; each stays where it is */
    struct place *place;
    uint32_t lanes, places, cap;
    uint32_t device[GPU_DEVICES_MAX], devices; /* numbers in the trace, in order of appearance */
    struct sketch *error;                      /* ns */
    sim_time last;                             /* end, in the replay */
    sim_time kernels, kernels_end;             /* the first began, the last ended */
    double spent[KINDS];                       /* ns */
    uint64_t ran;
};

static int next_op(void *ctx, uint64_t number, struct plan_op *op, struct err *e)
{
    (void)number;
    return channels_next(((struct replay *)ctx)->channels, op, e);
}

/* ---- seats ------------------------------------------------------------------------------- */

static struct board *board_of(struct replay *p, uint32_t device)
{
    uint32_t i = 0;
    while (i < p->devices && p->device[i] != device)
        i++;
    if (i == GPU_DEVICES_MAX) {
        gpu_run_fail(
            p->run, err_set(p->run->e, ERR_ERANGE, "trace: more than %d devices", GPU_DEVICES_MAX));
        return NULL;
    }
    if (i == p->devices)
        p->device[p->devices++] = device;
    return gpu_run_board(p->run, i);
}

static int sit(struct replay *p, struct place *k)
{
    struct gpu_run *r = p->run;
    const struct gpu_setup *set = &r->m->set;
    const struct board_seat_want want = {.id = r->ids,
                                         .partition =
                                             set->partitions ? k->tenant % set->partitions : 0,
                                         .weight = 1024};
    bool no_room;
    struct board *b = board_of(p, k->device);
    if (!b)
        return r->rc;
    for (uint32_t i = 0; i < p->places; i++)
        if (set->sharing == SHARING_EXCLUSIVE && p->place[i].device == k->device)
            return err_set(r->e, ERR_ERANGE,
                           "trace: device %u is used by tenants %u and %u, want one: \"sharing\" "
                           "is exclusive",
                           k->device, p->place[i].tenant, k->tenant);
    if (r->ids++ == POLICY_GPU_TENANTS_MAX)
        return err_set(r->e, ERR_ERANGE, "trace: more than %d processes on its devices",
                       POLICY_GPU_TENANTS_MAX);
    return board_seat(b, &want, &k->seat, &no_room, r->e);
}

static struct board_seat *seat_of(struct replay *p, uint32_t tenant, uint32_t device)
{
    for (uint32_t i = 0; i < p->places; i++)
        if (p->place[i].tenant == tenant && p->place[i].device == device)
            return p->place[i].seat;
    if (p->places == p->cap) {
        uint32_t cap = p->cap ? 2 * p->cap : 8;
        struct place *more = realloc(p->place, cap * sizeof *more);
        if (!more) {
            gpu_run_fail(p->run, err_set(p->run->e, ERR_ENOMEM, "gpu: out of memory"));
            return NULL;
        }
        p->place = more;
        p->cap = cap;
    }
    struct place k = {.tenant = tenant, .device = device};
    int rc = sit(p, &k);
    if (rc) {
        gpu_run_fail(p->run, rc);
        return NULL;
    }
    board_request(k.seat, sim_now(p->run->sim), 0);
    p->place[p->places++] = k;
    return k.seat;
}

static bool more_lanes(struct replay *p, uint32_t queue)
{
    uint32_t n = queue + 16;
    struct lane **more = realloc(p->lane, n * sizeof(struct lane *));
    if (!more)
        return false;
    for (uint32_t i = p->lanes; i < n; i++)
        more[i] = NULL;
    p->lane = more;
    p->lanes = n;
    return true;
}

static struct lane *lane_of(void *ctx, uint32_t queue)
{
    struct replay *p = ctx;
    if (queue >= p->lanes && !more_lanes(p, queue))
        return NULL;
    if (p->lane[queue])
        return p->lane[queue];
    uint32_t n;
    const struct plan_queue *q = &plan_queues(p->plan, &n)[queue];
    struct board_seat *s = seat_of(p, q->tenant, q->device);
    struct lane *l = s ? calloc(1, sizeof *l) : NULL;
    if (l && board_lane(s, l, p->run->e)) {
        free(l);
        l = NULL;
    }
    return p->lane[queue] = l;
}

/* ---- what it does ------------------------------------------------------------------------------
 */

static void ran(void *ctx, const struct plan_op *op, sim_time begin, sim_time end)
{
    struct replay *p = ctx;
    sketch_add(p->error, (double)(begin > op->at ? begin - op->at : op->at - begin));
    int kind = op->kind == TRACE_OP_KERNEL ? KIND_KERNEL
               : op->kind == TRACE_OP_COMM ? KIND_COMM
                                           : KIND_COPY;
    p->spent[kind] += (double)(end - begin);
    p->ran++;
    p->last = end > p->last ? end : p->last;
    if (kind == KIND_COPY)
        return;
    if (!p->kernels_end || begin < p->kernels)
        p->kernels = begin;
    p->kernels_end = end > p->kernels_end ? end : p->kernels_end;
}

static void ended(void *ctx, int rc)
{
    struct replay *p = ctx;
    p->last = sim_now(p->run->sim);
    if (rc)
        gpu_run_fail(p->run, rc);
    gpu_run_done(p->run);
}

void replay_start(struct replay *p)
{
    timeline_start(p->timeline);
}

void replay_report(const struct replay *p, struct measures *out)
{
    struct plan_seen seen;
    plan_seen(p->plan, &seen);
    double captured = (double)seen.span, ours = (double)p->last;
    double per = captured > 0 ? 1 / captured : 0;
    measures_number(out, "span", "s", BETTER_LESS, ours / 1e9);
    measures_number(out, "captured_span", "s", BETTER_NONE, captured / 1e9);
    measures_number(out, "span_error", "1", BETTER_NONE, captured > 0 ? ours * per - 1 : 0);
    measures_number(out, "kernel_span", "s", BETTER_LESS,
                    (double)(p->kernels_end - p->kernels) / 1e9);
    measures_number(out, "captured_kernel_span", "s", BETTER_NONE,
                    (double)(seen.kernels_end - seen.kernels) / 1e9);
    measures_number(out, "lags", "s", BETTER_NONE, (double)seen.lag / 1e9);
    measures_number(out, "start_error_mean", "1", BETTER_LESS, sketch_mean(p->error) * per);
    measures_number(out, "start_error_p99", "1", BETTER_LESS,
                    sketch_quantile(p->error, 0.99) * per);
    measures_number(out, "start_error_max", "1", BETTER_LESS, sketch_max(p->error) * per);
    measures_number(out, "operations", "1", BETTER_NONE, (double)p->ran);
    measures_number(out, "kernel_time", "s", BETTER_NONE, p->spent[KIND_KERNEL] / 1e9);
    measures_number(out, "copy_time", "s", BETTER_NONE, p->spent[KIND_COPY] / 1e9);
    measures_number(out, "comm_time", "s", BETTER_NONE, p->spent[KIND_COMM] / 1e9);
    uint64_t late = timeline_stalls(p->timeline);
    measures_number(out, "late", "1", BETTER_LESS, (double)late);
    if (late)
        measures_incident(out, "warning", "gpu", p->last, late,
                          "operations were known too late to be on time: \"window\" is too small");
}

/* ---- life ------------------------------------------------------------------------------------ */

int replay_new(struct gpu_run *r, struct row_source *rows)
{
    struct replay *p = r->replay = calloc(1, sizeof *p);
    if (!p)
        return err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    const struct timeline_host host = {
        .ctx = p, .next = next_op, .lane = lane_of, .ran = ran, .ended = ended, .e = r->e};
    p->run = r;
    p->error = sketch_new(r->m->env->exact);
    p->timeline = timeline_new(r->sim, &host, r->m->set.window);
    if (!p->error || !p->timeline)
        return err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    r->busy = 1;
    int rc = plan_new(&p->plan, rows, &r->m->plan, r->e);
    return rc ? rc : channels_new(&p->channels, p->plan, r->m->plan.depth, r->e);
}

void replay_free(struct replay *p)
{
    if (!p)
        return;
    timeline_free(p->timeline);
    channels_free(p->channels);
    plan_free(p->plan);
    sketch_free(p->error);
    for (uint32_t i = 0; i < p->lanes; i++)
        free(p->lane[i]);
    free(p->lane);
    free(p->place);
    free(p);
}
