/* synth_params.c - the parameters of a synthesizer: presets, JSON, ranges. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth.h"

#define TOKENS_MAX 10000000.0

int synth_params_preset(const char *name, struct synth_params *p, struct err *e)
{
    char known[200];
    size_t at = 0;
    const struct synth_preset *s;
    for (size_t i = 0; (s = synth_preset_at(i)); i++) {
        if (!strcmp(s->name, name)) {
            *p = s->params;
            return 0;
        }
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", s->name);
    }
    return err_set(e, ERR_ENAME, "no preset \"%s\"; known are %s", name, known);
}

static int read_length(const struct config *c, struct synth_length *l, struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_F64(struct synth_length, median, 1e-3, TOKENS_MAX, false),
        CONFIG_F64(struct synth_length, sigma, 0, 5, false),
        CONFIG_F64(struct synth_length, min, 1, TOKENS_MAX, false),
        CONFIG_F64(struct synth_length, max, 1, TOKENS_MAX, false),
        CONFIG_END,
    };
    if (!c)
        return 0;
    int rc = config_fill(c, fields, l, e);
    if (!rc && l->min > l->max)
        rc = config_complain(c, e, "min not above max");
    return rc;
}

struct class_text {
    struct synth_class cls;
    const char *name;
    const struct config *prompt, *output, *more;
};

static int read_class(const struct config *c, struct synth_class *out, struct err *e)
{
    const struct config_field fields[] = {
        {"name", CONFIG_T_STR, offsetof(struct class_text, name), 0, 0, false},
        {"weight", CONFIG_T_F64, offsetof(struct class_text, cls.weight), 0, 1e9, true},
        {"tenants", CONFIG_T_U32, offsetof(struct class_text, cls.tenants), 1, SYNTH_TENANTS,
         false},
        {"prompt", CONFIG_T_ANY, offsetof(struct class_text, prompt), 0, 0, true},
        {"output", CONFIG_T_ANY, offsetof(struct class_text, output), 0, 0, true},
        {"more", CONFIG_T_ANY, offsetof(struct class_text, more), 0, 0, false},
        {"correlation", CONFIG_T_F64, offsetof(struct class_text, cls.correlation), -1, 1, false},
        {"tenant_share", CONFIG_T_F64, offsetof(struct class_text, cls.tenant_share), 0, 1, false},
        {"history_share", CONFIG_T_F64, offsetof(struct class_text, cls.history_share), 0, 1,
         false},
        {"follow", CONFIG_T_F64, offsetof(struct class_text, cls.follow), 0, 0.99, false},
        {"think_s", CONFIG_T_F64, offsetof(struct class_text, cls.think_s), 0, 1e6, false},
        {"system_tokens", CONFIG_T_F64, offsetof(struct class_text, cls.system_tokens), 0,
         TOKENS_MAX, false},
        CONFIG_END,
    };
    struct class_text t = {.cls = {.tenants = 1,
                                   .prompt = {.max = TOKENS_MAX, .min = 1},
                                   .output = {.max = TOKENS_MAX, .min = 1},
                                   .more = {.max = TOKENS_MAX, .min = 1},
                                   .think_s = 60},
                           .name = ""};
    int rc = config_fill(c, fields, &t, e);
    if (!rc && strlen(t.name) >= sizeof t.cls.name)
        rc = config_complain(config_get(c, "name"), e, "at most %zu bytes", sizeof t.cls.name - 1);
    if (rc || (rc = read_length(t.prompt, &t.cls.prompt, e)) ||
        (rc = read_length(t.output, &t.cls.output, e)) ||
        (rc = read_length(t.more, &t.cls.more, e)))
        return rc;
    snprintf(t.cls.name, sizeof t.cls.name, "%s", t.name);
    *out = t.cls;
    return 0;
}

static int read_classes(const struct config *c, struct synth_params *p, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 || config_count(c) > SYNTH_CLASSES)
        return config_complain(c, e, "a list of 1..%d classes", SYNTH_CLASSES);
    p->classes = (uint32_t)config_count(c);
    for (size_t i = 0; i < p->classes; i++) {
        int rc = read_class(config_at(c, i), &p->cls[i], e);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_diurnal(const struct config *c, struct synth_params *p, struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_F64(struct synth_params, amplitude, 0, 0.99, false),
        CONFIG_F64(struct synth_params, peak_h, 0, 1e4, false),
        CONFIG_F64(struct synth_params, period_h, 1e-3, 1e4, false),
        CONFIG_END,
    };
    return c ? config_fill(c, fields, p, e) : 0;
}

static int read_lull(const struct config *c, struct synth_params *p, struct err *e)
{
    const struct config_field fields[] = {
        {"share", CONFIG_T_F64, offsetof(struct synth_params, lull_share), 0, 0.5, false},
        {"gaps", CONFIG_T_F64, offsetof(struct synth_params, lull_gaps), 0, 1e6, false},
        CONFIG_END,
    };
    return c ? config_fill(c, fields, p, e) : 0;
}

struct params_text {
    struct synth_params p;
    const char *preset;
    const struct config *table, *classes, *diurnal, *lull; /* table: read by synth_kinds.c */
};

