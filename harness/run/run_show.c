#include "harness/run/run_show.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/run/setup.h"
#include "results/cells.h"
#include "results/metric.h"

/* ---- for people ------------------------------------------------------------------ */

#define COLUMNS 6

/* What the model names first; else the measures that a person asks for first, if it has them. */
static size_t pick_columns(const struct result_set *rs, const struct metric_list *all,
                           const struct metric **pick)
{
    static const char *const first[] = {"goodput",  "throughput", "ttft.mean",
                                        "ttft.p99", "e2e.mean",   "e2e.p99"};
    const char *own = setup_headline(rs->experiment_json);
    size_t n = 0;
    for (size_t i = 0; !own && i < sizeof first / sizeof *first; i++)
        if ((pick[n] = metric_named(all, first[i])))
            n++;
    return n ? n : metric_order(all, own, pick, COLUMNS);
}

static int axis_width(const struct axis *a)
{
    size_t w = strlen(axis_name(a));
    for (size_t i = 0; i < a->n; i++)
        if (strlen(a->value[i].label) > w)
            w = strlen(a->value[i].label);
    return w > 40 ? 40 : (int)w;
}

static void head(const struct cells *g, const struct metric **pick, size_t n, FILE *f)
{
    for (size_t i = 0; i < g->n_axis; i++)
        fprintf(f, "%-*s  ", axis_width(&g->axis[i]), axis_name(&g->axis[i]));
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%12s", i ? "  " : "", pick[i]->name);
    fputc('\n', f);
    for (size_t i = 0; i < g->n_axis; i++)
        fprintf(f, "%-*s  ", axis_width(&g->axis[i]), "");
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s%12s", i ? "  " : "", pick[i]->unit);
    fputc('\n', f);
}

static void row(const struct cells *g, const struct cell *c, const struct metric **pick, size_t n,
                FILE *f)
{
    for (size_t i = 0; i < g->n_axis; i++)
        fprintf(f, "%-*.40s  ", axis_width(&g->axis[i]), g->axis[i].value[c->at[i]].label);
    for (size_t i = 0; i < n; i++) {
        struct summary s;
        cell_summary(c, pick[i]->name, 0.95, &s);
        if (s.n)
            fprintf(f, "%s%12.5g", i ? "  " : "", s.mean);
        else
            fprintf(f, "%s%12s", i ? "  " : "", "-");
    }
    fputc('\n', f);
}

/* One line for each policy that was ejected, with the first reason. */
static void say_ejected(const struct result_set *rs, FILE *f)
{
    for (size_t i = 0; i < rs->n_trial; i++) {
        const struct measures *m = rs->trial[i].measures;
        for (size_t k = 0; k < m->n_incident; k++) {
            const struct measure_incident *first = &m->incident[k];
            size_t before = 0, all = 0;
            if (strcmp(first->kind, "ejected"))
                continue;
            for (size_t j = 0; j < rs->n_trial; j++)
                for (size_t l = 0; l < rs->trial[j].measures->n_incident; l++) {
                    const struct measure_incident *other = &rs->trial[j].measures->incident[l];
                    bool same = !strcmp(other->kind, "ejected") && !strcmp(other->who, first->who);
                    all += same;
                    before += same && j < i;
                }
            if (!before)
                fprintf(f,
                        "ejected: policy %s in %zu of %zu trials; in trial %" PRIu64
                        " at call %" PRIu64 ": %s\n",
                        first->who, all, rs->n_trial, rs->trial[i].index, first->decision,
                        first->text);
        }
    }
}

int run_show_table(const struct result_set *rs, FILE *f, struct err *e)
{
    struct cells *g;
    struct metric_list all;
    const struct metric *pick[COLUMNS + 1];
    int rc = cells_new(&g, rs, e);
    if (rc)
        return rc;
    if (!metric_list(rs, &all)) {
        cells_free(g);
        return err_set(e, ERR_ENOMEM, "out of memory for the table of results");
    }
    size_t n = pick_columns(rs, &all, pick);
    if (n) {
        head(g, pick, n, f);
        for (size_t i = 0; i < g->n; i++)
            row(g, &g->cell[i], pick, n, f);
    }
    say_ejected(rs, f);
    metric_list_free(&all);
    cells_free(g);
    return 0;
}

/* ---- for programs ---------------------------------------------------------------- */

static void json_pair(FILE *f, const char *comma, const char *name, double v)
{
    fputs(comma, f);
    json_string(f, name);
    fputc(':', f);
    json_number(f, v);
}

static void json_sketch(const struct measure_sketch *m, FILE *f)
{
    json_string(f, m->name);
    fputs(":{\"unit\":", f);
    json_string(f, m->unit);
    json_pair(f, ",", "count", (double)sketch_count(m->sketch));
    json_pair(f, ",", "mean", sketch_mean(m->sketch));
    json_pair(f, ",", "min", sketch_min(m->sketch));
    json_pair(f, ",", "p50", sketch_quantile(m->sketch, 0.5));
    json_pair(f, ",", "p90", sketch_quantile(m->sketch, 0.9));
    json_pair(f, ",", "p99", sketch_quantile(m->sketch, 0.99));
    json_pair(f, ",", "max", sketch_max(m->sketch));
    fputc('}', f);
}

static void json_incident(const struct measure_incident *m, FILE *f)
{
    fputs("{\"kind\":", f);
    json_string(f, m->kind);
    fputs(",\"who\":", f);
    json_string(f, m->who);
    fprintf(f, ",\"when_ns\":%" PRIu64 ",\"decision\":%" PRIu64 ",\"text\":", m->when, m->decision);
    json_string(f, m->text);
    fputc('}', f);
}

static void json_trial(const struct result_trial *t, FILE *f)
{
    const struct measures *m = t->measures;
    fprintf(f, "{\"index\":%" PRIu64 ",\"seed\":%" PRIu64 ",\"factors\":{", t->index, t->seed);
    for (size_t i = 0; i < t->n_factor; i++) {
        fputs(i ? "," : "", f);
        json_string(f, t->factor[i].path);
        fputc(':', f);
        json_string(f, t->factor[i].value);
    }
    fprintf(f, "},\"failed\":%s,\"why\":", t->failed ? "true" : "false");
    json_string(f, t->why ? t->why : "");
    fputs(",\"numbers\":{", f);
    for (size_t i = 0; i < m->n_number; i++)
        json_pair(f, i ? "," : "", m->number[i].name, m->number[i].value);
    fputs("},\"sketches\":{", f);
    for (size_t i = 0; i < m->n_sketch; i++) {
        fputs(i ? "," : "", f);
        json_sketch(&m->sketch[i], f);
    }
    fputs("},\"incidents\":[", f);
    for (size_t i = 0; i < m->n_incident; i++) {
        fputs(i ? "," : "", f);
        json_incident(&m->incident[i], f);
    }
    fputs("]}", f);
}

void run_show_json(const struct result_set *rs, const char *out, const struct runner_report *r,
                   FILE *f)
{
    fputs("{\"name\":", f);
    json_string(f, rs->name);
    fputs(",\"out\":", f);
    json_string(f, out);
    fprintf(f,
            ",\"planned\":%" PRIu64 ",\"ran\":%" PRIu64 ",\"resumed\":%" PRIu64
            ",\"failed\":%" PRIu64 ",\"trials\":[",
            rs->planned, r->ran, r->resumed, r->failed);
    for (size_t i = 0; i < rs->n_trial; i++) {
        fputs(i ? ",\n" : "\n", f);
        json_trial(&rs->trial[i], f);
    }
    fputs("\n]}\n", f);
}
