/* synth_sched_params.c - presets of task sets, and a section of one's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/synth_kinds.h"
#include "traces/synth_sched.h"

#define SOURCE "nobody's trace: tasks as rt-app describes them (traces/synth_sched.h)"
#define US_MAX 1e9

static const struct preset {
    const char *name, *title;
    struct synth_sched p;
} presets[] = {
    {"sched-periodic",
     "rt-app-like: 8 tasks of 16 ms periods, 20 % each, on 4 CPUs",
     {.cpus = 4,
      .slice_us = 4000,
      .classes = 1,
      .cls = {{"rt-app", 8, 16000, 0.05, 0, 3200, 0, 1, 120}}}},
    {"sched-bursty",
     "interactive: 24 tasks that mostly sleep, a tenth of their runs 20 times longer, on 4 CPUs",
     {.cpus = 4,
      .slice_us = 4000,
      .classes = 1,
      .cls = {{"bursty", 24, 0, 0, 10000, 400, 0.1, 20, 120}}}},
    {"sched-mixed",
     "periodic, bursty and always busy tasks on 4 CPUs",
     {.cpus = 4,
      .slice_us = 4000,
      .classes = 3,
      .cls = {{"rt-app", 4, 16000, 0.05, 0, 1600, 0, 1, 120},
              {"bursty", 12, 0, 0, 10000, 400, 0.1, 20, 120},
              {"busy", 4, 0, 0, 10, 50000, 0, 1, 120}}}},
};
#define PRESETS (sizeof presets / sizeof *presets)
#define ROWS    100000

struct class_text {
    struct synth_sched_class c;
    const char *name;
};

static int check_class(const struct config *at, const struct class_text *t, struct err *e)
{
    int rc = synth_name_check(config_get(at, "name"), t->name, sizeof t->c.name, e);
    if (rc)
        return rc;
    if ((t->c.period_us > 0) == (t->c.sleep_us > 0))
        return config_complain(at, e, "either period_us or sleep_us");
    if (t->c.period_us > 0 && t->c.burst > 0)
        return config_complain(config_get(at, "burst"), e, "it beside sleep_us, not period_us");
    return 0;
}

static int read_class(const struct config *at, struct synth_sched_class *out, struct err *e)
{
    const struct config_field fields[] = {
        {"name", CONFIG_T_STR, offsetof(struct class_text, name), 0, 0, true},
        {"tasks", CONFIG_T_U32, offsetof(struct class_text, c.tasks), 1, SYNTH_SCHED_TASKS, false},
        {"period_us", CONFIG_T_F64, offsetof(struct class_text, c.period_us), 1, US_MAX, false},
        {"jitter", CONFIG_T_F64, offsetof(struct class_text, c.jitter), 0, 1, false},
        {"sleep_us", CONFIG_T_F64, offsetof(struct class_text, c.sleep_us), 1e-3, US_MAX, false},
        {"run_us", CONFIG_T_F64, offsetof(struct class_text, c.run_us), 1e-3, US_MAX, true},
        {"burst", CONFIG_T_F64, offsetof(struct class_text, c.burst), 0, 1, false},
        {"burst_factor", CONFIG_T_F64, offsetof(struct class_text, c.burst_factor), 1, 1e6, false},
        {"prio", CONFIG_T_U32, offsetof(struct class_text, c.prio), 0, 140, false},
        CONFIG_END,
    };
    struct class_text t = {.c = {.tasks = 1, .burst_factor = 1, .prio = 120}, .name = ""};
    int rc = config_fill(at, fields, &t, e);
    if (rc || (rc = check_class(at, &t, e)))
        return rc;
    snprintf(t.c.name, sizeof t.c.name, "%s", t.name);
    *out = t.c;
    return 0;
}

static int read_classes(const struct config *c, struct synth_sched *p, struct err *e)
{
    uint32_t tasks = 0;
    if (config_kind(c) != CONFIG_ARRAY || config_count(c) < 1 ||
        config_count(c) > SYNTH_SCHED_CLASSES)
        return config_complain(c, e, "a list of 1..%d kinds of tasks", SYNTH_SCHED_CLASSES);
    p->classes = (uint32_t)config_count(c);
    for (size_t i = 0; i < p->classes; i++) {
        int rc = read_class(config_at(c, i), &p->cls[i], e);
        if (rc)
            return rc;
        tasks += p->cls[i].tasks;
    }
    return tasks > SYNTH_SCHED_TASKS
               ? config_complain(c, e, "at most %d tasks in all", SYNTH_SCHED_TASKS)
               : 0;
}

struct sched_text {
    struct synth_sched p;
    const struct config *table, *preset, *tasks;
};

static int read_params(const struct config *section, void *params, struct err *e)
{
    const struct config_field fields[] = {
        SYNTH_HEAD_FIELDS(struct sched_text, p.head),
        {"cpus", CONFIG_T_U32, offsetof(struct sched_text, p.cpus), 1, SYNTH_SCHED_CPUS, false},
        {"slice_us", CONFIG_T_F64, offsetof(struct sched_text, p.slice_us), 1, US_MAX, false},
        CONFIG_ANY(struct sched_text, tasks, false),
        CONFIG_END,
    };
    struct sched_text t = {.p = {.head.rows = ROWS, .cpus = 1, .slice_us = 4000}};
    int rc = synth_preset_read(section, &synth_kind_sched, &t.p, e);
    if (rc || (rc = config_fill(section, fields, &t, e)) ||
        (rc = synth_head_check(section, &t.p.head, e)))
        return rc;
    if (!t.preset && !t.tasks)
        return config_complain(section, e, "a preset or tasks");
    if (t.tasks && (rc = read_classes(t.tasks, &t.p, e)))
        return rc;
    *(struct synth_sched *)params = t.p;
    return 0;
}

static void put_rest(FILE *f, const void *params)
{
    const struct synth_sched *p = params;
    fprintf(f, ",\"cpus\":%u,\"slice_us\":%.17g,\"tasks\":[", p->cpus, p->slice_us);
    for (uint32_t i = 0; i < p->classes; i++) {
        const struct synth_sched_class *c = &p->cls[i];
        fprintf(f, "%s{\"name\":\"%s\",\"tasks\":%u,\"prio\":%u", i ? "," : "", c->name, c->tasks,
                c->prio);
        fprintf(f, ",\"period_us\":%.17g,\"jitter\":%.17g,\"sleep_us\":%.17g", c->period_us,
                c->jitter, c->sleep_us);
        fprintf(f, ",\"run_us\":%.17g,\"burst\":%.17g,\"burst_factor\":%.17g}", c->run_us, c->burst,
                c->burst_factor);
    }
    fputc(']', f);
}

static char *json(const void *params)
{
    return synth_head_json(params, put_rest);
}

/* Three rows a run: a wakeup, a switch to it, a switch from it. */
static double span_s(const void *params)
{
    const struct synth_sched *p = params;
    double per_s = 0;
    for (uint32_t i = 0; i < p->classes; i++) {
        const struct synth_sched_class *c = &p->cls[i];
        double run = c->run_us * (1 + c->burst * (c->burst_factor - 1));
        per_s += 3 * 1e6 * c->tasks / (c->period_us > 0 ? c->period_us : c->sleep_us + run);
    }
    return synth_head_span(&p->head, (double)p->head.rows / per_s);
}

static struct trace_names *names(const void *params)
{
    const struct synth_sched *p = params;
    struct trace_names *n = names_new();
    bool ok = n && names_id(n, "swapper", 7) == 0;
    for (uint32_t i = 0; ok && i < p->classes; i++)
        ok = names_id(n, p->cls[i].name, strlen(p->cls[i].name)) != TRACE_NAME_NONE;
    if (!ok) {
        names_free(n);
        return NULL;
    }
    return n;
}

static bool preset_at(size_t i, struct synth_named *what, void *params)
{
    struct synth_sched *p = params;
    if (i >= PRESETS)
        return false;
    *what = (struct synth_named){presets[i].name, presets[i].title, SOURCE};
    if (p) {
        *p = presets[i].p;
        p->head.rows = ROWS;
        synth_head_named(&p->head, what->name);
    }
    return true;
}

const struct synth_kind synth_kind_sched = {.table = TRACE_SCHED,
                                            .read = read_params,
                                            .json = json,
                                            .open = synth_sched_open,
                                            .set_rows = synth_head_set_rows,
                                            .rows = synth_head_rows,
                                            .span_s = span_s,
                                            .name = synth_head_name,
                                            .seeded = synth_head_seeded,
                                            .names = names,
                                            .preset_at = preset_at};
