#include "models/cluster/full_config.h"

#include <stdlib.h>
#include <string.h>

#include "models/cluster/mix.h"

#define GPUS_MOST 1e6

static const char *const models[] = {"host", "gpu", NULL};

const struct model_ops *full_model(const struct full_config *c)
{
    return c->model == FULL_HOST ? &model_host : &model_gpu;
}

/* ---- whom a rule is of --------------------------------------------------------- */

/* A name, or a list of them. */
static int check_names(const struct config *at, struct err *e)
{
    const bool list = at && config_kind(at) == CONFIG_ARRAY;
    const char *name;
    int rc = list && !config_count(at) ? config_complain(at, e, "a name, or a list of them") : 0;
    for (size_t i = 0; !rc && list && i < config_count(at); i++)
        rc = config_str(config_at(at, i), &name, e);
    return rc || list || !at ? rc : config_str(at, &name, e);
}

static int read_gpus(struct full_rule *r, const struct config *at, struct err *e)
{
    const bool range = at && config_kind(at) == CONFIG_ARRAY;
    uint64_t lo = 0, hi = (uint64_t)GPUS_MOST;
    int rc = 0;
    if (range && config_count(at) != 2)
        return config_complain(at, e, "a number of GPUs, or [least, most]");
    if (at)
        rc = config_u64(range ? config_at(at, 0) : at, 0, hi, &lo, e);
    if (!rc && at)
        rc = config_u64(range ? config_at(at, 1) : at, lo, hi, &hi, e);
    r->least = (uint32_t)lo;
    r->most = (uint32_t)hi;
    return rc;
}

static bool named(const struct config *at, const char *name)
{
    const char *want;
    if (!name)
        return false;
    if (config_kind(at) != CONFIG_ARRAY)
        return !config_str(at, &want, NULL) && !strcmp(want, name);
    for (size_t i = 0; i < config_count(at); i++)
        if (!config_str(config_at(at, i), &want, NULL) && !strcmp(want, name))
            return true;
    return false;
}

static bool matches(const struct full_rule *r, const struct trace_job *row,
                    const struct row_source *names)
{
    const uint32_t id[FULL_WHO] = {row->group, row->user, row->qos, row->gpu_spec};
    if (row->gpus < r->least || row->gpus > r->most)
        return false;
    for (int i = 0; i < FULL_WHO; i++)
        if (r->who[i] && (id[i] == TRACE_NAME_NONE || !names->name ||
                          !named(r->who[i], names->name(names, id[i]))))
            return false;
    return true;
}

uint32_t full_rule(const struct full_config *c, const struct trace_job *row,
                   const struct row_source *names)
{
    uint32_t i = 0;
    while (i < c->n && !matches(&c->rule[i], row, names))
        i++;
    return i;
}

/* ---- what they run -------------------------------------------------------------- */

/* What the mix itself says, and what would make "how fast" mean nothing. */
static int check_without(const struct config *at, const char *const *keys, const char *why,
                         struct err *e)
{
    for (size_t i = 0; at && keys[i]; i++)
        if (config_get(at, keys[i]))
            return config_complain(config_get(at, keys[i]), e, "no \"%s\": %s", keys[i], why);
    return 0;
}

static int check_runs(const struct full_config *c, const struct config *runs, struct err *e)
{
    static const char *const of_vm[] = {"name", "count", NULL};
    static const char *const of_tenant[] = {"name",    "copies",  "device",     "partition",
                                            "weight",  "percent", "background", "count",
                                            "start_s", NULL};
    static const char *const open[] = {"rate_per_s", "arrivals", "steps", "think_ms", NULL};
    const struct config *work =
        config_kind(runs) == CONFIG_OBJECT ? config_get(runs, "workload") : NULL;
    const char *program = NULL;
    if (config_kind(runs) != CONFIG_OBJECT)
        return config_complain(runs, e, "an object");
    int rc = check_without(runs, c->model == FULL_HOST ? of_vm : of_tenant,
                           "who is on the machine says it", e);
    if (!rc)
        rc = check_without(runs, open, "a job works without end, as fast as it can", e);
    if (rc || !work || config_kind(work) != CONFIG_OBJECT)
        return rc;
    const struct config *name = config_get(work, "program");
    if (name && config_kind(name) == CONFIG_STRING)
        rc = config_str(name, &program, e);
    if (program && !strcmp(program, "inference"))
        return config_complain(name, e, "a program that works without end, as fast as it can");
    return rc ? rc : check_without(work, open, "a job works without end, as fast as it can", e);
}

