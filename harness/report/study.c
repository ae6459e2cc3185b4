/* study.c - reading a study. */
#include "harness/report/study.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *key, *words;
    int better;
} measures[] = {
#define X(key, words, better) {#key, words, better},
    STUDY_MEASURES(X)
#undef X
};

const char *study_words(enum study_measure m)
{
    return measures[m].words;
}

int study_better(enum study_measure m)
{
    return measures[m].better;
}

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

struct raw {
    const char *schema, *name, *title, *source;
    const struct config *stacks, *compare, *mechanisms, *mixes;
    double factor, least;
};
static const struct config_field raw_fields[] = {
    CONFIG_STR(struct raw, schema, true),
    CONFIG_STR(struct raw, name, true),
    CONFIG_STR(struct raw, title, true),
    CONFIG_STR(struct raw, source, true),
    CONFIG_ANY(struct raw, stacks, true),
    CONFIG_ANY(struct raw, compare, true),
    CONFIG_ANY(struct raw, mechanisms, true),
    CONFIG_ANY(struct raw, mixes, true),
    CONFIG_F64(struct raw, factor, 1.001, 1000, true),
    CONFIG_F64(struct raw, least, 0, 1, true),
    CONFIG_END,
};
struct raw_mix {
    const char *name, *title;
    const struct config *experiment, *headline, *measures, *under, *without, *tornado;
};
static const struct config_field mix_fields[] = {
    CONFIG_STR(struct raw_mix, name, true),
    CONFIG_STR(struct raw_mix, title, true),
    CONFIG_ANY(struct raw_mix, experiment, true),
    CONFIG_ANY(struct raw_mix, headline, true),
    CONFIG_ANY(struct raw_mix, measures, true),
    CONFIG_ANY(struct raw_mix, under, false),
    CONFIG_ANY(struct raw_mix, without, false),
    CONFIG_ANY(struct raw_mix, tornado, false),
    CONFIG_END,
};
struct raw_out {
    const char *name, *title;
    const struct config *set;
};
static const struct config_field out_fields[] = {
    CONFIG_STR(struct raw_out, name, true),
    CONFIG_STR(struct raw_out, title, true),
    CONFIG_ANY(struct raw_out, set, false),
    CONFIG_END,
};

static int want(const struct config *c, enum config_kind kind, const char *what, struct err *e)
{
    return !c || config_kind(c) == kind ? 0 : config_complain(c, e, "%s", what);
}

/* ---- columns -------------------------------------------------------------------------- */

static int read_stacks(struct study_mix *m, const struct config *stacks, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < config_count(stacks) && !rc; i++) {
        struct study_column *c = &m->column[m->columns++];
        rc = config_str(config_at(stacks, i), &c->stack, e);
        c->name = c->stack;
    }
    m->stacks = m->columns;
    return rc;
}

/* What is taken out, one by one: of every mix, or of this one. */
static int read_ablations(struct study_mix *m, const struct config *list, bool own, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; list && i < config_count(list) && !rc; i++) {
        struct raw_out in = {0};
        rc = config_fill(config_at(list, i), out_fields, &in, e);
        if (!rc)
            rc = want(in.set, CONFIG_OBJECT, "an object of paths and values", e);
        if (!rc && own != (in.set != NULL))
            rc = config_complain(config_at(list, i), e,
                                 own ? "a \"set\": what is different then"
                                     : "no \"set\": it is the stack that is different");
        m->column[m->columns++] =
            (struct study_column){.name = in.name, .title = in.title, .set = in.set};
    }
    return rc;
}

static int read_measures(struct study_mix *m, const struct raw_mix *in, struct err *e)
{
    const char *keys[STUDY_N + 1] = {0};
    int headline = 0, rc = want(in->measures, CONFIG_OBJECT, "an object of measures", e);
    for (int k = 0; k < STUDY_N; k++)
        keys[k] = measures[k].key;
    for (size_t i = 0; i < config_count(in->measures) && !rc; i++) {
        const struct config *c = config_at(in->measures, i);
        int k = 0;
        while (k < STUDY_N && strcmp(measures[k].key, config_key(c)))
            k++;
        rc = k < STUDY_N ? config_str(c, &m->metric[k], e)
                         : err_set(e, ERR_ENAME,
                                   "%s: no such measure, want p50, p99, throughput, gpu, os or "
                                   "policy",
                                   config_path(c));
    }
    if (!rc)
        rc = config_choice(in->headline, keys, &headline, e);
    m->headline = (enum study_measure)headline;
    if (!rc && (!m->metric[headline] || !study_better(m->headline)))
        rc = config_complain(in->headline, e, "one of its \"measures\" that has a better side");
    return rc;
}

