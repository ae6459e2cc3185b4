/* import_reef.c - REEF's profiles: how long each kernel of a model takes, and beside it its graph.
 *
 * MODEL.profile.json has the times in us: model_latency, and of each kernel its total_latency alone
 * and `latency`, that of one block per compute unit, of two, and so on up to what fits.
 * MODEL.graph.json (MODEL.json in REEF's repository), plain or packed beside it, has the kernels in
 * their order with grid and block.  A row is a kernel of one inference, each beginning as the one
 * before ends, for its total_latency; sms is grid over the blocks that fit, as in Orion's profiles.
 * Kernels were timed one by one: their sum is not model_latency, which is in `notes`.          */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/config.h"
#include "traces/import.h"

#define BYTES_MAX   ((size_t)64 << 20)
#define KERNELS_MAX 20000
#define US_MAX      1000000000u
#define DIM_MAX     UINT32_MAX
#define BLOCKS_MAX  1024 /* of one compute unit */
#define NS_PER_US   1000

struct reef {
    struct config *profile, *graph;
    const struct config *latency, *kernels;
    size_t next, count;
    uint64_t now_ns;
};

static int read_json(struct config **out, struct input *in, struct err *e)
{
    char *text = NULL;
    size_t n;
    int rc = input_read_all(in, BYTES_MAX, "less", &text, &n, e);
    if (!rc)
        rc = config_parse(out, input_name(in), text, n, e);
    free(text);
    return rc;
}

/* The graph's path, as long as the profile's and a little. */
static char *beside(const char *profile, const char *end)
{
    static const char tail[] = ".profile.json";
    const char *at = strstr(profile, tail);
    size_t stem = at ? (size_t)(at - profile) : strlen(profile), n = stem + strlen(end) + 1;
    char *path = malloc(n);
    if (path)
        snprintf(path, n, "%.*s%s", (int)stem, profile, end);
    return path;
}

static int read_graph(struct importer *im, struct reef *r, struct err *e)
{
    static const char *const ends[] = {".graph.json",     ".graph.json.gz", ".graph.json.xz",
                                       ".graph.json.zst", ".json",          ".json.gz"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct input *in;
        char *path = beside(im->path, ends[i]);
        if (!path)
            return err_set(e, ERR_ENOMEM, "out of memory");
        bool there = strcmp(path, im->path) && access(path, R_OK) == 0;
        int rc = there ? input_open(&in, path, e) : 0;
        if (there && !rc) {
            rc = read_json(&r->graph, in, e);
            input_close(in);
        }
        free(path);
        if (there)
            return rc;
    }
    return err_set(e, ERR_EPARSE,
                   "%s: want the model's graph beside it, as MODEL.graph.json: it says in which "
                   "order the kernels run",
                   im->path);
}

static int want(const struct config *c, const char *key, enum config_kind kind,
                const struct config **out, struct err *e)
{
    *out = config_kind(c) == CONFIG_OBJECT ? config_get(c, key) : NULL;
    if (*out && config_kind(*out) == kind)
        return 0;
    return *out ? config_complain(*out, e, kind == CONFIG_ARRAY ? "a list" : "an object")
                : config_complain(c, e, "an object with \"%s\"", key);
}

static int number(const struct config *c, const char *key, uint64_t max, uint64_t *out,
                  struct err *e)
{
    const struct config *at = config_kind(c) == CONFIG_OBJECT ? config_get(c, key) : NULL;
    return at ? config_u64(at, 0, max, out, e)
              : config_complain(c, e, "an object with \"%s\"", key);
}

