#include "harness/learn/steer_rows.h"

#include <stdlib.h>
#include <string.h>

#include "models/model.h"
#include "models/policy_slot.h"

/* Reads under way; no more than there are clients. */
struct under_way {
    uint64_t id;
    float x[LINNOS_N];
};
struct recorder {
    struct steer_rows *rows;
    struct under_way *read;
    size_t n, cap;
    bool failed; /* out of memory */
};

static uint32_t watch(void *self, const struct policy_steer_obs *o)
{
    struct recorder *r = self;
    if (r->n == r->cap) {
        const size_t cap = r->cap ? 2 * r->cap : 512;
        struct under_way *grown = realloc(r->read, cap * sizeof *grown);
        r->failed |= !grown;
        if (!grown)
            return o->home;
        r->read = grown;
        r->cap = cap;
    }
    r->read[r->n].id = o->id;
    linnos_features(&o->device[o->home], o->bytes, r->read[r->n++].x);
    return o->home;
}

static bool grow(struct steer_rows *rows)
{
    if (rows->n < rows->cap)
        return true;
    const size_t cap = rows->cap ? 2 * rows->cap : 8192;
    float *x = realloc(rows->x, cap * LINNOS_N * sizeof *x);
    if (x)
        rows->x = x;
    float *latency = realloc(rows->latency_us, cap * sizeof *latency);
    if (latency)
        rows->latency_us = latency;
    unsigned char *device = realloc(rows->device, cap);
    if (device)
        rows->device = device;
    unsigned char *slow = realloc(rows->slow, cap);
    if (slow)
        rows->slow = slow;
    if (!x || !latency || !device || !slow)
        return false;
    rows->cap = cap;
    return true;
}

static void finished(void *self, const struct policy_io_done *d)
{
    struct recorder *r = self;
    struct steer_rows *rows = r->rows;
    size_t i = 0;
    while (i < r->n && r->read[i].id != d->id)
        i++;
    if (d->write || i == r->n || d->device >= STEER_DEVICES)
        return;
    r->failed |= !grow(rows);
    if (r->failed)
        return;
    memcpy(rows->x + rows->n * LINNOS_N, r->read[i].x, sizeof r->read[i].x);
    rows->latency_us[rows->n] = (float)((double)d->latency_ns / 1e3);
    rows->device[rows->n++] = (unsigned char)d->device;
    r->read[i] = r->read[--r->n];
}

static const struct policy_ops recording = {
    .abi = POLICY_ABI, .name = "recorder", .io_steer = watch, .io_done = finished};

static int simulate(struct recorder *r, struct row_source *from, const struct machine *m,
                    const struct config *section, uint64_t seed, struct err *e)
{
    struct measures *out = measures_new();
    struct policy_slot slot = {.ops = &recording, .self = r, .label = "recorder"};
    struct model_env env = {
        .seed = seed, .sim = {.seed = seed}, .machine = m, .rows = from, .policy = &slot};
    int rc = out ? model_io.run(section, &env, out, e) : ERR_ENOMEM;
    if (rc == ERR_ENOMEM || r->failed)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    measures_free(out);
    return rc;
}

int steer_rows_collect(struct steer_rows *rows, struct row_source *from, const struct machine *m,
                       const char *section, uint64_t seed, struct err *e)
{
    struct config *c;
    struct recorder r = {.rows = rows};
    int rc = config_parse(&c, "io", section, strlen(section), e);
    if (rc)
        return rc;
    rc = simulate(&r, from, m, c, seed, e);
    config_free(c);
    free(r.read);
    return rc;
}

static int by_value(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int steer_rows_label(struct steer_rows *rows, size_t fitted, struct err *e)
{
    float *v = malloc((fitted + 1) * sizeof *v);
    if (!v)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (int d = 0; d < STEER_DEVICES; d++) {
        size_t n = 0;
        for (size_t i = 0; i < fitted; i++)
            if (rows->device[i] == d)
                v[n++] = rows->latency_us[i];
        qsort(v, n, sizeof *v, by_value);
        rows->threshold_us[d] = n ? (double)v[(size_t)((double)(n - 1) * STEER_SLOW_RANK)] : 0;
    }
    for (size_t i = 0; i < rows->n; i++)
        rows->slow[i] = (double)rows->latency_us[i] >= rows->threshold_us[rows->device[i]];
    free(v);
    return 0;
}

void steer_rows_free(struct steer_rows *rows)
{
    free(rows->x);
    free(rows->latency_us);
    free(rows->device);
    free(rows->slow);
    *rows = (struct steer_rows){0};
}
