#include "harness/learn/job_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/places.h"
#include "traces/import.h"
#include "traces/source.h"

#define NS_PER_S UINT64_C(1000000000)

struct job {
    struct duration_job job;
    uint64_t end_ns, seconds, row;
};

struct jobs {
    struct job *v;
    size_t n, cap;
};

/* ---- reading ------------------------------------------------------------------ */

static int add(struct jobs *to, const struct trace_job *t)
{
    if (t->duration_ns == TRACE_TIME_NONE || t->duration_ns / NS_PER_S > UINT32_MAX)
        return 0;
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 4096;
        struct job *grown = realloc(to->v, cap * sizeof *grown);
        if (!grown)
            return -1;
        to->v = grown;
        to->cap = cap;
    }
    const uint64_t wait = t->wait_ns == TRACE_TIME_NONE ? 0 : t->wait_ns;
    /* openb counts a pod's life from its creation */
    const uint64_t ran = t->duration_ns > wait ? t->duration_ns - wait : 0;
    to->v[to->n++] = (struct job){.job = {.submitted_ns = t->time_ns,
                                          .user = t->user,
                                          .group = t->group,
                                          .gpus = t->gpus,
                                          .gpu_milli = t->gpu_milli,
                                          .cpu_milli = t->cpu_milli,
                                          .spec = t->gpu_spec,
                                          .mem_bytes = t->mem_bytes},
                                  .end_ns = t->time_ns + wait + ran,
                                  .seconds = ran / NS_PER_S,
                                  .row = t->row};
    return 0;
}

static int read_all(struct jobs *to, struct importer *im, struct err *e)
{
    union trace_row row;
    int rc;
    while ((rc = import_next(im, &row, e)) == 1)
        if (add(to, &row.job))
            return err_set(e, ERR_ENOMEM, "out of memory");
    return rc;
}

static int open_log(struct importer **im, const char *path, struct err *e)
{
    char *root = places_root(""), *found = NULL;
    const struct trace_places where = {NULL, root};
    int rc = trace_find(path, &where, &found, e);
    rc = rc ? rc : import_open(im, found, NULL, 0, e);
    if (!rc && (*im)->format->table != TRACE_JOBS) {
        rc = err_set(e, ERR_ENAME, "%s: %s has no jobs", path, (*im)->format->name);
        import_close(*im);
    }
    free(found);
    free(root);
    return rc;
}

static int by_submission(const void *a, const void *b)
{
    const struct job *x = a, *y = b;
    if (x->job.submitted_ns != y->job.submitted_ns)
        return x->job.submitted_ns < y->job.submitted_ns ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* ---- replaying ------------------------------------------------------------------ */

static int by_end(const void *a, const void *b)
{
    const struct job *x = *(const struct job *const *)a, *y = *(const struct job *const *)b;
    if (x->end_ns != y->end_ns)
        return x->end_ns < y->end_ns ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int replay(struct job_rows *rows, const struct jobs *jobs, struct err *e)
{
    struct duration_state *seen = calloc(1, sizeof *seen);
    const struct job **ends = malloc((jobs->n + 1) * sizeof *ends);
    rows->x = malloc((jobs->n + 1) * DURATION_N * sizeof *rows->x);
    rows->y = malloc((jobs->n + 1) * sizeof *rows->y);
    rows->seconds = malloc((jobs->n + 1) * sizeof *rows->seconds);
    if (!seen || !ends || !rows->x || !rows->y || !rows->seconds) {
        free(seen);
        free(ends);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < jobs->n; i++)
        ends[i] = &jobs->v[i];
    qsort(ends, jobs->n, sizeof *ends, by_end);
    for (size_t i = 0, ended = 0; i < jobs->n; i++) {
        const struct job *j = &jobs->v[i];
        /* A job that ends as it begins ends before the next one comes, not before itself. */
        for (; ended < jobs->n && ends[ended]->end_ns <= j->job.submitted_ns && ends[ended] < j;
             ended++)
            duration_ended(seen, &ends[ended]->job, ends[ended]->seconds);
        duration_features(seen, &j->job, rows->x + i * DURATION_N);
        duration_submitted(seen, &j->job);
        rows->y[i] = duration_log(j->seconds);
        rows->seconds[i] = (uint32_t)j->seconds;
    }
    rows->n = jobs->n;
    free(seen);
    free(ends);
    return 0;
}

int job_rows_load(struct job_rows *rows, const char *path, size_t most, struct err *e)
{
    struct importer *im;
    struct jobs jobs = {0};
    *rows = (struct job_rows){0};
    int rc = open_log(&im, path, e);
    if (rc)
        return rc;
    rc = read_all(&jobs, im, e);
    snprintf(rows->digest, sizeof rows->digest, "%.64s", import_meta(im)->input_sha256);
    snprintf(rows->format, sizeof rows->format, "%.31s", im->format->name);
    import_close(im);
    if (!rc && jobs.n)
        qsort(jobs.v, jobs.n, sizeof *jobs.v, by_submission);
    jobs.n = jobs.n < most ? jobs.n : most;
    rc = rc ? rc : replay(rows, &jobs, e);
    free(jobs.v);
    return rc;
}

void job_rows_free(struct job_rows *rows)
{
    free(rows->x);
    free(rows->y);
    free(rows->seconds);
    *rows = (struct job_rows){0};
}
