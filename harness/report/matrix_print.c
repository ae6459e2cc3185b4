/* matrix_print.c - the matrix as text, JSON, Markdown and CSV. */
#include <math.h>

#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/report/matrix.h"

static const char *role_of(size_t i)
{
    static const char *const roles[] = {"trivial", "learned, free", "learned, charged", "oracle",
                                        "practice"};
    return roles[i < ROLE_PRACTICE ? i : ROLE_PRACTICE];
}

static const char *policy_of(const struct matrix_cell *c)
{
    return c->policy ? c->policy : "hindsight";
}

/* Trivial, practice, learned, oracle: from knowing nothing to knowing all. */
static size_t in_order(const struct matrix_row *r, size_t k)
{
    const size_t practice = r->n_cells - ROLE_PRACTICE;
    if (k == 0)
        return ROLE_TRIVIAL;
    if (k <= practice)
        return ROLE_PRACTICE + k - 1;
    return k == practice + 1 ? ROLE_FREE : k == practice + 2 ? ROLE_CHARGED : ROLE_ORACLE;
}

void matrix_text(const struct matrix *m, FILE *out)
{
    fprintf(out, "%s\n", m->title);
    for (size_t i = 0; i < m->n; i++) {
        const struct matrix_row *r = &m->row[i];
        fprintf(out, "\n%s at %s: %s, %s is better, %zu seeds\n", r->name, r->hook, r->measure,
                r->less ? "less" : "more", r->trials);
        for (size_t k = 0; k < r->n_cells; k++) {
            const size_t at = in_order(r, k);
            const struct matrix_cell *c = &r->cell[at];
            fprintf(out, "  %-17s %-20s %12.6g", role_of(at), policy_of(c), c->mean);
            if (at == ROLE_TRIVIAL || at == ROLE_ORACLE)
                fprintf(out, "   %5.0f %%\n", at == ROLE_ORACLE ? 100.0 : 0.0);
            else
                fprintf(out, "   %5.1f %%  (%.1f to %.1f)\n", 100 * c->captured.mean,
                        100 * c->captured.lo, 100 * c->captured.hi);
        }
    }
}

static void put_cell(const struct matrix_row *r, size_t at, FILE *out)
{
    const struct matrix_cell *c = &r->cell[at];
    fputs("{\"role\":", out);
    json_string(out, role_of(at));
    fputs(",\"policy\":", out);
    json_string(out, policy_of(c));
    fputs(",\"mean\":", out);
    json_number(out, c->mean);
    fputs(",\"captured\":", out);
    json_number(out, c->captured.mean);
    fputs(",\"lo\":", out);
    json_number(out, c->captured.lo);
    fputs(",\"hi\":", out);
    json_number(out, c->captured.hi);
    fputs("}", out);
}

void matrix_json(const struct matrix *m, FILE *out)
{
    fputs("{\"matrix\":", out);
    json_string(out, m->name);
    fputs(",\"title\":", out);
    json_string(out, m->title);
    fprintf(out, ",\"confidence\":%g,\"rows\":[", MATRIX_CONFIDENCE);
    for (size_t i = 0; i < m->n; i++) {
        const struct matrix_row *r = &m->row[i];
        fputs(i ? ",\n{\"name\":" : "\n{\"name\":", out);
        json_string(out, r->name);
        fputs(",\"hook\":", out);
        json_string(out, r->hook);
        fputs(",\"measure\":", out);
        json_string(out, r->measure);
        fprintf(out, ",\"better\":\"%s\",\"seeds\":%zu,\"cells\":[", r->less ? "less" : "more",
                r->trials);
        for (size_t k = 0; k < r->n_cells; k++) {
            fputs(k ? ",\n " : "\n ", out);
            put_cell(r, in_order(r, k), out);
        }
        fputs("]}", out);
    }
    fputs("]}\n", out);
}

static void share(FILE *out, const struct summary *s)
{
    fprintf(out, " %.1f (%.1f to %.1f) |", 100 * s->mean, 100 * s->lo, 100 * s->hi);
}

void matrix_markdown(const struct matrix *m, FILE *out)
{
    fprintf(out,
            "## %s\n\n%s. Share of the oracle's gain over the trivial policy, %%, mean over seeds "
            "(%.0f %% interval).\n\n| Policy | Hook | Measure | Trivial | Practice | Free | "
            "Charged | Oracle |\n|---|---|---|---|---|---|---|---|\n",
            m->name, m->title, 100 * MATRIX_CONFIDENCE);
    for (size_t i = 0; i < m->n; i++) {
        const struct matrix_row *r = &m->row[i];
        fprintf(out, "| `%s` | `%s` | %s | `%s` %.4g |", r->learned, r->hook, r->measure,
                r->trivial, r->cell[ROLE_TRIVIAL].mean);
        for (size_t k = ROLE_PRACTICE; k < r->n_cells; k++)
            fprintf(out, "%s `%s` %.1f", k > ROLE_PRACTICE ? "," : "", r->cell[k].policy,
                    100 * r->cell[k].captured.mean);
        fputs(" |", out);
        share(out, &r->cell[ROLE_FREE].captured);
        share(out, &r->cell[ROLE_CHARGED].captured);
        fprintf(out, " %s%s%s %.4g |\n", r->oracle ? "`" : "", policy_of(&r->cell[ROLE_ORACLE]),
                r->oracle ? "`" : "", r->cell[ROLE_ORACLE].mean);
    }
    fputs("\n", out);
}

int matrix_csv(const struct matrix *m, const char *dir, struct err *e)
{
    struct outtext t;
    char name[160];
    int rc = outfile_mkdir(dir, e);
    rc = rc ? rc : outtext_open(&t, e);
    if (rc)
        return rc;
    fputs("row,hook,measure,role,policy,mean,captured,lo,hi\n", t.f);
    for (size_t i = 0; i < m->n; i++)
        for (size_t k = 0; k < m->row[i].n_cells; k++) {
            const struct matrix_row *r = &m->row[i];
            const struct matrix_cell *c = &r->cell[in_order(r, k)];
            fprintf(t.f, "%s,%s,%s,\"%s\",%s,%.9g,%.6g,%.6g,%.6g\n", r->name, r->hook, r->measure,
                    role_of(in_order(r, k)), policy_of(c), c->mean, c->captured.mean,
                    c->captured.lo, c->captured.hi);
        }
    snprintf(name, sizeof name, "%s.csv", m->name);
    return outtext_save(&t, dir, name, e);
}
