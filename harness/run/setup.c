#include "harness/run/setup.h"

#include <stdio.h>
#include <string.h>

#define SEED_MAX   9007199254740992.0 /* 2^53: what JSON's numbers hold exactly */
#define TRIALS_MAX 1000000

#define X(m) &m,
static const struct model_ops *const models[] = {MODELS(X) NULL};
#undef X
#define N_MODELS (sizeof models / sizeof *models - 1)

const struct model_ops *setup_model(size_t i)
{
    return models[i < sizeof models / sizeof *models ? i : N_MODELS];
}

const char *setup_headline(const char *experiment_json)
{
    struct config *doc;
    const char *name = NULL, *headline = NULL;
    if (!experiment_json ||
        config_parse(&doc, "experiment", experiment_json, strlen(experiment_json), NULL))
        return NULL;
    const struct config *model = config_get(doc, "model");
    if (model && !config_str(model, &name, NULL))
        for (size_t i = 0; models[i]; i++)
            if (!strcmp(models[i]->name, name))
                headline = models[i]->headline;
    config_free(doc);
    return headline;
}

/* The document's top level, as written. */
struct top {
    const char *schema, *name, *title, *stack, *model;
    const struct config *trace, *nodes, *programs, *tables, *machine, *scale, *policy, *policies,
        *sweep;
    uint64_t seed, trials;
    bool exact_percentiles;
    const struct config *section[N_MODELS + 1];
};

static const struct config_field top_fields[] = {
    CONFIG_STR(struct top, schema, true),
    CONFIG_STR(struct top, name, true),
    CONFIG_STR(struct top, title, false),
    CONFIG_ANY(struct top, trace, false),
    CONFIG_ANY(struct top, nodes, false),
    CONFIG_ANY(struct top, programs, false),
    CONFIG_ANY(struct top, tables, false),
    CONFIG_ANY(struct top, machine, false),
    CONFIG_ANY(struct top, scale, false),
    CONFIG_STR(struct top, stack, false),
    CONFIG_STR(struct top, model, true),
    CONFIG_ANY(struct top, policy, false),
    CONFIG_ANY(struct top, policies, false),
    CONFIG_U64(struct top, seed, 0, SEED_MAX, false),
    CONFIG_U64(struct top, trials, 1, TRIALS_MAX, false),
    CONFIG_BOOL(struct top, exact_percentiles, false),
    CONFIG_ANY(struct top, sweep, false),
};
#define N_TOP (sizeof top_fields / sizeof *top_fields)

/* Every model may have its section, whichever is chosen: a sweep can choose. */
static int read_top(struct top *t, const struct config *doc, struct err *e)
{
    struct config_field field[N_TOP + N_MODELS + 1];
    memcpy(field, top_fields, sizeof top_fields);
    for (size_t i = 0; models[i]; i++)
        field[N_TOP + i] = (struct config_field){.key = models[i]->name,
                                                 .type = CONFIG_T_ANY,
                                                 .offset = offsetof(struct top, section) +
                                                           i * sizeof t->section[0]};
    field[N_TOP + N_MODELS] = (struct config_field)CONFIG_END;
    return config_fill(doc, field, t, e);
}

static int check_words(const struct top *t, const struct config *doc, struct err *e)
{
    if (strcmp(t->schema, "malv-experiment/1"))
        return config_complain(config_get(doc, "schema"), e, "\"malv-experiment/1\"");
    /* The name becomes a file's. */
    size_t plain = strspn(t->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._-");
    if (!t->name[0] || t->name[plain] || t->name[0] == '.')
        return config_complain(config_get(doc, "name"), e,
                               "a name of [A-Za-z0-9._-] that does not begin with a dot");
    return 0;
}

static int choose_model(struct setup *s, const struct top *t, const struct config *doc,
                        struct err *e)
{
    const char *names[N_MODELS + 1];
    int chosen = 0;
    for (size_t i = 0; models[i]; i++)
        names[i] = models[i]->name;
    names[N_MODELS] = NULL;
    int rc = config_choice(config_get(doc, "model"), names, &chosen, e);
    if (rc)
        return rc;
    s->model = models[chosen];
    s->section = t->section[chosen];
    return 0;
}

unsigned setup_tables(const struct setup *s)
{
    const struct model_ops *m = s->model;
    return m->needs_requests || !m->rows ? 1u << TRACE_REQUESTS : m->rows;
}

int setup_read(struct setup *s, const struct config *doc, struct err *e)
{
    struct top t = {.title = "", .seed = 1, .trials = 1};
    *s = (struct setup){0};
    int rc = read_top(&t, doc, e);
    if (!rc)
        rc = check_words(&t, doc, e);
    if (!rc)
        rc = choose_model(s, &t, doc, e);
    if (!rc)
        rc = setup_policies(s, t.policy, t.policies, e);
    if (!rc && t.machine && config_kind(t.machine) != CONFIG_STRING &&
        config_kind(t.machine) != CONFIG_OBJECT)
        rc = config_complain(t.machine, e, "the path of a machine profile, or the profile");
    if (!rc && t.trace && config_kind(t.trace) != CONFIG_OBJECT)
        rc = config_complain(t.trace, e, "an object that says where requests come from");
    if (!rc && t.nodes && config_kind(t.nodes) != CONFIG_OBJECT)
        rc = config_complain(t.nodes, e, "a trace section that says where nodes come from");
    s->name = t.name;
    s->title = t.title;
    s->trace = t.trace;
    s->nodes = t.nodes;
    s->programs = t.programs;
    s->tables = t.tables;
    s->machine = t.machine;
    s->scale = t.scale;
    s->stack = t.stack;
    s->sweep = t.sweep;
    s->seed = t.seed;
    s->trials = t.trials;
    s->exact = t.exact_percentiles;
    return rc;
}
