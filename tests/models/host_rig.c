#include "tests/models/host_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/profile.h"
#include "models/machine.h"

static struct machine *machine(void)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    cr_assert_eq(profile_load(&json, "machines/h100-server.json", &e), 0, "%s", e.msg);
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

void rig_end(struct rig *r)
{
    measures_free(r->out);
    r->out = NULL;
}

void rig_run(struct rig *r, const char *section, struct host_result *result)
{
    struct config *c;
    struct host_setup set;
    struct err e = {0};
    char *text = strdup(section);
    for (char *s = text; *s; s++)
        *s = *s == '\'' ? '"' : *s;
    cr_assert_eq(config_parse(&c, "host", text, strlen(text), &e), 0, "%s", e.msg);
    cr_assert_eq(host_setup_read(&set, c, &e), 0, "%s", e.msg);
    struct machine *m = machine();
    struct model_env env = {.seed = r->seed, .machine = m, .stack = r->stack};
    env.sim.shuffle_ties = r->shuffle;
    env.sim.shuffle_seed = 99;
    env.sim.spans = r->spans;
    rig_end(r);
    r->out = measures_new();
    const struct host_run run = {&env, &set, r->stack, set.copies, r->out};
    cr_assert_eq(host_run(&run, result, &e), 0, "%s", e.msg);
    machine_free(m);
    host_setup_free(&set);
    config_free(c);
    free(text);
}

double rig_number(const struct rig *r, const char *name)
{
    const double *v = measures_find(r->out, name);
    cr_assert(v, "no measure %s", name);
    return *v;
}
