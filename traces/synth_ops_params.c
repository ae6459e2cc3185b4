/* synth_ops_params.c - a section of one's own, and what synth_kinds.c asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"
#include "traces/synth_ops.h"

#define US_MAX 1e9

struct class_text {
    struct synth_ops_class c;
    const char *name;
    const struct config *bound;
};

static int check_class(const struct config *at, const struct class_text *t, struct err *e)
{
    int rc = synth_name_check(config_get(at, "name"), t->name, sizeof t->c.name, e);
    if (rc)
        return rc;
    if (t->c.max_us > 0 && t->c.max_us < t->c.us)
        return config_complain(config_get(at, "max_us"), e, "at least us, %g: it is the mean",
                               t->c.us);
    return 0;
}

static const struct config_field class_fields[] = {
    {"name", CONFIG_T_STR, offsetof(struct class_text, name), 0, 0, true},
    {"count", CONFIG_T_U32, offsetof(struct class_text, c.count), 1, SYNTH_OPS_KERNELS, false},
    {"us", CONFIG_T_F64, offsetof(struct class_text, c.us), 1e-3, US_MAX, true},
    {"sigma", CONFIG_T_F64, offsetof(struct class_text, c.sigma), 0, 5, false},
    {"max_us", CONFIG_T_F64, offsetof(struct class_text, c.max_us), 1e-3, US_MAX, false},
    {"sms", CONFIG_T_F64, offsetof(struct class_text, c.sms), 1, 1e6, false},
    {"sms_sigma", CONFIG_T_F64, offsetof(struct class_text, c.sms_sigma), 0, 5, false},
    {"sms_max", CONFIG_T_U32, offsetof(struct class_text, c.sms_max), 1, 1e6, false},
    {"coupling", CONFIG_T_F64, offsetof(struct class_text, c.coupling), -1, 1, false},
    CONFIG_ANY(struct class_text, bound, false),
    CONFIG_END,
};

static int read_class(const struct config *at, struct synth_ops_class *out, struct err *e)
{
    static const char *const bounds[] = {"none", "compute", "memory", NULL};
    struct class_text t = {.c = {.count = 1}, .name = ""};
    int bound = 0, rc = config_fill(at, class_fields, &t, e);
    if (rc || (rc = check_class(at, &t, e)) ||
        (rc = t.bound ? config_choice(t.bound, bounds, &bound, e) : 0))
        return rc;
    t.c.bound = (enum trace_op_bound)bound;
    snprintf(t.c.name, sizeof t.c.name, "%s", t.name);
    *out = t.c;
    return 0;
}

static int read_classes(const struct config *c, struct synth_ops *p, struct err *e)
{
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 ||
        config_count(c) > SYNTH_OPS_CLASSES)
        return config_complain(c, e, "a list of 1..%d kinds of kernels", SYNTH_OPS_CLASSES);
    p->classes = (uint32_t)config_count(c);
    for (size_t i = 0; i < p->classes; i++) {
        int rc = read_class(config_at(c, i), &p->cls[i], e);
        if (rc)
            return rc;
    }
    return synth_ops_kernels(p) > SYNTH_OPS_KERNELS
               ? config_complain(c, e, "at most %d kernels in all", SYNTH_OPS_KERNELS)
               : 0;
}

/* Keys that say something only where a thread launches. */
static const char *const hosts[] = {"queue",     "launch_us", "latency_us", "host_us",  "idle_us",
                                    "h2d_bytes", "d2h_bytes", "copy_us",    "copy_gbps"};

static int check(const struct config *section, const struct synth_ops *p, struct err *e)
{
    for (size_t i = 0; !p->launches && i < sizeof hosts / sizeof *hosts; i++) {
        const struct config *at = config_get(section, hosts[i]);
        if (at)
            return err_set(e, ERR_ENAME, "%s: of no use without launches", config_path(at));
    }
    if (config_get(section, "iterations") &&
        (config_get(section, "rows") || config_get(section, "duration_s")))
        return config_complain(section, e, "one of iterations, rows and duration_s");
    return 0;
}

struct ops_text {
    struct synth_ops p;
    const struct config *table, *preset, *kernels, *network;
};

#define US(key)                                                                                    \
    {                                                                                              \
#key, CONFIG_T_F64, offsetof(struct ops_text, p.key), 0, US_MAX, false                     \
    }
#define BYTES(key)                                                                                 \
    {                                                                                              \
#key, CONFIG_T_U64, offsetof(struct ops_text, p.key), 0, 1e12, false                       \
    }

static const struct config_field ops_fields[] = {
    SYNTH_HEAD_FIELDS(struct ops_text, p.head),
    CONFIG_ANY(struct ops_text, kernels, false),
    CONFIG_ANY(struct ops_text, network, false),
    {"iterations", CONFIG_T_U64, offsetof(struct ops_text, p.iterations), 1, 1e9, false},
    {"streams", CONFIG_T_U32, offsetof(struct ops_text, p.streams), 1, SYNTH_OPS_STREAMS, false},
    {"queue", CONFIG_T_U32, offsetof(struct ops_text, p.queue), 1, SYNTH_OPS_QUEUE, false},
    {"launches", CONFIG_T_BOOL, offsetof(struct ops_text, p.launches), 0, 0, false},
    US(launch_us),
    US(latency_us),
    US(host_us),
    US(idle_us),
    US(copy_us),
    BYTES(h2d_bytes),
    BYTES(d2h_bytes),
    {"copy_gbps", CONFIG_T_F64, offsetof(struct ops_text, p.copy_gbps), 1e-3, 1e6, false},
    {"jitter", CONFIG_T_F64, offsetof(struct ops_text, p.jitter), 0, 0.9, false},
    CONFIG_END,
};

