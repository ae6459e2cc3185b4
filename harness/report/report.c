/* Finds what a result set says; the pages only tell it. */
#include "harness/report/report.h"
#include "harness/run/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *title;
} titles[] = {
    {"ttft", "time to first token"},
    {"tpot", "time per output token"},
    {"e2e", "end-to-end latency"},
    {"queue_wait", "time in the queue"},
    {"decision_latency", "time per policy decision"},
    {"token_throughput", "token throughput"},
    {"gpu_util", "GPU utilisation"},
    {"cpu_util", "CPU utilisation"},
    {"kv_util", "KV-cache utilisation"},
    {"batch_mean", "mean batch size"},
    {"infer_calls", "inference calls"},
    {"infer_cpu_time", "CPU time of inference"},
    {"infer_gpu_time", "GPU time of inference"},
    {"waiting", "requests waiting"},
    {"running", "requests running"},
    {"kv_used", "KV cache in use"},
    {"gpu_busy", "GPU busy"},
};

static const char *title_of(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (strlen(titles[i].name) == len && !memcmp(titles[i].name, name, len))
            return titles[i].title;
    return NULL;
}

void report_metric_title(const char *metric, char *out, size_t size)
{
    const char *dot = strrchr(metric, '.');
    const size_t len = dot ? (size_t)(dot - metric) : strlen(metric);
    const char *known = title_of(metric, len);
    char name[96];
    snprintf(name, sizeof name, "%.*s", known ? 90 : (int)(len > 90 ? 90 : len),
             known ? known : metric);
    for (char *c = name; *c && !known; c++)
        *c = *c == '_' ? ' ' : *c;
    if (!dot)
        snprintf(out, size, "%s", name);
    else if (!strcmp(dot, ".p50"))
        snprintf(out, size, "median %s", name);
    else if (dot[1] == 'p')
        snprintf(out, size, "%sth percentile of %s", dot + 2, name);
    else
        snprintf(out, size, "%s %s", dot + 1, name);
}

const struct metric *report_metric(const struct report *r, const char *name)
{
    return metric_named(&r->metrics, name);
}

size_t report_columns(const struct report *r, const struct metric **out, size_t most)
{
    char first[512];
    snprintf(first, sizeof first, "%s,%s", r->rank ? r->rank->name : "",
             r->headline ? r->headline : "");
    return metric_order(&r->metrics, first, out, most);
}

bool report_ideal(const struct report_entry *en)
{
    return en->kind == KIND_ORACLE || en->kind == KIND_FREE;
}

double report_mean(const struct report_entry *en, const char *metric)
{
    struct summary s;
    cell_summary(en->cell, metric, CONFIDENCE, &s);
    return s.mean;
}

/* ---- finding ---------------------------------------------------------------- */

static int choose_rank(struct report *r, const char *name, struct err *e)
{
    static const char *const usual[] = {"e2e.mean", "ttft.mean", "sojourn_mean", "goodput",
                                        "throughput"};
    if (name) {
        r->rank = report_metric(r, name);
        return r->rank ? 0 : err_set(e, ERR_ENAME, "the results have no measure \"%s\"", name);
    }
    const struct metric *own;
    if (r->headline && metric_order(&r->metrics, r->headline, &own, 1))
        r->rank = own;
    for (size_t i = 0; !r->rank && i < sizeof usual / sizeof *usual; i++)
        r->rank = report_metric(r, usual[i]);
    if (!r->rank && metric_order(&r->metrics, NULL, &own, 1) && own->better != BETTER_NONE)
        r->rank = own;
    return 0;
}

static void choose_axis(struct report *r)
{
    const struct cells *c = r->cells;
    r->by = cells_policy_axis(c);
    if (r->by == c->n_axis)
        r->by = cells_axis(c, "stack");
    for (size_t i = 0; r->by == c->n_axis && i < c->n_axis; i++)
        if (c->axis[i].n > 1)
            r->by = i;
    const char *path = r->by < c->n_axis ? c->axis[r->by].path : "";
    r->contest = !strncmp(path, "polic", 5) || !strcmp(path, "stack") || !strcmp(path, "machine");
}

static bool was_told(const struct measures *m)
{
    for (size_t i = 0; m && i < m->n_incident; i++)
        if (!strcmp(m->incident[i].kind, "oracle"))
            return true;
    return false;
}

/* What a policy is, told by what it did: one that asked for inferences learned
 * something, and one whose inferences took no time did not pay for them.     */
static enum report_kind kind_of(const struct report *r, const struct report_entry *en)
{
    if (en->cell->n && was_told(en->cell->trial[0]->measures))
        return KIND_ORACLE;
    if (r->by < r->cells->n_axis && !strncmp(r->cells->axis[r->by].path, "polic", 5) &&
        (strstr(r->cells->axis[r->by].value[en->value].text, "oracle") ||
         strstr(en->label, "oracle")))
        return KIND_ORACLE;
    if (!(report_mean(en, "infer_calls") > 0))
        return KIND_PLAIN;
    const double cost = report_mean(en, "infer_cpu_time") + report_mean(en, "infer_gpu_time");
    return cost == 0 ? KIND_FREE : KIND_LEARNED;
}

static bool beats(const struct report *r, const struct report_entry *a,
                  const struct report_entry *b)
{
    return r->rank->better == BETTER_MORE ? a->rank.mean > b->rank.mean
                                          : a->rank.mean < b->rank.mean;
}

