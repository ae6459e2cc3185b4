#include "harness/run/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/base/outfile.h"
#include "harness/run/run_show.h"
#include "harness/run/runner.h"
#include "harness/run/sweep_ranks.h"

/* A run may replace results, and nothing else: not the trace it was to read. */
static int check_replaced(const char *out, const struct stat *st, struct err *e)
{
    if (S_ISDIR(st->st_mode))
        return err_set(e, ERR_EIO, "%s: is a folder, want the name of a file", out);
    if (S_ISREG(st->st_mode) && st->st_size && !results_are(out))
        return err_set(e, ERR_EIO, "%s: is there and holds no results; remove it or name another",
                       out);
    return 0;
}

/* OUT can be written and its folder exists before hours are spent. */
static int make_folder(const char *out, struct err *e)
{
    const char *slash = strrchr(out, '/');
    struct stat st;
    int rc = stat(out, &st) ? 0 : check_replaced(out, &st, e);
    if (rc)
        return rc;
    if (!slash || slash == out)
        return 0;
    char *folder = strndup(out, (size_t)(slash - out));
    if (!folder)
        return err_set(e, ERR_ENOMEM, "out of memory");
    rc = outfile_mkdir(folder, e);
    free(folder);
    return rc;
}

/* Only failures that concern the whole: a failed trial is in the results, and is said here. */
static int say_failed(const struct result_set *rs, const struct runner_report *r, struct err *e)
{
    for (size_t i = 0; i < rs->n_trial; i++)
        if (rs->trial[i].failed)
            return err_set(e, ERR_EFAIL, "%llu of %llu trials failed; the first, trial %llu: %s",
                           (unsigned long long)r->failed, (unsigned long long)rs->planned,
                           (unsigned long long)rs->trial[i].index, rs->trial[i].why);
    return 0;
}

static int show(const struct run_args *a, const struct result_set *rs, const char *out,
                const struct runner_report *r, struct err *e)
{
    int rc = run_record_write(rs, out, r, e);
    if (rc)
        return rc;
    if (a->json)
        run_show_json(rs, out, r, stdout);
    else if (!a->quiet) {
        if (rs->title[0])
            printf("%s\n\n", rs->title);
        if ((rc = run_show_table(rs, stdout, e)))
            return rc;
        printf("\n%llu trials (%llu from before) in %.1f s: %s\n", (unsigned long long)rs->n_trial,
               (unsigned long long)r->resumed, r->wall_s, out);
    }
    return say_failed(rs, r, e);
}

static int run(const struct run_args *a, const struct experiment *x, const char *out,
               struct ranks *ranks, struct err *e)
{
    struct result_set *rs;
    struct runner_report report;
    struct runner_options o = {.out = out,
                               .jobs = a->jobs,
                               .backend = a->backend,
                               .spans = a->spans,
                               .policy_limit_s = a->policy_limit_s,
                               .quiet = a->quiet,
                               .ranks = ranks};
    int rc = experiment_run(x, &o, &rs, &report, e);
    if (!rc && rs)
        rc = show(a, rs, out, &report, e);
    results_free(rs);
    return rc;
}

int launch(const struct run_args *a, struct err *e)
{
    struct ranks ranks;
    struct experiment *x = NULL;
    char *out = NULL;
    int rc = ranks_open(&ranks, e);
    if (rc)
        return rc;
    rc = experiment_load(&x, a->file, &a->edits, e);
    if (!rc && asprintf(&out, "%s%s%s", a->out ? a->out : "out/", a->out ? "" : x->name,
                        a->out ? "" : ".h5") < 0)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc && ranks.rank == 0)
        rc = experiment_check(x, e);
    if (!rc && ranks.rank == 0)
        rc = make_folder(out, e);
    rc = runner_agree(&ranks, rc, e);
    if (!rc)
        rc = run(a, x, out, &ranks, e);
    free(out);
    experiment_free(x);
    ranks_close(&ranks);
    return rc;
}
