/* run_explain.c - malv run --explain: on the machine of an experiment, or on the one shipped. */
#include <stdio.h>
#include <stdlib.h>

#include "harness/run/explain.h"
#include "harness/run/launch.h"
#include "harness/base/places.h"
#include "harness/base/profile.h"
#include "harness/run/setup.h"
#include "harness/run/trial.h"

#define USUAL_MACHINE "machines/h100-server.json"

static int machine_of(const struct run_args *a, struct machine **m, struct err *e)
{
    struct experiment *x;
    struct config *doc = NULL;
    struct setup s;
    int rc = experiment_load(&x, a->file, &a->edits, e);
    if (rc)
        return rc;
    rc = experiment_combination(x, 0, &doc, e);
    if (!rc)
        rc = setup_read(&s, doc, e);
    if (!rc && !s.machine)
        rc = err_set(e, ERR_ENAME, "%s: key \"machine\" is missing: there are no costs to explain",
                     a->file);
    if (!rc)
        rc = machines_get(x, &s, m, NULL, e);
    config_free(doc);
    experiment_free(x);
    return rc;
}

static int usual_machine(struct machine **m, struct err *e)
{
    struct config *profile;
    char *path = places_root(USUAL_MACHINE);
    int rc = path ? profile_load(&profile, path, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(path);
    if (rc)
        return rc;
    rc = machine_load(m, profile, e);
    config_free(profile);
    return rc;
}

int launch_explain(const struct run_args *a, struct err *e)
{
    struct machine *m = NULL;
    int rc = a->file ? machine_of(a, &m, e) : usual_machine(&m, e);
    if (!rc)
        rc = explain_print(m, a->explain, a->json, stdout, e);
    machine_free(m);
    return rc;
}