int synth_params_read(const struct config *section, struct synth_params *p, struct err *e)
{
    const struct config_field fields[] = {
        CONFIG_ANY(struct params_text, table, false),
        {"preset", CONFIG_T_STR, offsetof(struct params_text, preset), 0, 0, false},
        {"requests", CONFIG_T_U64, offsetof(struct params_text, p.requests), 1, 1e15, false},
        {"rate_per_s", CONFIG_T_F64, offsetof(struct params_text, p.rate_per_s), 1e-6, 1e8, false},
        {"cv", CONFIG_T_F64, offsetof(struct params_text, p.cv), 0.01, 100, false},
        {"prefix_block", CONFIG_T_U32, offsetof(struct params_text, p.prefix_block), 0, 65536,
         false},
        {"seed", CONFIG_T_U64, offsetof(struct params_text, p.seed), 0, 9007199254740992.0, false},
        {"classes", CONFIG_T_ANY, offsetof(struct params_text, classes), 0, 0, false},
        {"diurnal", CONFIG_T_ANY, offsetof(struct params_text, diurnal), 0, 0, false},
        {"lull", CONFIG_T_ANY, offsetof(struct params_text, lull), 0, 0, false},
        CONFIG_END,
    };
    struct params_text t = {.p = {.requests = 10000, .rate_per_s = 1, .cv = 1, .period_h = 24}};
    const struct config *preset =
        config_kind(section) == CONFIG_OBJECT ? config_get(section, "preset") : NULL;
    const char *name;
    int rc = 0;
    if (preset && !(rc = config_str(preset, &name, e)) && (rc = synth_params_preset(name, &t.p, e)))
        return err_wrap(e, rc, "%s", config_path(preset));
    if (rc || (rc = config_fill(section, fields, &t, e)))
        return rc;
    if (!preset && !t.classes)
        return config_complain(section, e, "a preset or classes");
    t.p.seeded = config_get(section, "seed") != NULL;
    if ((t.classes && (rc = read_classes(t.classes, &t.p, e))) ||
        (rc = read_diurnal(t.diurnal, &t.p, e)) || (rc = read_lull(t.lull, &t.p, e)))
        return rc;
    *p = t.p;
    return synth_params_check(p, config_path(section), e);
}

int synth_params_check(const struct synth_params *p, const char *where, struct err *e)
{
    double weights = 0;
    for (uint32_t i = 0; i < p->classes; i++) {
        const struct synth_class *c = &p->cls[i];
        double told = c->correlation * c->correlation + c->tenant_share + c->history_share;
        weights += c->weight;
        if (told > 1)
            return err_set(e, ERR_ERANGE,
                           "%s: classes[%u]: correlation^2 + tenant_share + history_share: got "
                           "%.4g, want at most 1",
                           where, i, told);
        if (c->prompt.median <= 0 || c->output.median <= 0)
            return err_set(e, ERR_ERANGE, "%s: classes[%u]: prompt and output want a median", where,
                           i);
    }
    if (!(weights > 0))
        return err_set(e, ERR_ERANGE, "%s: classes: got no weight above 0", where);
    if (p->lull_share * p->lull_gaps >= 1)
        return err_set(e, ERR_ERANGE, "%s: lull: share x gaps: got %.4g, want less than 1", where,
                       p->lull_share * p->lull_gaps);
    return 0;
}

static void put_length(FILE *f, const char *key, const struct synth_length *l)
{
    fprintf(f, ",\"%s\":{\"median\":%.17g,\"sigma\":%.17g,\"min\":%.17g,\"max\":%.17g}", key,
            l->median, l->sigma, l->min, l->max);
}

static void put_class(FILE *f, const struct synth_class *c)
{
    fprintf(f, "{\"name\":\"%s\",\"weight\":%.17g,\"tenants\":%u", c->name, c->weight, c->tenants);
    put_length(f, "prompt", &c->prompt);
    put_length(f, "output", &c->output);
    if (c->more.median > 0)
        put_length(f, "more", &c->more);
    fprintf(f,
            ",\"correlation\":%.17g,\"tenant_share\":%.17g,\"history_share\":%.17g,"
            "\"follow\":%.17g,\"think_s\":%.17g,\"system_tokens\":%.17g}",
            c->correlation, c->tenant_share, c->history_share, c->follow, c->think_s,
            c->system_tokens);
}

char *synth_params_json(const struct synth_params *p)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    if (!f)
        return NULL;
    fprintf(f, "{\"requests\":%llu,\"rate_per_s\":%.17g,\"cv\":%.17g,\"prefix_block\":%u",
            (unsigned long long)p->requests, p->rate_per_s, p->cv, p->prefix_block);
    if (p->seeded)
        fprintf(f, ",\"seed\":%llu", (unsigned long long)p->seed);
    fprintf(f, ",\"diurnal\":{\"amplitude\":%.17g,\"peak_h\":%.17g,\"period_h\":%.17g}",
            p->amplitude, p->peak_h, p->period_h);
    fprintf(f, ",\"lull\":{\"share\":%.17g,\"gaps\":%.17g},\"classes\":[", p->lull_share,
            p->lull_gaps);
    for (uint32_t i = 0; i < p->classes; i++) {
        fputs(i ? "," : "", f);
        put_class(f, &p->cls[i]);
    }
    fputs("]}", f);
    if (fclose(f)) {
        free(text);
        return NULL;
    }
    return text;
}
