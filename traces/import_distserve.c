/* import_distserve.c - DistServe's fitted coefficients: profiler-a100-80g.{distserve,vllm}.json.
 *
 *     {MODEL: {TENSOR_PARALLEL: {"prefill": [a, b, c], "decoding_smallbs": [a, b, c],
 *              "decoding_largebs": [a, b, c], "decoding_large_small_bs_threshold": n}}}
 *
 * in ms (of prompts: and per token, per token squared; of decoding: per token of context, per
 * sequence).  A row is one coefficient, "prefill", "decode" or "decode-large", kept to a
 * picosecond, or the threshold, "large-from", a count of sequences.  where is the model; the keys
 * are tensor parallelism and, of a coefficient, its place 0, 1, 2, and 1 if it is to be taken off
 * (vLLM's of OPT-66B has one below zero).                                                     */
#include <stdlib.h>
#include <string.h>

#include "sim/config.h"
#include "traces/import.h"
#include "traces/parse.h"

#define BYTES_MAX ((size_t)4 << 20)
#define MS_MAX    1e6
#define PS_PER_MS 1e9

enum { KINDS = 3, COEFFICIENTS = 3, ROWS = KINDS * COEFFICIENTS + 1 }; /* of one parallelism */
static const char threshold[] = "decoding_large_small_bs_threshold";
static const struct {
    const char *key, *name;
} kinds[KINDS] = {
    {"prefill", "prefill"}, {"decoding_smallbs", "decode"}, {"decoding_largebs", "decode-large"}};

struct distserve {
    struct config *doc;
    size_t model, parallel, row; /* the next one */
};

static bool distserve_sniff(const char *head, size_t len)
{
    return len && *head == '{' && memmem(head, len, threshold, sizeof threshold - 1);
}

static int distserve_open(struct importer *im, struct err *e)
{
    char *text = NULL;
    size_t n;
    struct distserve *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(e, ERR_ENOMEM, "out of memory");
    im->own = d;
    int rc = input_read_all(im->in, BYTES_MAX, "less", &text, &n, e);
    if (!rc)
        rc = config_parse(&d->doc, input_name(im->in), text, n, e);
    free(text);
    if (!rc && config_kind(d->doc) != CONFIG_OBJECT)
        rc = config_complain(d->doc, e, "an object of models");
    return rc;
}

static void distserve_done(struct importer *im)
{
    struct distserve *d = im->own;
    if (d)
        config_free(d->doc);
    free(d);
}

static int parallelism(const struct config *at, uint64_t *out, struct err *e)
{
    const char *key = config_key(at);
    if (config_kind(at) == CONFIG_OBJECT && parse_u64(key, strlen(key), 1024, out) && *out >= 1)
        return 0;
    return config_complain(at, e, "an object, named by its tensor parallelism (1 to 1024)");
}

static int child(const struct config *at, const char *key, const struct config **out, struct err *e)
{
    *out = config_get(at, key);
    return *out ? 0 : config_complain(at, e, "an object with \"%s\"", key);
}

static int coefficient(struct importer *im, const struct config *at, size_t row,
                       struct trace_cost *c, struct err *e)
{
    const size_t kind = row / COEFFICIENTS, i = row % COEFFICIENTS;
    const struct config *list;
    double ms;
    int rc = child(at, kinds[kind].key, &list, e);
    if (!rc && (config_kind(list) != CONFIG_ARRAY || config_count(list) != COEFFICIENTS))
        rc = config_complain(list, e, "three numbers");
    if (!rc)
        rc = config_f64(config_at(list, i), -MS_MAX, MS_MAX, &ms, e);
    if (rc)
        return rc;
    c->unit = TRACE_COST_PS;
    c->value = (uint64_t)((ms < 0 ? -ms : ms) * PS_PER_MS + 0.5);
    c->key[1] = i;
    c->key[2] = ms < 0;
    return import_label(im, kinds[kind].name, &c->name, e);
}

static int border(struct importer *im, const struct config *at, struct trace_cost *c, struct err *e)
{
    const struct config *n;
    int rc = child(at, threshold, &n, e);
    if (!rc)
        rc = config_u64(n, 1, UINT32_MAX, &c->value, e);
    c->unit = TRACE_COST_COUNT;
    return rc ? rc : import_label(im, "large-from", &c->name, e);
}

static int distserve_row(struct importer *im, union trace_row *out, struct err *e)
{
    struct distserve *d = im->own;
    struct trace_cost *c = &out->cost;
    const struct config *model;
    while ((model = config_at(d->doc, d->model)) && config_kind(model) == CONFIG_OBJECT &&
           d->parallel == config_count(model)) {
        d->parallel = 0;
        d->model++;
    }
    if (!model)
        return 0;
    if (config_kind(model) != CONFIG_OBJECT)
        return config_complain(model, e, "an object by tensor parallelism");
    const struct config *at = config_at(model, d->parallel);
    int rc = parallelism(at, &c->key[0], e);
    c->with = TRACE_NAME_NONE;
    if (!rc)
        rc = d->row < ROWS - 1 ? coefficient(im, at, d->row, c, e) : border(im, at, c, e);
    if (!rc)
        rc = import_label(im, config_key(model), &c->where, e);
    if (rc)
        return rc;
    if (++d->row == ROWS) {
        d->row = 0;
        d->parallel++;
    }
    return 1;
}

const struct import_format import_distserve = {
    .name = "distserve",
    .title = "DistServe's fitted times of prompts and decoding",
    .source = "github.com/LLMServe/DistServe, simdistserve/estimators/profile_data",
    .licence = "Apache-2.0",
    .table = TRACE_COSTS,
    .whole = true,
    .sniff = distserve_sniff,
    .open = distserve_open,
    .done = distserve_done,
    .row = distserve_row,
};
