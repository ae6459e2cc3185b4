#include "harness/run/trial.h"

#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/run/bindings.h"
#include "harness/run/machines.h"
#include "harness/run/named.h"
#include "harness/run/setup.h"
#include "models/machine.h"
#include "sim/spans.h"
#include "traces/source.h"

/* What one trial holds; released in reverse order of taking. */
struct bench {
    struct config *doc;
    struct setup setup;
    struct machine *machine;
    struct request_source *requests;
    struct row_source *rows; /* of another table */
    struct row_source *nodes;
    struct named programs, tables;
    struct bindings policies;
    struct spans *spans;
};

static int open_inputs(struct bench *b, const struct experiment *x, uint64_t seed, struct err *e)
{
    struct trace_about about;
    int rc = machines_get(x, &b->setup, &b->machine, NULL, e);
    if (!rc && b->setup.trace)
        rc = trace_rows_open(b->setup.trace, setup_tables(&b->setup), seed, &x->where, &b->rows,
                             &about, e);
    if (!rc && b->setup.nodes)
        rc = trace_rows_open(b->setup.nodes, 1u << TRACE_NODES, seed, &x->where, &b->nodes, &about,
                             e);
    if (!rc && b->rows && b->rows->table == TRACE_REQUESTS) {
        struct row_source *rows = b->rows;
        b->rows = NULL;
        rc = trace_rows_requests(&b->requests, rows, e);
    }
    if (!rc)
        rc = named_open(&b->programs, NAMED_PROGRAMS, &b->setup, seed, &x->where, e);
    return rc ? rc : named_open(&b->tables, NAMED_TABLES, &b->setup, seed, &x->where, e);
}

static int open_policies(struct bench *b, const struct bindings_want *want, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < POLICY_SLOTS && !rc; i++)
        rc = bindings_open_one(&b->policies, i, want, e);
    return rc;
}

static int close_all(struct bench *b, int rc, struct err *e)
{
    rc = bindings_close(&b->policies, rc, e);
    if (b->requests)
        b->requests->close(b->requests);
    if (b->rows)
        b->rows->close(b->rows);
    if (b->nodes)
        b->nodes->close(b->nodes);
    named_close(&b->programs);
    named_close(&b->tables);
    if (b->spans) {
        int closed = spans_close(b->spans, rc ? NULL : e);
        rc = rc ? rc : closed;
    }
    machine_free(b->machine);
    config_free(b->doc);
    return rc;
}

int trial_policy_check(const struct experiment *x, const struct setup *s, unsigned slot,
                       struct trial_tools *tools, struct err *e)
{
    struct pool_task task = {0};
    struct policy_beat beat = {0};
    struct bench b = {.setup = *s};
    struct bindings_want want = {.x = x,
                                 .setup = &b.setup,
                                 .task = &task,
                                 .tools = tools,
                                 .beat = &beat,
                                 .seed = x->seed,
                                 .try = true,
                                 .learn = -1};
    return close_all(&b, bindings_open_one(&b.policies, slot, &want, e), e);
}

static int run_model(struct bench *b, const struct bindings_want *want, struct err *e)
{
    struct model_env env = {.seed = want->seed,
                            .sim = {.seed = want->seed, .spans = b->spans},
                            .machine = b->machine,
                            .requests = b->requests,
                            .rows = b->rows,
                            .nodes = b->nodes,
                            .program = b->programs.v,
                            .n_programs = b->programs.n,
                            .table = b->tables.v,
                            .n_tables = b->tables.n,
                            .stack = b->setup.stack,
                            .exact = b->setup.exact};
    if (bindings_any(&b->policies))
        env.infer = infer_host_face(want->tools->infer);
    bindings_show(&b->policies, &env);
    return b->setup.model->run(b->setup.section, &env, want->out, e);
}

static int open_doc(struct bench *b, const struct experiment *x, uint64_t index, struct err *e)
{
    int rc = experiment_combination(x, index / x->trials, &b->doc, e);
    return rc ? rc : setup_read(&b->setup, b->doc, e);
}

/* The same trial with one candidate from the first question to the last: what it does for each VM.
 */
static int run_fixed(const struct bindings_want *like, uint64_t index, unsigned hook,
                     uint32_t candidate, struct err *e)
{
    struct bench b = {0};
    struct bindings_want want = *like;
    want.setup = &b.setup;
    want.learn = (int)candidate;
    want.out = measures_new();
    int rc = want.out ? open_doc(&b, want.x, index, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        setup_life_fix(&b.setup, (enum policy_hook)hook, candidate);
        rc = open_inputs(&b, want.x, want.seed, e);
    }
    if (!rc)
        rc = open_policies(&b, &want, e);
    if (!rc)
        rc = run_model(&b, &want, e);
    rc = close_all(&b, rc, e);
    measures_free(want.out);
    return rc;
}

/* An oracle that selects is told what each candidate would do. */
static int foresee(const struct bench *b, struct bindings_want *want, uint64_t index, struct err *e)
{
    int rc = 0;
    for (unsigned h = 0; h < POLICY_HOOKS_N && !rc; h++) {
        const struct life_setup *l = &b->setup.life[h];
        if (!l->select || !b->policies.of[l->select].slot.ops->oracle)
            continue;
        want->foreseen = calloc(1, sizeof *want->foreseen);
        if (!want->foreseen)
            return err_set(e, ERR_ENOMEM, "out of memory");
        for (uint32_t i = 0; i < l->candidates && !rc; i++)
            rc = run_fixed(want, index, h, i, e);
        return rc; /* one hook's at a time: a second oracle is told nothing */
    }
    return rc;
}

int trial_run(const struct experiment *x, const struct pool_task *task, struct trial_tools *tools,
              struct policy_beat *beat, struct result_trial *t, struct err *e)
{
    struct bench b = {0};
    t->measures = measures_new();
    struct bindings_want want = {.x = x,
                                 .setup = &b.setup,
                                 .task = task,
                                 .tools = tools,
                                 .beat = beat,
                                 .seed = t->seed,
                                 .out = t->measures,
                                 .learn = -1};
    int rc = t->measures ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        rc = open_doc(&b, x, t->index, e);
    if (!rc)
        rc = open_inputs(&b, x, t->seed, e);
    if (!rc)
        rc = open_policies(&b, &want, e);
    if (!rc)
        rc = foresee(&b, &want, t->index, e);
    b.policies.want.foreseen = want.foreseen;
    if (!rc && tools->spans && t->index == 0)
        rc = spans_open(&b.spans, tools->spans, e);
    if (!rc) {
        rc = run_model(&b, &want, e);
        bindings_report(&b.policies, t->measures);
    }
    rc = close_all(&b, rc, e); /* the last lines of a policy's log go into the measures */
    free(want.foreseen);
    if (!rc && t->measures->failed)
        rc = err_set(e, ERR_ENOMEM, "out of memory for the trial's measures");
    return rc;
}

void trial_tools_free(struct trial_tools *tools)
{
    infer_host_close(tools->infer);
    tools->infer = NULL;
}
