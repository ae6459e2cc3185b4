#include "harness/learn/model_ahead.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/learn/train_machine.h"
#include "models/model.h"
#include "models/policy_slot.h"
#include "policies/kml_features.h"
#include "traces/source.h"

#define FILE_PAGES 65536 /* 256 MiB each */
#define FRAMES     32768 /* a sixteenth of them */

#define AT_RATES(mode, run, write)                                                                 \
    {mode, run, 250, write}, {mode, run, 1000, write},                                             \
    {                                                                                              \
        mode, run, 4000, write                                                                     \
    }
static const struct ahead_workload workloads[] = {
    AT_RATES("random", 0, 0),  AT_RATES("random", 0, 0.5), AT_RATES("sequential", 0, 0),
    AT_RATES("reverse", 0, 0), AT_RATES("runs", 2, 0),     AT_RATES("runs", 4, 0),
    AT_RATES("runs", 8, 0),    AT_RATES("runs", 16, 0),    AT_RATES("runs", 32, 0),
    AT_RATES("runs", 64, 0),   AT_RATES("runs", 128, 0),
};
#define WORKLOADS (sizeof workloads / sizeof *workloads)

const struct ahead_workload *model_ahead_workload(size_t i)
{
    return i < WORKLOADS ? &workloads[i] : NULL;
}

/* ---- one run ------------------------------------------------------------------------ */

/* A policy that always answers the same and writes down the windows it is shown. */
struct recorder {
    struct class_rows *rows;
    struct kml_stream stream[KML_STREAMS];
    uint32_t pages;
    bool failed; /* out of memory */
};

static uint32_t watch(void *self, const struct policy_readahead_obs *o)
{
    struct recorder *r = self;
    if (kml_new_window(r->stream, o)) {
        float x[KML_N];
        kml_features(o->feature, x);
        r->failed |= !class_rows_add(r->rows, x, 0);
    }
    return r->pages;
}

static const struct policy_ops recording = {
    .abi = POLICY_ABI, .name = "recorder", .mem_readahead = watch};

static int open_files(struct row_source **from, const struct ahead_workload *w, uint64_t accesses,
                      uint64_t seed, struct err *e)
{
    char text[512];
    struct config *c;
    struct trace_about about;
    const double gap_ns = 1e9 / ((double)w->per_window * AHEAD_FILES);
    snprintf(text, sizeof text,
             "{\"synth\":{\"table\":\"pages\",\"pattern\":\"files\",\"files\":%d,\"pages\":%d,"
             "\"mode\":\"%s\",\"mode_accesses\":1e15,\"run_pages\":%u,\"write\":%g,\"gap_ns\":%.0f,"
             "\"rows\":%llu}}",
             AHEAD_FILES, FILE_PAGES, w->mode, w->run_pages, w->write, gap_ns,
             (unsigned long long)accesses);
    int rc = config_parse(&c, "trace", text, strlen(text), e);
    if (rc)
        return rc;
    rc = trace_rows_open(c, 1u << TRACE_PAGES, seed, &(struct trace_places){0}, from, &about, e);
    config_free(c);
    return rc;
}

static int replay(struct row_source *from, const struct machine *m, struct recorder *r,
                  uint64_t seed, double *seconds, struct err *e)
{
    char text[128];
    struct config *c;
    struct measures *out = measures_new();
    struct policy_slot slot = {.ops = &recording, .self = r, .label = "recorder"};
    struct model_env env = {.seed = seed, .machine = m, .rows = from};
    env.bound[POLICY_HOOK_MEM_READAHEAD] = &slot;
    snprintf(text, sizeof text, "{\"cache\":{\"frames\":%d,\"readahead\":true}}", FRAMES);
    int rc = out ? config_parse(&c, "memory", text, strlen(text), e)
                 : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        rc = model_memory.run(c, &env, out, e);
        config_free(c);
    }
    const double *time = rc ? NULL : measures_find(out, "time");
    *seconds = time ? *time : 0;
    measures_free(out);
    return rc || !r->failed ? rc : err_set(e, ERR_ENOMEM, "out of memory");
}

/* ---- the label ---------------------------------------------------------------------- */

static int label_of(const double seconds[KML_CLASSES])
{
    double least = INFINITY;
    int label = 0;
    for (int i = 0; i < KML_CLASSES; i++)
        least = fmin(least, seconds[i]);
    for (int i = 0; i < KML_CLASSES; i++)
        label = seconds[i] <= least * (1 + AHEAD_TIE) ? i : label;
    return label;
}

