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

int figure_run(struct figure *f, unsigned jobs, bool quiet, struct err *e)
{
    struct experiment *x = NULL;
    struct result_set *rs = NULL;
    const struct runner_options o = {.jobs = jobs, .quiet = quiet};
    int rc = open_experiment(f, &x, e);
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
