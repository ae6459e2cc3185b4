/* fleet_table.c - see fleet_table.h. */
#include "models/fleet/fleet_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "traces/record.h"

enum decode_by { BY_TOKENS, BY_BATCH };

struct wanted {
    const char *table, *model, *hardware;
    uint64_t parallel;
    enum decode_by by;
    const struct config *section, *decode_by, *only_batches;
};

static const struct config_field fields[] = {
    CONFIG_STR(struct wanted, table, true),
    CONFIG_STR(struct wanted, model, true),
    CONFIG_STR(struct wanted, hardware, false),
    {"tensor_parallel", CONFIG_T_U64, offsetof(struct wanted, parallel), 1, 1024, true},
    CONFIG_ANY(struct wanted, decode_by, false),
    CONFIG_ANY(struct wanted, only_batches, false),
    CONFIG_END,
};

static int read_wanted(const struct config *cost, struct wanted *w, struct err *e)
{
    static const char *const by[] = {"tokens", "batch", NULL};
    int choice = 0;
    *w = (struct wanted){.section = cost};
    int rc = config_fill(cost, fields, w, e);
    if (!rc && w->decode_by)
        rc = config_choice(w->decode_by, by, &choice, e);
    w->by = (enum decode_by)choice;
    for (size_t i = 0; !rc && w->only_batches && i < config_count(w->only_batches); i++) {
        uint64_t batch;
        rc = config_u64(config_at(w->only_batches, i), 1, 1 << 20, &batch, e);
    }
    return rc;
}

int fleet_table_check(const struct config *cost, struct err *e)
{
    struct wanted w;
    return read_wanted(cost, &w, e);
}

const char *fleet_table_name(const struct config *cost)
{
    const char *name = NULL;
    struct err quiet = {0};
    const struct config *at = config_kind(cost) == CONFIG_OBJECT ? config_get(cost, "table") : NULL;
    return at && !config_str(at, &name, &quiet) ? name : NULL;
}

/* ---- Splitwise's: medians of repeated runs ---- */

struct sample {
    uint64_t x;
    int64_t y;
};
struct samples {
    struct sample *at;
    size_t n, room;
};

static bool add(struct samples *s, uint64_t x, uint64_t y)
{
    if (s->n == s->room) {
        const size_t room = s->room ? 2 * s->room : 256;
        struct sample *at = realloc(s->at, room * sizeof *at);
        if (!at)
            return false;
        s->at = at;
        s->room = room;
    }
    s->at[s->n++] = (struct sample){x, (int64_t)y};
    return true;
}

