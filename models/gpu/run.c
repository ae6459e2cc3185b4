#include "models/gpu/run.h"

#include <stdlib.h>

#include "models/gpu/client.h"
#include "models/gpu/moves.h"
#include "models/gpu/replay.h"

void gpu_run_fail(struct gpu_run *r, int rc)
{
    r->rc = r->rc ? r->rc : rc;
    sim_stop(r->sim);
}

static void stop(void *ctx, uint64_t unused)
{
    (void)unused;
    sim_stop(((struct gpu_run *)ctx)->sim);
}

void gpu_run_done(struct gpu_run *r)
{
    if (--r->busy == 0)
        sim_stop(r->sim);
}

struct board *gpu_run_board(struct gpu_run *r, uint32_t number)
{
    const struct model_env *env = r->m->env;
    if (number >= GPU_DEVICES_MAX) {
        r->rc =
            err_set(r->e, ERR_ERANGE, "gpu: device %u, want one below %d", number, GPU_DEVICES_MAX);
        return NULL;
    }
    if (r->board[number])
        return r->board[number];
    bool alone = r->only != GPU_ALL; /* on a GPU of its own; nobody is asked */
    const struct board_want w = {.set = &r->m->set,
                                 .params = &r->m->params,
                                 .sharing = alone ? SHARING_EXCLUSIVE : r->m->set.sharing,
                                 .number = number,
                                 .per_command = r->m->per_command,
                                 .dispatch =
                                     alone ? NULL : model_policy(env, POLICY_HOOK_GPU_DISPATCH),
                                 .share = alone ? NULL : model_policy(env, POLICY_HOOK_GPU_SHARE),
                                 .dispatch_life = r->life,
                                 .share_life = r->share_life,
                                 .infer = gpu_infer_service(r->infer)};
    int rc = board_new(&r->board[number], r->sim, &w, r->e);
    if (rc)
        r->rc = rc;
    r->boards = number >= r->boards ? number + 1 : r->boards;
    return r->board[number];
}

/* ---- requests of the trace ---------------------------------------------------------------- */

static void request(void *ctx, uint64_t unused);

static void next_request(struct gpu_run *r)
{
    struct request_source *from = r->m->env->requests;
    int rc = from->next(from, &r->row.request, r->e);
    if (rc > 0) {
        sim_time now = sim_now(r->sim), at = r->row.request.time_ns;
        sim_at(r->sim, at > now ? at : now, 0, request, r, 0);
        return;
    }
    if (rc < 0)
        gpu_run_fail(r, rc);
    r->requests_ended = true;
    for (struct client *c = r->clients; c; c = client_next(c))
        client_no_more(c);
}

static void request(void *ctx, uint64_t unused)
{
    struct gpu_run *r = ctx;
    (void)unused;
    for (struct client *c = r->clients; c; c = client_next(c))
        client_request(c, &r->row.request);
    next_request(r);
}

/* ---- life ---------------------------------------------------------------------------------- */

static int open_clients(struct gpu_run *r)
{
    const struct gpu_setup *set = &r->m->set;
    int rc = 0;
    for (size_t i = 0; !rc && i < set->clients; i++)
        for (uint32_t k = 0; !rc && k < set->client[i].copies; k++)
            if (r->only == GPU_ALL || (r->only == i && k == 0))
                rc = client_new(r, i, k);
    return rc;
}

/* Seats of a vGPU host that nobody took keep their turns. */
static int fill_seats(struct gpu_run *r)
{
    const struct gpu_setup *set = &r->m->set;
    int rc = 0;
    for (uint32_t d = 0; r->only == GPU_ALL && d < r->boards; d++)
        while (!rc && r->board[d] && set->sharing == SHARING_VGPU_FIXED &&
               board_taken(r->board[d]) < set->vgpus) {
            const struct board_seat_want want = {.id = r->ids++, .weight = 1024};
            struct board_seat *seat;
            bool no_room;
            rc = board_seat(r->board[d], &want, &seat, &no_room, r->e);
        }
    return rc;
}