static void choose_best(const struct report *r, struct report_setting *s)
{
    s->best = s->next = s->oracle = NO_ENTRY;
    for (size_t i = 0; r->rank && r->contest && i < s->n; i++) {
        const struct report_entry *en = &s->entry[i];
        if (!en->rank.n)
            continue;
        if (en->kind == KIND_ORACLE &&
            (s->oracle == NO_ENTRY || beats(r, en, &s->entry[s->oracle])))
            s->oracle = i;
        if (report_ideal(en))
            continue;
        if (s->best == NO_ENTRY || beats(r, en, &s->entry[s->best])) {
            s->next = s->best;
            s->best = i;
        } else if (s->next == NO_ENTRY || beats(r, en, &s->entry[s->next])) {
            s->next = i;
        }
    }
}

/* First come first served where it ran, else the value named first. */
static void choose_base(struct report_setting *s)
{
    s->base = s->n ? 0 : NO_ENTRY;
    for (size_t i = s->n; i-- > 0;)
        if (!strcmp(s->entry[i].label, "fifo") || !strcmp(s->entry[i].label, "FIFO"))
            s->base = i;
}

static int contrast_setting(const struct report *r, struct report_setting *s, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && r->rank && i < s->n; i++)
        rc = contrast_cells(s->entry[s->base].cell, s->entry[i].cell, r->rank, s->n - 1,
                            &s->entry[i].to_base, e);
    return rc;
}

/* Who cannot be told from the best leads with it. */
static int mark_leaders(const struct report *r, struct report_setting *s, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && s->best != NO_ENTRY && i < s->n; i++) {
        struct contrast c;
        if (i == s->best || report_ideal(&s->entry[i])) {
            s->entry[i].leads = i == s->best;
            continue;
        }
        rc = contrast_cells(s->entry[s->best].cell, s->entry[i].cell, r->rank, s->n - 1, &c, e);
        s->entry[i].leads = c.verdict == VERDICT_UNSURE || c.verdict == VERDICT_SAME;
    }
    return rc;
}

static void fill_entry(const struct report *r, struct report_entry *en, const struct cell *cell,
                       size_t v)
{
    *en = (struct report_entry){.cell = cell, .value = v, .label = "this run"};
    if (r->by < r->cells->n_axis)
        en->label = r->cells->axis[r->by].value[v].label;
    if (r->rank)
        cell_summary(cell, r->rank->name, CONFIDENCE, &en->rank);
    for (size_t i = 0; i < cell->n; i++)
        en->ejected += trial_ejected(cell->trial[i]);
    en->kind = kind_of(r, en);
}

static int add_setting(struct report *r, const struct cell *from, struct err *e)
{
    const size_t values = r->by < r->cells->n_axis ? r->cells->axis[r->by].n : 1;
    struct report_setting *s = &r->setting[r->n_setting++];
    *s = (struct report_setting){.text = cells_setting(r->cells, from, r->by),
                                 .entry = calloc(values, sizeof *s->entry)};
    if (!s->text || !s->entry)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t v = 0; v < values; v++) {
        const struct cell *cell = cells_beside(r->cells, from, r->by, v);
        if (cell)
            fill_entry(r, &s->entry[s->n++], cell, v);
    }
    choose_base(s);
    choose_best(r, s);
    const int rc = contrast_setting(r, s, e);
    return rc ? rc : mark_leaders(r, s, e);
}

static void count_trials(struct report *r)
{
    for (size_t i = 0; i < r->rs->n_trial; i++) {
        r->failed += r->rs->trial[i].failed;
        bool seen = false;
        for (size_t k = 0; !seen && k < i; k++)
            seen = r->rs->trial[k].seed == r->rs->trial[i].seed;
        r->seeds += !seen;
    }
}

static int find_all(struct report *r, const char *rank, struct err *e)
{
    if (!metric_list(r->rs, &r->metrics))
        return err_set(e, ERR_ENOMEM, "out of memory");
    r->headline = setup_headline(r->rs->experiment_json);
    int rc = choose_rank(r, rank, e);
    if (!rc)
        rc = cells_new(&r->cells, r->rs, e);
    if (rc)
        return rc;
    choose_axis(r);
    count_trials(r);
    r->setting = calloc(r->cells->n + 1, sizeof *r->setting);
    if (!r->setting)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < r->cells->n; i++)
        if (cells_first_of_setting(r->cells, &r->cells->cell[i], r->by))
            rc = add_setting(r, &r->cells->cell[i], e);
    return rc ? rc : basis_find(&r->basis, r->rs, e);
}

int report_new(struct report **out, const struct result_set *rs, const char *rank, struct err *e)
{
    struct report *r = calloc(1, sizeof *r);
    *out = NULL;
    if (!r)
        return err_set(e, ERR_ENOMEM, "out of memory");
    r->rs = rs;
    const int rc = find_all(r, rank, e);
    if (rc)
        report_free(r);
    else
        *out = r;
    return rc;
}

void report_free(struct report *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_setting; i++) {
        free(r->setting[i].text);
        free(r->setting[i].entry);
    }
    free(r->setting);
    free(r->figure);
    basis_free(&r->basis);
    metric_list_free(&r->metrics);
    cells_free(r->cells);
    free(r);
}
