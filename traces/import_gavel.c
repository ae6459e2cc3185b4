/* import_gavel.c - throughputs of Gavel's profiles (scheduler/simulation_throughputs.json):
 * {"GPU": {"('job', gpus)": {"null": rate, "('other', gpus)": [its rate, the other's]}}}, in steps
 * per second.  One row for each rate of a job's own: `name` job, `where` GPU, `with` what runs
 * beside it on the same GPUs; key 1: on how many GPUs, key 2: the other's.  Kept as picoseconds a
 * step, to the nearest; 0: it can't run there. */
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "traces/import.h"
#include "traces/input.h"

#define FILE_MAX ((size_t)256 << 20)
#define NAME_MAX 200
#define RATE_MAX 1e9
#define RATE_MIN 1e-6 /* a step of eleven days */

struct gavel {
    struct config *root;
    size_t gpu, job, other; /* where the next row is */
};

static bool gavel_sniff(const char *head, size_t len)
{
    size_t at = 0;
    while (at < len && strchr(" \t\r\n", head[at]))
        at++;
    return at < len && head[at] == '{' && memmem(head, len, "\"('", 3) &&
           memmem(head, len, "\"null\"", 6);
}

static void gavel_done(struct importer *im)
{
    struct gavel *g = im->own;
    if (g)
        config_free(g->root);
    free(g);
}

static int gavel_open(struct importer *im, struct err *e)
{
    char *text = NULL;
    size_t n = 0;
    struct gavel *g = im->own = calloc(1, sizeof *g);
    if (!g)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = input_read_all(im->in, FILE_MAX, "a file of throughputs", &text, &n, e);
    if (!rc)
        rc = config_parse(&g->root, im->path, text, n, e);
    free(text);
    if (!rc && config_kind(g->root) != CONFIG_OBJECT)
        rc = config_complain(g->root, e, "an object of GPUs");
    return rc;
}

/* "('LM (batch size 5)', 2)": a name and a number of GPUs. */
static int job_of(struct importer *im, const struct config *c, uint32_t *name, uint64_t *gpus,
                  struct err *e)
{
    const char *key = config_key(c), *end = strstr(key, "', ");
    char text[NAME_MAX + 1];
    const size_t n = end && end > key + 2 ? (size_t)(end - key) - 2 : 0;
    char *rest = NULL;
    if (n && n <= NAME_MAX && !memcmp(key, "('", 2) && end[3] >= '1' && end[3] <= '9') {
        *gpus = strtoull(end + 3, &rest, 10);
        if (!strcmp(rest, ")") && *gpus <= 1000000) {
            memcpy(text, key + 2, n);
            text[n] = 0;
            return import_label(im, text, name, e);
        }
    }
    return config_complain(c, e, "a key of the form ('job', gpus)");
}

static int rate(const struct config *c, uint64_t *ps, struct err *e)
{
    double v = 0;
    int rc = config_f64(c, 0, RATE_MAX, &v, e);
    if (rc)
        return rc;
    if (v > 0 && v < RATE_MIN)
        return config_complain(c, e, "0, or a rate of at least %g", RATE_MIN);
    *ps = v > 0 ? (uint64_t)(1e12 / v + 0.5) : 0;
    return 0;
}

static int fill(struct importer *im, const struct config *gpu, const struct config *job,
                const struct config *other, struct trace_cost *c, struct err *e)
{
    *c = (struct trace_cost){.with = TRACE_NAME_NONE, .unit = TRACE_COST_PS};
    const bool alone = !strcmp(config_key(other), "null");
    int rc = job_of(im, job, &c->name, &c->key[0], e);
    if (!rc)
        rc = import_label(im, config_key(gpu), &c->where, e);
    if (!rc && !alone)
        rc = job_of(im, other, &c->with, &c->key[1], e);
    if (!rc && !alone && (config_kind(other) != CONFIG_ARRAY || config_count(other) != 2))
        rc = config_complain(other, e, "two rates");
    return rc ? rc : rate(alone ? other : config_at(other, 0), &c->value, e);
}

static int gavel_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct gavel *g = im->own;
    const struct config *gpu, *job, *other;
    for (; (gpu = config_at(g->root, g->gpu)); g->gpu++, g->job = 0) {
        if (config_kind(gpu) != CONFIG_OBJECT)
            return config_complain(gpu, e, "an object of jobs");
        for (; (job = config_at(gpu, g->job)); g->job++, g->other = 0) {
            if (config_kind(job) != CONFIG_OBJECT)
                return config_complain(job, e, "an object of rates");
            if (!(other = config_at(job, g->other)))
                continue;
            g->other++;
            int rc = fill(im, gpu, job, other, &out->cost, e);
            return rc ? rc : 1;
        }
    }
    return 0;
}

const struct import_format import_gavel = {
    .name = "gavel",
    .title = "Gavel's throughputs of training jobs, alone and in pairs",
    .source = "github.com/stanford-futuredata/gavel, scheduler/*_throughputs.json",
    .licence = "MIT",
    .table = TRACE_COSTS,
    .whole = true,
    .sniff = gavel_sniff,
    .open = gavel_open,
    .done = gavel_done,
    .row = gavel_row,
};