/* Grid and block: three each. */
static int shape(const struct config *kernel, struct trace_op *op, struct err *e)
{
    const struct config *at;
    uint64_t block = 1;
    int rc = want(kernel, "launch_params", CONFIG_ARRAY, &at, e);
    if (!rc && config_count(at) != 6)
        rc = config_complain(at, e, "three numbers of the grid and three of the block");
    op->grid = 1;
    for (size_t i = 0; !rc && i < 6; i++) {
        uint64_t v, *to = i < 3 ? &op->grid : &block;
        rc = config_u64(config_at(at, i), 1, DIM_MAX, &v, e);
        if (!rc && *to > DIM_MAX / v)
            rc = config_complain(at, e, "fewer than 2^32 blocks, and threads of each");
        *to *= rc ? 1 : v;
    }
    op->block = (uint32_t)block;
    return rc;
}

static int timing(const struct reef *r, const struct config *name, const char *text,
                  struct trace_op *op, struct err *e)
{
    const struct config *of = config_get(r->latency, text), *each;
    uint64_t us;
    if (!of)
        return config_complain(name, e, "a kernel that the profile has");
    int rc = number(of, "total_latency", US_MAX, &us, e);
    if (rc || (rc = want(of, "latency", CONFIG_ARRAY, &each, e)))
        return rc;
    size_t fit = config_count(each);
    if (fit < 1 || fit > BLOCKS_MAX)
        return config_complain(each, e, "1..%d latencies", BLOCKS_MAX);
    op->duration_ns = us * NS_PER_US;
    op->sms = (uint32_t)((op->grid + fit - 1) / fit);
    return 0;
}

static int reef_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct reef *r = im->own;
    struct trace_op *op = &out->op;
    const char *text;
    if (r->next == r->count)
        return 0;
    const struct config *kernel = config_at(r->kernels, r->next++), *name;
    int rc = want(kernel, "name", CONFIG_STRING, &name, e);
    if (rc || (rc = config_str(name, &text, e)) || (rc = shape(kernel, op, e)) ||
        (rc = timing(r, name, text, op, e)) || (rc = import_label(im, text, &op->name, e)))
        return rc;
    op->kind = TRACE_OP_KERNEL;
    op->time_ns = r->now_ns;
    r->now_ns += op->duration_ns;
    return 1;
}

static void reef_done(struct importer *im)
{
    struct reef *r = im->own;
    if (!r)
        return;
    config_free(r->profile);
    config_free(r->graph);
    free(r);
}

static int reef_open(struct importer *im, struct err *e)
{
    struct reef *r = im->own = calloc(1, sizeof *r);
    uint64_t us;
    if (!r)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = read_json(&r->profile, im->in, e);
    if (rc || (rc = number(r->profile, "model_latency", US_MAX, &us, e)) ||
        (rc = want(r->profile, "kernel_latency", CONFIG_OBJECT, &r->latency, e)) ||
        (rc = read_graph(im, r, e)) ||
        (rc = want(r->graph, "kernels", CONFIG_ARRAY, &r->kernels, e)))
        return rc;
    r->count = config_count(r->kernels);
    if (r->count > KERNELS_MAX)
        return config_complain(r->kernels, e, "at most %d kernels", KERNELS_MAX);
    snprintf(im->meta.notes, sizeof im->meta.notes, "model_latency us=%llu",
             (unsigned long long)us);
    return 0;
}

static bool reef_sniff(const char *head, size_t len)
{
    static const char model[] = "\"model_latency\"", kernels[] = "\"kernel_latency\"";
    size_t at = 0;
    while (at < len && strchr(" \t\r\n", head[at]))
        at++;
    return at < len && head[at] == '{' && memmem(head, len, model, sizeof model - 1) &&
           memmem(head, len, kernels, sizeof kernels - 1);
}

const struct import_format import_reef = {
    .name = "reef",
    .title = "REEF's kernel profiles: one inference of a model",
    .source = "REEF (Han et al., OSDI'22), github.com/SJTU-IPADS/reef-artifacts",
    .licence = "Apache-2.0",
    .table = TRACE_OPS,
    .whole = true,
    .sniff = reef_sniff,
    .open = reef_open,
    .done = reef_done,
    .row = reef_row,
};