static int read_mix(struct study *s, struct study_mix *m, const struct config *c, struct err *e)
{
    struct raw_mix in = {0};
    int rc = config_fill(c, mix_fields, &in, e);
    if (!rc)
        rc = want(in.experiment, CONFIG_OBJECT, "an experiment", e);
    if (!rc)
        rc = want(in.under, CONFIG_OBJECT, "an object of stacks", e);
    if (!rc)
        rc = want(in.without, CONFIG_ARRAY, "a list of what is taken out", e);
    if (!rc)
        rc = want(in.tornado, CONFIG_OBJECT, "an object of paths and values", e);
    if (!rc)
        rc = read_measures(m, &in, e);
    if (rc)
        return rc;
    m->name = in.name;
    m->title = in.title;
    m->experiment = in.experiment;
    m->under = in.under;
    m->tornado_set = in.tornado;
    const size_t most = config_count(s->stacks) + config_count(s->mechanisms) +
                        (in.without ? config_count(in.without) : 0);
    if (!(m->column = calloc(most + 1, sizeof *m->column)))
        return no_memory(e);
    rc = read_stacks(m, s->stacks, e);
    if (!rc)
        rc = read_ablations(m, s->mechanisms, false, e);
    return rc ? rc : read_ablations(m, in.without, true, e);
}

/* ---- the whole -------------------------------------------------------------------------- */

static int find_column(const struct study *s, const struct config *name, size_t *out, struct err *e)
{
    const char *want_name, *stack;
    int rc = config_str(name, &want_name, e);
    for (size_t i = 0; i < config_count(s->stacks) && !rc; i++)
        if (!config_str(config_at(s->stacks, i), &stack, NULL) && !strcmp(stack, want_name)) {
            *out = i;
            return 0;
        }
    return rc ? rc : config_complain(name, e, "one of \"stacks\"");
}

static int read_all(struct study *s, struct err *e)
{
    struct raw in = {0};
    int rc = config_fill(s->doc, raw_fields, &in, e);
    if (!rc && strcmp(in.schema, STUDY_SCHEMA))
        rc = config_complain(config_get(s->doc, "schema"), e, "\"" STUDY_SCHEMA "\"");
    if (!rc && (!*in.name || in.name[strspn(in.name, "abcdefghijklmnopqrstuvwxyz0123456789-_")]))
        rc = config_complain(config_get(s->doc, "name"), e, "a name of a-z, 0-9, - and _");
    if (!rc)
        rc = want(in.stacks, CONFIG_ARRAY, "a list of stacks", e);
    if (!rc)
        rc = want(in.mechanisms, CONFIG_ARRAY, "a list of mechanisms", e);
    if (!rc && (config_kind(in.compare) != CONFIG_ARRAY || config_count(in.compare) != 2))
        rc = config_complain(in.compare, e, "two of the stacks");
    if (!rc && (config_kind(in.mixes) != CONFIG_ARRAY || !config_count(in.mixes)))
        rc = config_complain(in.mixes, e, "a list of mixes, at least one");
    if (rc)
        return rc;
    s->name = in.name;
    s->title = in.title;
    s->source = in.source;
    s->stacks = in.stacks;
    s->mechanisms = in.mechanisms;
    s->factor = in.factor;
    s->least = in.least;
    rc = find_column(s, config_at(in.compare, 0), &s->base, e);
    if (!rc)
        rc = find_column(s, config_at(in.compare, 1), &s->of, e);
    if (!rc && !(s->mix = calloc(config_count(in.mixes), sizeof *s->mix)))
        rc = no_memory(e);
    for (size_t i = 0; i < config_count(in.mixes) && !rc; i++)
        rc = read_mix(s, &s->mix[s->n++], config_at(in.mixes, i), e);
    return rc;
}

bool study_is(const char *path)
{
    struct config *doc;
    const char *schema = "";
    if (config_load(&doc, path, NULL))
        return false;
    const struct config *c = config_get(doc, "schema");
    const bool is = c && !config_str(c, &schema, NULL) && !strcmp(schema, STUDY_SCHEMA);
    config_free(doc);
    return is;
}

int study_load(struct study **out, const char *path, struct err *e)
{
    struct study *s = *out = calloc(1, sizeof *s);
    if (!s || !(s->file = strdup(path))) {
        free(s);
        *out = NULL;
        return no_memory(e);
    }
    int rc = config_load(&s->doc, path, e);
    if (!rc)
        rc = read_all(s, e);
    if (rc) {
        study_free(s);
        *out = NULL;
    }
    return rc;
}

void study_free(struct study *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct study_mix *m = &s->mix[i];
        for (size_t c = 0; c < m->columns; c++)
            for (int k = 0; k < STUDY_N; k++)
                free(m->column[c].value[k]);
        free(m->column);
        for (int k = 0; k < STUDY_N; k++)
            free(m->unit[k]);
        tornado_free(&m->tornado);
    }
    free(s->mix);
    config_free(s->doc);
    free(s->file);
    free(s);
}
