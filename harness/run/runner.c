#include "harness/run/runner_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness/policy/infer_host.h"
#include "harness/run/sweep_ranks.h"

#define RANKS_TICK_MS 2 /* how long another rank may wait for its next trial */

/* ---- in a worker ---------------------------------------------------------------- */

/* The answer of a trial that failed: its place in the experiment, and why. */
static void make_failed(struct result_trial *t, const char *why)
{
    measures_free(t->measures);
    free(t->why);
    t->measures = measures_new();
    t->why = strdup(why);
    t->failed = true;
}

static void pack_answer(const char *backend, const struct result_trial *t, struct buf *answer)
{
    buf_str(answer, backend);
    if (t->measures && (t->why || !t->failed))
        result_trial_pack(t, answer);
    else
        answer->failed = true;
}

void runner_work(void *ctx, const struct pool_task *task, struct policy_beat *beat,
                 struct buf *answer)
{
    struct runner *r = ctx;
    struct result_trial t;
    struct err e = {0};
    int rc = experiment_trial(r->x, task->index, &t, &e);
    if (!rc)
        rc = trial_run(r->x, task, &r->tools, beat, &t, &e);
    if (rc)
        make_failed(&t, e.msg[0] ? e.msg : err_name(rc));
    pack_answer(r->tools.infer ? infer_host_name(r->tools.infer) : "", &t, answer);
    result_trial_clear(&t);
}

int runner_loss(const struct experiment *x, uint64_t index, const char *why, struct buf *answer,
                struct err *e)
{
    struct result_trial t;
    int rc = experiment_trial(x, index, &t, e);
    if (rc)
        return rc;
    make_failed(&t, why);
    pack_answer("", &t, answer);
    result_trial_clear(&t);
    return 0;
}

/* ---- in the parent of rank 0 ---------------------------------------------------- */

bool runner_next(struct runner *r, uint64_t *index)
{
    while (r->next < r->x->planned &&
           ((r->spared && r->spared[r->next]) || results_trial(r->rs, r->next)))
        r->next++; /* an earlier run finished it */
    if (r->next == r->x->planned)
        return false;
    *index = r->next++;
    return true;
}

int runner_keep(struct runner *r, struct buf *answer, struct err *e)
{
    struct result_trial t;
    char *backend = buf_take_str(answer);
    if (backend && backend[0])
        snprintf(r->report.backend, sizeof r->report.backend, "%s", backend);
    free(backend);
    int rc = result_trial_unpack(&t, answer, e);
    if (rc)
        return rc;
    if (r->journal && (rc = journal_append(r->journal, &t, e))) {
        result_trial_clear(&t);
        return rc;
    }
    rc = results_add(r->rs, &t, e);
    r->report.ran++;
    progress_at(&r->progress, r->report.ran);
    return rc;
}

static enum pool_next next(void *ctx, uint64_t *index)
{
    struct runner *r = ctx;
    if (runner_next(r, index))
        return POOL_TASK;
    return r->rs->n_trial == r->runs ? POOL_DONE : POOL_WAIT;
}

static int take(void *ctx, uint64_t index, struct buf *answer, struct err *e)
{
    (void)index;
    return runner_keep(ctx, answer, e);
}

static int lost(void *ctx, uint64_t index, const char *why, struct err *e)
{
    struct runner *r = ctx;
    struct buf answer = {0};
    int rc = runner_loss(r->x, index, why, &answer, e);
    if (!rc)
        rc = runner_keep(r, &answer, e);
    buf_free(&answer);
    return rc;
}

static int tick(void *ctx, struct err *e)
{
    return ranks_serve(ctx, e);
}

static int run_pool(struct runner *r, struct err *e)
{
    struct pool_ops ops = {.ctx = r, .run = runner_work, .next = next, .take = take, .lost = lost};
    struct pool_options opt = {.jobs = r->o->jobs ? r->o->jobs : 1,
                               .limit_s =
                                   r->o->policy_limit_s > 0 ? r->o->policy_limit_s : POOL_LIMIT_S,
                               .tick_ms = RANKS_TICK_MS};
    if (r->ranks)
        ops.tick = tick;
    progress_begin(&r->progress, "trials", r->runs - r->report.resumed, r->o->quiet);
    int rc = pool_run(&ops, &opt, e);
    progress_end(&r->progress);
    if (r->ranks)
        rc = ranks_finish(r, rc, e);
    return rc;
}

static int open_journal(struct runner *r, struct err *e)
{
    char *path;
    if (!r->o->out)
        return 0;
    if (asprintf(&path, "%s" JOURNAL_SUFFIX, r->o->out) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = journal_open(&r->journal, path, r->rs, e);
    free(path);
    r->report.resumed = r->rs->n_trial;
    return rc;
}

/* All trials are there: the file, and the journal is no longer needed. */
static int finish(struct runner *r, struct err *e)
{
    for (size_t i = 0; i < r->rs->n_trial; i++)
        r->report.failed += r->rs->trial[i].failed;
    if (!r->o->out)
        return 0;
    int rc = results_write(r->rs, r->o->out, e);
    if (!rc) {
        journal_remove(r->journal);
        r->journal = NULL;
    }
    return rc;
}

static int spare(struct runner *r, struct err *e)
{
    r->runs = r->x->planned;
    if (!r->o->wanted)
        return 0;
    assert(!r->o->out && !r->ranks);
    if (!(r->spared = calloc(r->x->planned, sizeof *r->spared)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (uint64_t i = 0; i < r->x->planned; i++) {
        struct result_trial t;
        const int rc = experiment_trial(r->x, i, &t, e);
        if (rc)
            return rc;
        r->spared[i] = !r->o->wanted(r->o->wanted_ctx, &t);
        r->runs -= r->spared[i];
        result_trial_clear(&t);
    }
    return 0;
}

static int run_all(struct runner *r, struct err *e)
{
    int rc = open_journal(r, e);
    if (r->ranks && rc)
        return ranks_finish(r, rc, e);
    if (!rc)
        rc = spare(r, e);
    if (!rc)
        rc = run_pool(r, e);
    if (rc && r->journal && r->rs->n_trial)
        err_wrap(e, rc, "%llu of %llu trials are done, the same command goes on from there",
                 (unsigned long long)r->rs->n_trial, (unsigned long long)r->x->planned);
    if (!rc)
        rc = finish(r, e);
    journal_close(r->journal);
    free(r->spared);
    return rc;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int experiment_run(const struct experiment *x, const struct runner_options *o,
                   struct result_set **rs, struct runner_report *report, struct err *e)
{
    struct runner r = {.x = x, .o = o, .tools = {.backend = o->backend, .spans = o->spans}};
    double started = now_s();
    *rs = NULL;
    if (o->ranks && o->ranks->size > 1)
        r.ranks = o->ranks;
    r.report.jobs = o->jobs ? o->jobs : 1;
    r.report.ranks = r.ranks ? r.ranks->size : 1;
    if (r.ranks && r.ranks->rank)
        return ranks_work(&r, e);
    int rc = runner_head(x, &r.rs, e);
    if (!rc)
        rc = run_all(&r, e);
    else if (r.ranks)
        rc = ranks_finish(&r, rc, e);
    r.report.wall_s = now_s() - started;
    if (report)
        *report = r.report;
    if (rc)
        results_free(r.rs);
    else
        *rs = r.rs;
    return rc;
}