/* What a launch takes and how copies go is the A100's of the presets. */
static struct synth_ops defaults(void)
{
    return (struct synth_ops){.iterations = 1,
                              .streams = 1,
                              .queue = SYNTH_OPS_QUEUE,
                              .launches = true,
                              .launch_us = 2.621,
                              .latency_us = 3,
                              .copy_us = 10,
                              .copy_gbps = 25.9};
}

/* Kernels or a network take the place of the preset's, whichever it has. */
static int read_work(const struct config *section, struct ops_text *t, struct err *e)
{
    if (!t->preset && !t->kernels && !t->network)
        return config_complain(section, e, "a preset, kernels or a network");
    if (t->kernels && t->network)
        return config_complain(section, e, "one of kernels and network");
    if (t->kernels) {
        t->p.net = (struct synth_net){0};
        return read_classes(t->kernels, &t->p, e);
    }
    if (!t->network)
        return 0;
    t->p.classes = 0;
    return synth_net_read(t->network, &t->p.net, e);
}

static int read_params(const struct config *section, void *params, struct err *e)
{
    struct ops_text t = {.p = defaults()};
    int rc = synth_preset_read(section, &synth_kind_ops, &t.p, e);
    if (rc || (rc = config_fill(section, ops_fields, &t, e)))
        return rc;
    if ((rc = read_work(section, &t, e)) || (rc = check(section, &t.p, e)))
        return rc;
    if (!config_get(section, "rows"))
        t.p.head.rows = t.p.iterations * synth_ops_rows(&t.p);
    if ((rc = synth_head_check(section, &t.p.head, e)))
        return rc;
    *(struct synth_ops *)params = t.p;
    return 0;
}

static void put_class(FILE *f, const struct synth_ops_class *c)
{
    fprintf(f, "{\"name\":\"%s\",\"count\":%u,\"us\":%.17g,\"sigma\":%.17g,\"max_us\":%.17g",
            c->name, c->count, c->us, c->sigma, c->max_us);
    fprintf(f, ",\"sms\":%.17g,\"sms_sigma\":%.17g,\"sms_max\":%u,\"coupling\":%.17g,\"bound\":%d}",
            c->sms, c->sms_sigma, c->sms_max, c->coupling, (int)c->bound);
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_ops *p = params;
    fprintf(f, ",\"streams\":%u,\"queue\":%u,\"launches\":%s,\"kernels\":[", p->streams, p->queue,
            p->launches ? "true" : "false");
    for (uint32_t i = 0; i < p->classes; i++) {
        fputs(i ? "," : "", f);
        put_class(f, &p->cls[i]);
    }
    fputc(']', f);
    if (p->net.layers) {
        fputs(",\"network\":", f);
        synth_net_json(f, &p->net);
    }
#define X(key) fprintf(f, ",\"%s\":%.17g", #key, (double)p->key)
    X(launch_us);
    X(latency_us);
    X(host_us);
    X(idle_us);
    X(h2d_bytes);
    X(d2h_bytes);
    X(copy_us);
    X(copy_gbps);
    X(jitter);
#undef X
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

static double span_s(const void *params)
{
    const struct synth_ops *p = params;
    double iterations = (double)p->head.rows / (double)synth_ops_rows(p);
    double rows_s = (iterations + 1) * synth_ops_span_us(p) * 1e-6;
    return p->head.rows && (p->head.duration_s <= 0 || rows_s < p->head.duration_s)
               ? rows_s
               : p->head.duration_s;
}

static struct trace_names *names(const void *params)
{
    static const char *const rest[SYNTH_OPS_NAMES] = {"launch", "copy in", "copy out", "wait"};
    const struct synth_ops *p = params;
    struct trace_names *n = names_new();
    bool ok = n != NULL;
    const uint32_t first = synth_ops_first_name(p);
    for (uint32_t i = 0; ok && i < first + SYNTH_OPS_NAMES; i++) {
        const char *text = i >= first      ? rest[i - first]
                           : p->net.layers ? synth_net_name((enum net_name)i)
                                           : p->cls[i].name;
        ok = names_id(n, text, strlen(text)) == i;
    }
    if (ok)
        return n;
    names_free(n);
    return NULL;
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_ops *p = params;
    const struct synth_ops_preset *known = synth_ops_preset_at(i);
    if (!known)
        return false;
    *what = (struct synth_named){known->name, known->title, known->source};
    if (p) {
        *p = known->p;
        if (known->net)
            p->net = *known->net;
        if (synth_net_size(&p->net, NULL))
            return false;
        p->head.rows = p->iterations * synth_ops_rows(p);
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_ops = {.table = TRACE_OPS,
                                          .read = read_params,
                                          .json = json,
                                          .open = synth_ops_open,
                                          .set_rows = synth_head_set_rows,
                                          .rows = synth_head_rows,
                                          .span_s = span_s,
                                          .name = synth_head_name,
                                          .seeded = synth_head_seeded,
                                          .names = names,
                                          .preset_at = preset_at};
