/* results.c - a set of trials in memory: building, finding, packing, freeing. */
#include "results/results.h"

#include <stdlib.h>
#include <string.h>

struct result_set *results_new(const char *name, const char *title, const char *experiment_json,
                               const char *machine_json, const char *trace_json,
                               const char *version, uint64_t planned)
{
    struct result_set *rs = calloc(1, sizeof *rs);
    if (!rs)
        return NULL;
    rs->name = strdup(name);
    rs->title = strdup(title);
    rs->experiment_json = strdup(experiment_json);
    rs->machine_json = strdup(machine_json);
    rs->trace_json = strdup(trace_json);
    rs->version = strdup(version);
    rs->planned = planned;
    if (rs->name && rs->title && rs->experiment_json && rs->machine_json && rs->trace_json &&
        rs->version)
        return rs;
    results_free(rs);
    return NULL;
}

void result_trial_clear(struct result_trial *t)
{
    for (size_t i = 0; i < t->n_factor; i++) {
        free(t->factor[i].path);
        free(t->factor[i].value);
    }
    free(t->factor);
    free(t->why);
    measures_free(t->measures);
    *t = (struct result_trial){0};
}

void results_free(struct result_set *rs)
{
    if (!rs)
        return;
    for (size_t i = 0; i < rs->n_trial; i++)
        result_trial_clear(&rs->trial[i]);
    free(rs->trial);
    free(rs->name);
    free(rs->title);
    free(rs->experiment_json);
    free(rs->machine_json);
    free(rs->trace_json);
    free(rs->version);
    free(rs);
}

/* First position whose index is not below `index`. */
static size_t place(const struct result_set *rs, uint64_t index)
{
    size_t lo = 0, hi = rs->n_trial;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (rs->trial[mid].index < index)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct result_trial *results_trial(const struct result_set *rs, uint64_t index)
{
    size_t at = place(rs, index);
    return at < rs->n_trial && rs->trial[at].index == index ? &rs->trial[at] : NULL;
}

static bool same_factors(const struct result_trial *a, const struct result_trial *b)
{
    if (a->n_factor != b->n_factor)
        return false;
    for (size_t i = 0; i < a->n_factor; i++)
        if (strcmp(a->factor[i].path, b->factor[i].path))
            return false;
    return true;
}

int results_add(struct result_set *rs, struct result_trial *t, struct err *e)
{
    size_t at = place(rs, t->index);
    if (at < rs->n_trial && rs->trial[at].index == t->index) {
        uint64_t index = t->index;
        result_trial_clear(t);
        return err_set(e, ERR_EPARSE, "trial %llu is there twice", (unsigned long long)index);
    }
    if (rs->n_trial && !same_factors(&rs->trial[0], t)) {
        uint64_t index = t->index;
        result_trial_clear(t);
        return err_set(e, ERR_EPARSE, "trial %llu has other factors than the first",
                       (unsigned long long)index);
    }
    struct result_trial *grown = rs->trial;
    if ((rs->n_trial & (rs->n_trial - 1)) == 0) /* a power of two: full */
        grown = realloc(rs->trial, (rs->n_trial ? 2 * rs->n_trial : 1) * sizeof *grown);
    if (!grown) {
        result_trial_clear(t);
        return err_set(e, ERR_ENOMEM, "out of memory for trial results");
    }
    rs->trial = grown;
    memmove(&grown[at + 1], &grown[at], (rs->n_trial - at) * sizeof *grown);
    grown[at] = *t;
    rs->n_trial++;
    *t = (struct result_trial){0};
    return 0;
}

void results_pack_head(const struct result_set *rs, struct buf *b)
{
    buf_str(b, rs->name);
    buf_str(b, rs->title);
    buf_str(b, rs->experiment_json);
    buf_str(b, rs->machine_json);
    buf_str(b, rs->trace_json);
    buf_str(b, rs->version);
    buf_u64(b, rs->planned);
}

int results_unpack_head(struct result_set **rs, struct buf *b, struct err *e)
{
    struct result_set *r = *rs = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_ENOMEM, "out of memory for results");
    char **text[] = {&r->name,         &r->title,      &r->experiment_json,
                     &r->machine_json, &r->trace_json, &r->version};
    bool whole = true;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        whole = (*text[i] = buf_take_str(b)) && whole;
    r->planned = buf_take_u64(b);
    if (whole && !b->failed)
        return 0;
    results_free(r);
    *rs = NULL;
    return err_set(e, ERR_EPARSE, "the packed head of the results is cut short");
}

void result_trial_pack(const struct result_trial *t, struct buf *b)
{
    buf_u64(b, t->index);
    buf_u64(b, t->seed);
    buf_u64(b, t->failed);
    buf_str(b, t->why ? t->why : "");
    buf_u64(b, t->n_factor);
    for (size_t i = 0; i < t->n_factor; i++) {
        buf_str(b, t->factor[i].path);
        buf_str(b, t->factor[i].value);
    }
    measures_pack(t->measures, b);
}

static int unpack_factors(struct result_trial *t, struct buf *b, struct err *e)
{
    uint64_t n = buf_take_u64(b);
    /* A factor takes at least its two length words: no count can promise more. */
    if (b->failed || n > (b->len - b->at) / 16)
        return err_set(e, ERR_EPARSE, "a packed trial is cut short");
    t->factor = calloc(n ? n : 1, sizeof *t->factor);
    if (!t->factor)
        return err_set(e, ERR_ENOMEM, "out of memory for a trial");
    for (t->n_factor = 0; t->n_factor < n; t->n_factor++) {
        t->factor[t->n_factor].path = buf_take_str(b);
        t->factor[t->n_factor].value = buf_take_str(b);
    }
    return b->failed ? err_set(e, ERR_EPARSE, "a packed trial is cut short") : 0;
}

int result_trial_unpack(struct result_trial *t, struct buf *b, struct err *e)
{
    *t = (struct result_trial){0};
    t->index = buf_take_u64(b);
    t->seed = buf_take_u64(b);
    t->failed = buf_take_u64(b);
    t->why = buf_take_str(b);
    int rc = unpack_factors(t, b, e);
    if (!rc)
        rc = measures_unpack(&t->measures, b, e);
    if (rc)
        result_trial_clear(t);
    return rc;
}
