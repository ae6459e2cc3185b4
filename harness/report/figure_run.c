/* Runs the experiment behind a figure, in this process. */
#include <stdlib.h>

#include "harness/run/experiment.h"
#include "harness/report/figure.h"
#include "harness/run/runner.h"

static int open_experiment(const struct figure *f, struct experiment **x, struct err *e)
{
    const char *path;
    if (config_kind(f->experiment) == CONFIG_OBJECT)
        return experiment_from(x, f->experiment, f->file, NULL, e);
    int rc = config_str(f->experiment, &path, e);
    if (rc)
        return rc;
    char *found = figure_find(f, path);
    if (!found)
        return config_complain(f->experiment, e,
                               "an experiment beside the figure or in the source tree");
    rc = experiment_load(x, found, NULL, e);
    free(found);
    return rc;
}

struct look {
    const struct figure *figure;
    const struct experiment *experiment;
};

static bool wanted(const void *ctx, const struct result_trial *t)
{
    const struct look *l = ctx;
    return figure_wants(l->figure, l->experiment->doc, t);
}

int figure_run(struct figure *f, unsigned jobs, bool quiet, struct err *e)
{
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    struct look look = {.figure = f};
    const struct runner_options o = {
        .jobs = jobs, .quiet = quiet, .wanted = wanted, .wanted_ctx = &look};
    int rc = open_experiment(f, &x, e);
    look.experiment = x;
    if (!rc)
        rc = experiment_check(x, e);
    if (!rc)
        rc = experiment_run(x, &o, &rs, NULL, e);
    if (!rc)
        rc = figure_match(f, rs, e);
    results_free(rs);
    experiment_free(x);
    return rc;
}