static int describe(struct class_run *run, const struct ahead_workload *w, uint64_t accesses,
                    const double s[KML_CLASSES], int label, struct err *e)
{
    const int n =
        asprintf(&run->about,
                 "{\"mode\": \"%s\", \"run_pages\": %u, \"per_window\": %u, \"write\": "
                 "%g, \"accesses\": %llu, \"seconds\": [%.6g, %.6g, %.6g, %.6g], "
                 "\"best\": %u}",
                 w->mode, w->run_pages, w->per_window, w->write, (unsigned long long)accesses, s[0],
                 s[1], s[2], s[3], kml_readahead[label]);
    return n < 0 ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}

/* Rows of the four ways come one after another; in order of time is what a split wants. */
static int interleave(struct class_rows *out, struct class_rows *way, uint32_t label, struct err *e)
{
    bool whole = true;
    size_t most = 0;
    for (int i = 0; i < KML_CLASSES; i++)
        most = way[i].n > most ? way[i].n : most;
    for (size_t k = 0; k < most; k++)
        for (int i = 0; i < KML_CLASSES; i++)
            if (k < way[i].n)
                whole = whole && class_rows_add(out, way[i].x + k * KML_N, label);
    return whole ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

int model_ahead_run(struct class_run *run, const struct ahead_workload *w, const struct machine *m,
                    uint64_t accesses, uint64_t seed, struct err *e)
{
    struct class_rows way[KML_CLASSES];
    double seconds[KML_CLASSES];
    struct recorder *r = malloc(sizeof *r);
    int rc = r ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    *run = (struct class_run){.rows = {.n_in = KML_N}};
    for (int i = 0; i < KML_CLASSES; i++) {
        struct row_source *from;
        way[i] = (struct class_rows){.n_in = KML_N};
        rc = rc ? rc : open_files(&from, w, accesses, seed, e);
        if (rc)
            continue;
        *r = (struct recorder){.rows = &way[i], .pages = kml_readahead[i]};
        rc = replay(from, m, r, seed, &seconds[i], e);
        from->close(from);
    }
    if (!rc) {
        const int label = label_of(seconds);
        rc = interleave(&run->rows, way, (uint32_t)label, e);
        rc = rc ? rc : describe(run, w, accesses, seconds, label, e);
    }
    for (int i = 0; i < KML_CLASSES; i++)
        class_rows_free(&way[i]);
    free(r);
    return rc;
}

/* ---- training ------------------------------------------------------------------------ */

static const char *const inputs[KML_N] = {"accesses", "mean page", "deviation", "mean step",
                                          "readahead now"};
static const char *const classes[KML_CLASSES] = {"0 pages", "8 pages", "32 pages", "256 pages"};

static int fit(const struct model_train_want *want, struct class_run *run, size_t n, struct err *e)
{
    char command[512], features[32];
    const struct train_options *o = &want->o;
    snprintf(command, sizeof command,
             "malv model train %s --readahead --machine %s --requests %llu --seed %llu --hidden %u "
             "--epochs %u --batch %u --patience %u --rate %g",
             want->name, want->machine, (unsigned long long)want->requests,
             (unsigned long long)o->seed, o->hidden, o->epochs, o->batch, o->patience, o->rate);
    snprintf(features, sizeof features, "kml/%d", KML_VERSION);
    const struct class_task task = {
        .command = command,
        .features = features,
        .loss = "cross entropy of softmax",
        .labels = "the amount of readahead with which the run took the least time; of equals "
                  "(1 %) the largest",
        .n_in = KML_N,
        .n_out = KML_CLASSES,
        .n_deep = 1,
        .deep = {5},
        .sigmoid = true,
        .input = inputs,
        .class_name = classes,
        .run = run,
        .n_runs = n};
    return class_train(&task, want, e);
}

int model_ahead_train(const struct model_train_want *want, struct err *e)
{
    struct class_run *run = calloc(WORKLOADS, sizeof *run);
    struct machine *m = NULL;
    int rc = run ? train_machine(&m, want->machine, e) : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < WORKLOADS && !rc; i++)
        rc = model_ahead_run(&run[i], &workloads[i], m, want->requests, want->o.seed + i, e);
    rc = rc ? rc : fit(want, run, WORKLOADS, e);
    if (run)
        class_runs_free(run, WORKLOADS);
    free(run);
    machine_free(m);
    return rc;
}
