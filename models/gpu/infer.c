#include "models/gpu/infer.h"

#include <stdlib.h>

struct gpu_infer {
    struct sim *sim;
    const struct model_infer *infer;
    struct cores *core;
    struct mlaas *service; /* NULL: the machine does not say what it costs */
    struct err why;
    bool asked;
};

static void refuse(void *ctx, int model, uint32_t rows)
{
    struct gpu_infer *g = ctx;
    (void)model, (void)rows;
    g->asked = true;
    sim_stop(g->sim);
}

static int fits(const struct mlaas_config *c, const struct stack *stack, struct machine_use *use,
                struct err *e)
{
    struct machine_use probe; /* looked up, but not used until somebody asks */
    int rc = machine_use_begin(&probe, use->machine, e);
    rc = rc ? rc : mlaas_fits(c, stack, &probe, e);
    machine_use_end(&probe);
    return rc;
}

static int open_service(struct gpu_infer *g, const struct mlaas_config *c,
                        const struct stack *stack, struct machine_use *use, struct err *e)
{
    if (!(g->core = cores_new(g->sim, 1)))
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    const struct mlaas_env env = {
        .sim = g->sim, .cpu = g->core, .stack = stack, .use = use, .infer = g->infer};
    return mlaas_open(&g->service, c, &env, e);
}

int gpu_infer_open(struct gpu_infer **out, struct sim *s, const struct mlaas_config *c,
                   const struct model_env *env, struct machine_use *use, struct err *e)
{
    const struct stack *stack = stack_find(env->stack ? env->stack : "native", e);
    *out = NULL;
    if (!stack)
        return ERR_ENAME;
    if (!env->infer || c->mode == MLAAS_FREE)
        return 0;
    struct gpu_infer *g = *out = calloc(1, sizeof *g);
    if (!g)
        return err_set(e, ERR_ENOMEM, "gpu: out of memory");
    *g = (struct gpu_infer){.sim = s, .infer = env->infer};
    if (!fits(c, stack, use, &g->why))
        return open_service(g, c, stack, use, e);
    g->infer->tap->called = refuse;
    g->infer->tap->ctx = g;
    return 0;
}

void gpu_infer_close(struct gpu_infer *g)
{
    if (!g)
        return;
    mlaas_close(g->service);
    g->infer->tap->called = NULL;
    g->infer->tap->ctx = NULL;
    if (g->core)
        cores_free(g->core);
    free(g);
}

struct mlaas *gpu_infer_service(struct gpu_infer *g)
{
    return g ? g->service : NULL;
}

int gpu_infer_failed(const struct gpu_infer *g, struct err *e)
{
    if (!g)
        return 0;
    if (g->asked)
        return err_set(e, g->why.code, "%s", g->why.msg);
    return g->service ? mlaas_failed(g->service, e) : 0;
}

void gpu_infer_report(const struct gpu_infer *g, struct measures *out)
{
    struct mlaas_stats n;
    if (!g || !g->service)
        return;
    mlaas_stats(g->service, &n);
    if (!n.calls)
        return;
    measures_number(out, "infer_calls", "1", BETTER_NONE, (double)n.calls);
    measures_number(out, "infer_cpu_time", "s", BETTER_LESS, (double)n.cpu_ps / 1e12);
    mlaas_report(g->service, out);
}