static int open_life(struct gpu_run *r, enum policy_hook hook, bool at_once, struct policy_life **l)
{
    const struct model_env *env = r->m->env;
    const struct policy_plan *plan = env->plan[hook];
    if (!plan || r->only != GPU_ALL)
        return 0;
    const struct stack *stack = stack_find(env->stack ? env->stack : "native", r->e);
    if (!stack)
        return ERR_ENAME;
    if (!r->life_core && !(r->life_core = cores_new(r->sim, 1)))
        return err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    const struct life_env life = {.sim = r->sim,
                                  .cpu = r->life_core,
                                  .at_once = at_once,
                                  .stack = stack,
                                  .use = &r->m->use,
                                  .out = r->m->out,
                                  .e = r->e};
    return policy_life_open(l, plan, model_policy(env, hook), &life, r->e);
}

static int open_lives(struct gpu_run *r)
{
    const int rc = open_life(r, POLICY_HOOK_GPU_DISPATCH, true, &r->life);
    return rc ? rc : open_life(r, POLICY_HOOK_GPU_SHARE, false, &r->share_life);
}

static int lives_failed(const struct gpu_run *r)
{
    const int rc = r->life ? policy_life_failed(r->life) : 0;
    return rc || !r->share_life ? rc : policy_life_failed(r->share_life);
}

int gpu_run_begin(struct gpu_run *r, struct gpu_model *m, size_t only, struct err *e)
{
    struct sim_options opt = m->env->sim;
    opt.seed = m->env->seed;
    *r = (struct gpu_run){.m = m, .e = e, .only = only};
    r->sim = sim_new(&opt);
    r->score = calloc(m->set.clients + 1, sizeof *r->score);
    if (!r->sim || !r->score)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    for (size_t i = 0; i < m->set.clients; i++)
        if (!(r->score[i].latency = sketch_new(m->env->exact)) ||
            !(r->score[i].service = sketch_new(m->env->exact)))
            return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    int rc = 0;
    if (only == GPU_ALL && (model_policy(m->env, POLICY_HOOK_GPU_SHARE) ||
                            model_policy(m->env, POLICY_HOOK_GPU_DISPATCH)))
        rc = gpu_infer_open(&r->infer, r->sim, &m->set.infer, m->env, &m->use, e);
    rc = rc ? rc : open_lives(r);
    if (rc || !m->set.clients)
        return rc ? rc : replay_new(r, m->env->rows);
    rc = open_clients(r);
    return rc ? rc : fill_seats(r);
}

int gpu_run_go(struct gpu_run *r)
{
    const bool endless = !r->busy; /* nobody but duration_s ends it */
    if (r->m->set.duration)
        sim_at(r->sim, r->m->set.duration, 0, stop, r, 0);
    if (r->replay)
        replay_start(r->replay);
    for (struct client *c = r->clients; c; c = client_next(c))
        client_start(c);
    moves_plan(r);
    if (r->clients && r->m->env->requests && r->only == GPU_ALL)
        next_request(r);
    if (!r->rc && (r->busy || endless))
        sim_run(r->sim, SIM_NEVER);
    for (uint32_t i = 0; i < r->boards; i++)
        if (r->board[i])
            board_stop(r->board[i]);
    for (struct client *c = r->clients; c; c = client_next(c))
        client_score(c);
    if (!r->rc)
        r->rc = gpu_infer_failed(r->infer, r->e);
    if (!r->rc)
        r->rc = lives_failed(r);
    if (!r->rc && sim_failed(r->sim))
        r->rc = err_set(r->e, ERR_ENOMEM, "gpu: out of memory");
    return r->rc;
}

void gpu_run_end(struct gpu_run *r)
{
    for (struct client *c; (c = r->clients);) {
        r->clients = client_next(c);
        client_free(c);
    }
    gpu_infer_close(r->infer);
    replay_free(r->replay);
    for (uint32_t i = 0; i < r->boards; i++)
        board_free(r->board[i]);
    policy_life_free(r->life);
    policy_life_free(r->share_life);
    if (r->life_core)
        cores_free(r->life_core);
    for (size_t i = 0; r->score && i < r->m->set.clients; i++) {
        sketch_free(r->score[i].latency);
        sketch_free(r->score[i].service);
    }
    free(r->score);
    sim_free(r->sim);
}