static int check_name(const struct full_config *c, const struct config *at, const char *name,
                      struct err *e)
{
    const size_t n = strlen(name);
    if (!n || n > 24 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return config_complain(at, e, "1..24 characters of a-z, 0-9 and _");
    for (uint32_t i = 0; i < c->n; i++)
        if (!strcmp(c->rule[i].name, name))
            return config_complain(at, e, "a name of its own");
    return 0;
}

static int read_rule(struct full_config *c, const struct config *at, struct err *e)
{
    struct part {
        const char *name;
        const struct config *group, *user, *qos, *gpu_type, *gpus, *each, *runs;
    } in = {0};
    static const struct config_field fields[] = {CONFIG_STR(struct part, name, true),
                                                 CONFIG_ANY(struct part, group, false),
                                                 CONFIG_ANY(struct part, user, false),
                                                 CONFIG_ANY(struct part, qos, false),
                                                 CONFIG_ANY(struct part, gpu_type, false),
                                                 CONFIG_ANY(struct part, gpus, false),
                                                 CONFIG_ANY(struct part, each, false),
                                                 CONFIG_ANY(struct part, runs, true),
                                                 CONFIG_END};
    static const char *const each[] = {"gpu", "seat", NULL};
    int by = 0, rc = config_fill(at, fields, &in, e);
    if (!rc)
        rc = check_name(c, config_get(at, "name"), in.name, e);
    struct full_rule *r = &c->rule[c->n];
    *r = (struct full_rule){
        .name = in.name, .who = {in.group, in.user, in.qos, in.gpu_type}, .runs = in.runs};
    for (int i = 0; !rc && i < FULL_WHO; i++)
        rc = check_names(r->who[i], e);
    if (!rc)
        rc = read_gpus(r, in.gpus, e);
    if (!rc && in.each && c->model == FULL_GPU)
        return config_complain(in.each, e, "no \"each\": a machine is one GPU");
    if (!rc && in.each)
        rc = config_choice(in.each, each, &by, e);
    r->by_seat = by == 1;
    return rc ? rc : check_runs(c, in.runs, e);
}

static int read_rules(struct full_config *c, const struct config *list, struct err *e)
{
    const size_t n = config_kind(list) == CONFIG_ARRAY ? config_count(list) : 0;
    if (!n || n > FULL_RULES)
        return config_complain(list, e, "a list of 1..%d kinds of jobs", FULL_RULES);
    int rc = 0;
    for (; !rc && c->n < n; c->n += !rc)
        rc = read_rule(c, config_at(list, c->n), e);
    return rc;
}

/* ---- the section of the machine's model ------------------------------------------- */

/* How GPUs are shared, and what a part of one is, must go together. */
static int check_of(const struct full_config *c, const struct config *at, const char *sharing,
                    struct err *e)
{
    if (!strcmp(sharing, "mig") != (c->of == OF_MIG))
        return config_complain(at, e,
                               "\"mig\" where \"fraction\" is of MIG slices, and only there");
    if (c->of == OF_MPS && strcmp(sharing, "mps"))
        return config_complain(at, e, "\"mps\": \"fraction\" is of MPS percents");
    if (c->of == OF_TIME && (!strcmp(sharing, "mps") || !strcmp(sharing, "dispatch")))
        return config_complain(at, e, "turns: \"fraction\" is of time");
    return 0;
}

/* On a host those who share GPUs do it as its "gpus" say. */
static int check_gpus(const struct full_config *c, const struct config *hosts, struct err *e)
{
    const struct config *at = c->section ? config_get(c->section, "gpus") : NULL;
    const char *sharing = "";
    if (!at != (c->of == OF_NOTHING))
        return config_complain(at ? at : hosts, e,
                               at ? "a \"fraction\": nobody has a part of a GPU"
                                  : "\"gpus\" in its \"section\": with a \"fraction\" GPUs are "
                                    "shared");
    if (!at)
        return 0;
    int rc = config_kind(at) == CONFIG_OBJECT && config_get(at, "sharing")
                 ? config_str(config_get(at, "sharing"), &sharing, e)
                 : config_complain(at, e, "an object with a \"sharing\"");
    return rc ? rc : check_of(c, at, sharing, e);
}

static int check_sharing(const struct full_config *c, const struct config *hosts, struct err *e)
{
    const struct config *at = c->section ? config_get(c->section, "sharing") : NULL;
    const char *sharing = "time-slice";
    int rc = at ? config_str(at, &sharing, e) : 0;
    if (rc)
        return rc;
    at = at ? at : hosts;
    if ((rc = check_of(c, at, sharing, e)))
        return rc;
    if (!config_get(c->section ? c->section : hosts, "duration_s"))
        return config_complain(c->section ? c->section : hosts, e,
                               "a \"duration_s\": how long a mix is looked at");
    return 0;
}

static int check_section(const struct full_config *c, const struct config *hosts, struct err *e)
{
    static const char *const of_host[] = {"vms", "overcommit", "baseline", NULL};
    static const char *const of_gpu[] = {"tenants",  "partitions", "events", "normalize",
                                         "share_ms", "infer",      NULL};
    if (c->section && config_kind(c->section) != CONFIG_OBJECT)
        return config_complain(c->section, e, "an object");
    int rc = check_without(c->section, c->model == FULL_HOST ? of_host : of_gpu,
                           "who is on the machine says it", e);
    if (rc || c->model == FULL_GPU)
        return rc ? rc : check_sharing(c, hosts, e);
    return check_gpus(c, hosts, e);
}

int full_config(struct full_config *c, const struct config *at, enum cluster_fraction of,
                struct err *e)
{
    struct part {
        const struct config *model, *section, *jobs;
        uint32_t memo;
    } in = {.memo = 1u << 16};
    static const struct config_field fields[] = {
        CONFIG_ANY(struct part, model, true), CONFIG_ANY(struct part, section, false),
        CONFIG_ANY(struct part, jobs, true), CONFIG_U32(struct part, memo, 0, 1u << 24, false),
        CONFIG_END};
    *c = (struct full_config){.of = of};
    int model = 0, rc = at ? config_fill(at, fields, &in, e) : 0;
    if (rc || !at)
        return rc;
    rc = config_choice(in.model, models, &model, e);
    c->model = model ? FULL_GPU : FULL_HOST;
    c->section = in.section;
    c->memo = in.memo;
    if (!rc)
        rc = check_section(c, at, e);
    return rc ? rc : read_rules(c, in.jobs, e);
}

/* ---- each program alone --------------------------------------------------------------- */

struct question {
    const struct machine *machine;
    const char *stack;
    const struct config *programs;
    enum { ASK_CHECK, ASK_FITS, ASK_PROGRAMS } what;
};

static int ask(const struct full_config *c, const struct question *q, const struct config *section,
               struct err *e)
{
    const struct model_ops *m = full_model(c);
    switch (q->what) {
    case ASK_CHECK:
        return m->check(section, e);
    case ASK_FITS:
        return m->fits(section, q->machine, q->stack, e);
    default:
        return m->programs ? m->programs(section, q->programs, e) : 0;
    }
}

static int ask_alone(const struct full_config *c, const struct question *q, struct mix_kind kind,
                     bool bare, struct err *e)
{
    struct mix x;
    struct config *section;
    mix_alone(&x, c, kind);
    char *text = full_section(c, q->machine, &x, bare);
    if (!text)
        return err_set(e, ERR_ENOMEM, "cluster: out of memory");
    int rc = config_parse(&section, config_path(c->rule[kind.rule].runs), text, strlen(text), e);
    free(text);
    if (rc)
        return rc;
    rc = ask(c, q, section, e);
    config_free(section);
    return rc;
}

/* On the stack, there with a part of a GPU if anybody may have one (three slices of seven, or
 * half), and on the bare machine. */
static int ask_all(const struct full_config *c, const struct question *q, struct err *e)
{
    const uint16_t part = c->of == OF_MIG ? 429 : 500;
    int rc = 0;
    for (uint16_t i = 0; !rc && i < c->n; i++) {
        struct question bare = *q;
        bare.stack = NULL;
        rc = ask_alone(c, q, (struct mix_kind){i, 1000}, false, e);
        if (!rc && c->of != OF_NOTHING)
            rc = ask_alone(c, q, (struct mix_kind){i, part}, false, e);
        if (!rc)
            rc = ask_alone(c, &bare, (struct mix_kind){i, 1000}, true, e);
    }
    return rc;
}

int full_check(const struct full_config *c, struct err *e)
{
    return ask_all(c, &(struct question){.what = ASK_CHECK}, e);
}

int full_fits(const struct full_config *c, const struct machine *machine, const char *stack,
              struct err *e)
{
    const struct question q = {.machine = machine, .stack = stack, .what = ASK_FITS};
    return ask_all(c, &q, e);
}

int full_programs(const struct full_config *c, const struct config *programs, struct err *e)
{
    const struct question q = {.programs = programs, .what = ASK_PROGRAMS};
    return ask_all(c, &q, e);
}
