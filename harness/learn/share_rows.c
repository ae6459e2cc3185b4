#include "harness/learn/share_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/model.h"
#include "models/policy_slot.h"
#include "sim/rng.h"
#include "traces/source.h"

/* Rates: about a fifth and half of what the program alone could do on a V100. */
static const struct {
    const char *preset;
    double rate[SHARE_LOADS];
} critical_programs[SHARE_CRITICAL] = {{"resnet50-inference", {30, 80}},
                                       {"resnet101-inference", {15, 45}},
                                       {"mobilenetv2-inference", {80, 200}},
                                       {"bert-inference", {4, 10}},
                                       {"transformer-xl-inference", {12, 35}}};
static const struct {
    const char *one, *other; /* other NULL: one job */
} jobs[SHARE_BESIDE] = {{"resnet50-train", NULL},
                        {"resnet101-train", NULL},
                        {"mobilenetv2-train", NULL},
                        {"bert-train", NULL},
                        {"transformer-xl-train", NULL},
                        {"resnet50-train", "bert-train"},
                        {"mobilenetv2-train", "transformer-xl-train"}};

enum share_split share_split(uint32_t critical, uint32_t beside)
{
    const uint32_t k = (critical + beside) % 5;
    return k == 0 ? SHARE_TEST : k == 1 ? SHARE_VALIDATION : SHARE_FITTED;
}

void share_rows_say(uint32_t critical, uint32_t load, uint32_t beside, char *text, size_t n)
{
    snprintf(text, n, "%s at %g/s beside %s%s%s", critical_programs[critical].preset,
             critical_programs[critical].rate[load], jobs[beside].one,
             jobs[beside].other ? ", " : "", jobs[beside].other ? jobs[beside].other : "");
}

/* ---- the recorder ------------------------------------------------------------------ */

struct recorder {
    struct share_rows *rows;
    struct rng random;
    struct share_window seen;
    float x[SHARE_N]; /* of the window before */
    bool asked, failed;
};

static bool grow(struct share_rows *rows)
{
    if (rows->n < rows->cap)
        return true;
    const size_t cap = rows->cap ? 2 * rows->cap : 1024;
    float *x = realloc(rows->x, cap * SHARE_N * sizeof *x);
    if (x)
        rows->x = x;
    float *y = x ? realloc(rows->y, cap * sizeof *y) : NULL;
    if (!y)
        return false;
    rows->y = y;
    rows->cap = cap;
    return true;
}

/* The window is over: what came of the part that it began with. */
static void label(struct recorder *r)
{
    const struct share_watched *me = &r->seen.tenant[0];
    if (!r->asked || (!me->answered && !me->oldest))
        return;
    if (!grow(r->rows)) {
        r->failed = true;
        return;
    }
    memcpy(r->rows->x + r->rows->n * SHARE_N, r->x, sizeof r->x);
    r->rows->y[r->rows->n++] = me->answered ? share_latency(me) : share_log(me->oldest);
}

static void record(void *self, const struct policy_share_obs *o, uint32_t *milli)
{
    struct recorder *r = self;
    uint32_t rest = 0;
    if (!share_same(&r->seen, o)) {
        share_begin(&r->seen, o);
        r->asked = false;
        return;
    }
    share_watch(&r->seen, o);
    if (r->seen.periods < SHARE_HOLD)
        return;
    label(r);
    const uint32_t parts = POLICY_MILLI / SHARE_PART_STEP - 1;
    const uint32_t part = SHARE_PART_STEP * (1 + (uint32_t)rng_below(&r->random, parts));
    for (uint32_t i = 1; i < o->n; i++)
        rest += milli[i];
    share_features(&r->seen, 0, milli[0], rest, part, r->x);
    r->asked = true;
    milli[0] = part;
    for (uint32_t i = 1; i < o->n; i++)
        milli[i] = (POLICY_MILLI - part) / (o->n - 1);
    share_begin(&r->seen, o);
}

static const struct policy_ops recording = {
    .abi = POLICY_ABI, .name = "recorder", .gpu_share = record};

/* ---- a run ------------------------------------------------------------------------------ */

enum { PROGRAMS = 3 };

static int open_program(struct model_table *p, const char *name, const char *preset, uint64_t seed,
                        struct err *e)
{
    char text[96];
    struct config *c;
    struct trace_about about;
    snprintf(text, sizeof text, "{\"synth\": {\"preset\": \"%s\"}}", preset);
    int rc = config_parse(&c, "program", text, strlen(text), e);
    if (rc)
        return rc;
    p->name = name;
    rc = trace_rows_open(c, 1u << TRACE_OPS, seed, &(struct trace_places){0}, &p->rows, &about, e);
    config_free(c);
    return rc;
}

static int section(struct config **c, uint32_t critical, uint32_t load, uint32_t beside,
                   double seconds, struct err *e)
{
    char text[640];
    snprintf(text, sizeof text,
             "{\"sharing\": \"mps\", \"gaps\": \"device\", \"share_ms\": %d, \"duration_s\": %g, "
             "\"infer\": {\"mode\": \"free\"}, \"tenants\": [{\"program\": \"critical\", "
             "\"prio\": 1, \"arrivals\": {\"process\": \"poisson\", \"rate_per_s\": %g}}, "
             "{\"program\": \"job\", \"background\": true}%s]}",
             SHARE_MS, seconds, critical_programs[critical].rate[load],
             jobs[beside].other ? ", {\"program\": \"job2\", \"background\": true}" : "");
    return config_parse(c, "gpu", text, strlen(text), e);
}

static int simulate(struct recorder *r, const struct config *c, const struct machine *m,
                    struct model_table *program, size_t programs, uint64_t seed, struct err *e)
{
    struct measures *out = measures_new();
    struct policy_slot slot = {.ops = &recording, .self = r, .label = "recorder"};
    struct model_env env = {.seed = seed,
                            .sim = {.seed = seed},
                            .machine = m,
                            .program = program,
                            .n_programs = programs,
                            .policy = &slot};
    int rc = out ? model_gpu.run(c, &env, out, e) : ERR_ENOMEM;
    if (rc == ERR_ENOMEM || r->failed)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    measures_free(out);
    return rc;
}

int share_rows_collect(struct share_rows *rows, const struct machine *m, uint32_t critical,
                       uint32_t load, uint32_t beside, double seconds, uint64_t seed, struct err *e)
{
    const char *const presets[PROGRAMS] = {critical_programs[critical].preset, jobs[beside].one,
                                           jobs[beside].other};
    static const char *const names[PROGRAMS] = {"critical", "job", "job2"};
    struct model_table program[PROGRAMS] = {{0}};
    struct recorder r = {.rows = rows};
    struct config *c = NULL;
    size_t n = 0;
    rng_init_indexed(&r.random, seed, "share", "parts",
                     (critical * SHARE_LOADS + load) * SHARE_BESIDE + beside);
    int rc = section(&c, critical, load, beside, seconds, e);
    for (; !rc && n < PROGRAMS && presets[n]; n++)
        rc = open_program(&program[n], names[n], presets[n], seed, e);
    rc = rc ? rc : simulate(&r, c, m, program, n, seed, e);
    for (size_t i = 0; i < n; i++)
        if (program[i].rows)
            program[i].rows->close(program[i].rows);
    config_free(c);
    return rc;
}

void share_rows_free(struct share_rows *rows)
{
    free(rows->x);
    free(rows->y);
    *rows = (struct share_rows){0};
}