static int by_x_then_y(const void *a, const void *b)
{
    const struct sample *p = a, *q = b;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

/* The median of what was measured at each x; of two middle ones, their mean (pandas). */
static struct fleet_curve *medians(struct samples *s)
{
    struct fleet_curve *k = calloc(1, sizeof *k);
    if (s->n)
        qsort(s->at, s->n, sizeof *s->at, by_x_then_y);
    for (size_t i = 0, j; k && i < s->n && k->n < FLEET_KNOTS; i = j) {
        for (j = i; j < s->n && s->at[j].x == s->at[i].x;)
            j++;
        const int64_t low = s->at[(i + j - 1) / 2].y, high = s->at[(i + j) / 2].y;
        fleet_curve_add(k, s->at[i].x, low + (high - low) / 2);
    }
    return k;
}

static bool batch_wanted(const struct wanted *w, uint64_t batch)
{
    bool found = !w->only_batches;
    for (size_t i = 0; !found && i < config_count(w->only_batches); i++) {
        uint64_t one = 0;
        struct err quiet = {0};
        found =
            !config_u64(config_at(w->only_batches, i), 1, 1 << 20, &one, &quiet) && one == batch;
    }
    return found;
}

struct gather {
    const struct wanted *w;
    struct samples prompt, token;
    struct fleet_linear linear;
    uint32_t coefficients;
    bool failed;
};

static bool is(const struct row_source *rows, uint32_t id, const char *text)
{
    const char *name = id == TRACE_NAME_NONE || !rows->name ? NULL : rows->name(rows, id);
    return name && text && !strcmp(name, text);
}

/* Decoding by batch: of the sweep over batches alone, all at one prompt size and answer. */
#define SWEEP_PROMPT 512
#define SWEEP_TOKENS 128
static void measured(struct gather *g, const struct row_source *rows, const struct trace_cost *c)
{
    const uint64_t prompt = c->key[0], batch = c->key[1], tokens = c->key[2];
    if (!is(rows, c->where, g->w->hardware) || !is(rows, c->with, g->w->model) ||
        c->key[3] != g->w->parallel || !batch_wanted(g->w, batch))
        return;
    if (c->key[3] == 2 && batch == 64) /* out of memory there: prompts get faster, e2e 160 s */
        return;
    if (is(rows, c->name, "prompt"))
        g->failed |= !add(&g->prompt, prompt * batch, c->value);
    if (!is(rows, c->name, "token"))
        return;
    if (g->w->by == BY_TOKENS)
        g->failed |= !add(&g->token, prompt * batch, c->value);
    else if (prompt == SWEEP_PROMPT && tokens == SWEEP_TOKENS)
        g->failed |= !add(&g->token, batch, c->value);
}

/* ---- DistServe's: coefficients ---- */

static void fitted(struct gather *g, const struct row_source *rows, const struct trace_cost *c)
{
    struct fleet_linear *f = &g->linear;
    if (!is(rows, c->where, g->w->model) || c->key[0] != g->w->parallel || c->key[1] > 2)
        return;
    int64_t *const of = is(rows, c->name, "prefill")        ? f->prompt
                        : is(rows, c->name, "decode")       ? f->decode
                        : is(rows, c->name, "decode-large") ? f->large
                                                            : NULL;
    if (of)
        of[c->key[1]] = c->key[2] ? -(int64_t)c->value : (int64_t)c->value;
    else if (is(rows, c->name, "large-from"))
        f->large_from = c->value;
    else
        return;
    g->coefficients++;
}

/* ---- both ---- */

static int read_rows(struct gather *g, struct row_source *rows, struct err *e)
{
    union trace_row r;
    int rc = rows->rewind(rows, e);
    while (!rc && (rc = rows->next(rows, &r, e)) > 0) {
        if (g->w->hardware)
            measured(g, rows, &r.cost);
        else
            fitted(g, rows, &r.cost);
        rc = 0;
    }
    return rc;
}

static int fill(struct gather *g, struct fleet_cost *c, struct err *e)
{
    if (!g->w->hardware) {
        c->kind = FLEET_LINEAR;
        c->linear = g->linear;
        return g->coefficients == 10
                   ? 0
                   : config_complain(g->w->section, e,
                                     "a model and tensor_parallel that the table has");
    }
    c->kind = FLEET_CURVE;
    if (g->failed || !(c->prompt = medians(&g->prompt)) || !(c->token = medians(&g->token)))
        return err_set(e, ERR_ENOMEM, "fleet: out of memory");
    return c->prompt->n && c->token->n
               ? 0
               : config_complain(g->w->section, e,
                                 "a model, hardware and tensor_parallel that the table has");
}

int fleet_table_open(const struct model_env *env, const struct config *cost, struct fleet_cost *c,
                     struct err *e)
{
    struct wanted w;
    struct gather g = {.w = &w, .linear = {.large_from = UINT64_MAX}};
    struct row_source *rows = NULL;
    int rc = read_wanted(cost, &w, e);
    if (rc)
        return rc;
    for (size_t i = 0; i < env->n_tables; i++)
        if (!strcmp(env->table[i].name, w.table))
            rows = env->table[i].rows;
    if (!rows)
        return config_complain(config_get(cost, "table"), e, "a name of \"tables\"");
    rc = read_rows(&g, rows, e);
    if (!rc)
        rc = fill(&g, c, e);
    free(g.prompt.at);
    free(g.token.at);
    return rc;
}
