/* How malv compare shows what it found. */
#include <math.h>
#include <string.h>

#include "harness/report/compare.h"
#include "harness/base/fmt.h"

static bool new_pair(const struct comparison *c, size_t i)
{
    const struct compare_row *r = &c->row[i];
    return i == 0 || strcmp(r->setting, r[-1].setting) || r->a != r[-1].a || r->b != r[-1].b;
}

/* A number, or a dash where there is none: 0 / 0, an interval of one observation. */
static const char *cell_text(char out[32], int digits, double v)
{
    if (isnan(v))
        return "-";
    snprintf(out, 32, "%.*g", digits, v);
    return out;
}

static void text_row(const struct compare_row *r, FILE *f)
{
    const struct contrast *k = &r->contrast;
    char words[160], t[6][32];
    contrast_words(k, words, sizeof words);
    fprintf(f, "  %-22s %-10s %12s %12s %8s %12s [%s, %s]  %s", k->metric->name, k->metric->unit,
            cell_text(t[0], 5, k->pair.mean_a), cell_text(t[1], 5, k->pair.mean_b),
            cell_text(t[2], 4, contrast_ratio(k)), cell_text(t[3], 4, k->pair.diff),
            cell_text(t[4], 4, k->pair.lo), cell_text(t[5], 4, k->pair.hi), words);
    if (!isnan(k->pair.p_rank))
        fprintf(f, "; signed-rank p = %.3g", k->pair.p_rank);
    if (k->missing)
        fprintf(f, "; not measured in %zu pairs", k->missing);
    fputc('\n', f);
}

#define LINE 100 /* columns */

/* The measures of one pair of settings, from row i on, with this verdict, by name only. */
static void list_rows(const struct comparison *c, size_t i, enum verdict v, const char *lead,
                      FILE *f)
{
    int at = 0;
    do {
        const char *name = c->row[i].contrast.metric->name;
        if (c->row[i].contrast.verdict != v)
            continue;
        if (at && at + 2 + (int)strlen(name) > LINE)
            fputs(",\n   ", f), at = 3;
        else
            at += at ? fprintf(f, ",") : fprintf(f, "  %s:", lead);
        at += fprintf(f, " %s", name);
    } while (++i < c->n && !new_pair(c, i));
    if (at)
        fputc('\n', f);
}

/* What differs nowhere, or was not measured, would bury the rest. */
static bool only_named(const struct comparison *c, size_t i)
{
    const enum verdict v = c->row[i].contrast.verdict;
    return c->brief && (v == VERDICT_SAME || v == VERDICT_NONE);
}

void compare_text(const struct comparison *c, FILE *f)
{
    size_t first = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct compare_row *r = &c->row[i];
        if (new_pair(c, i)) {
            fprintf(f, "%s%s%s%s against %s, %zu pairs\n", i ? "\n" : "", r->setting,
                    *r->setting ? ": " : "", r->b, r->a, r->contrast.pair.n);
            fprintf(f, "  %-22s %-10s %12s %12s %8s %12s %s\n", "measure", "unit", "mean A",
                    "mean B", "ratio", "difference", "[95 % CI]  B is ...");
            first = i;
        }
        if (!only_named(c, i))
            text_row(r, f);
        if (c->brief && (i + 1 == c->n || new_pair(c, i + 1))) {
            list_rows(c, first, VERDICT_SAME, "the same in every pair", f);
            list_rows(c, first, VERDICT_NONE, "not measured", f);
        }
    }
}

static void json_field(FILE *f, const char *name, double v)
{
    fprintf(f, ",\"%s\":", name);
    json_number(f, v);
}

static void json_row(const struct compare_row *r, FILE *f)
{
    static const char *const verdict[] = {"no pairs", "one pair", "same",     "no difference shown",
                                          "better",   "worse",    "different"};
    const struct contrast *k = &r->contrast;
    fputs("{\"setting\":", f);
    json_string(f, r->setting);
    fputs(",\"a\":", f);
    json_string(f, r->a);
    fputs(",\"b\":", f);
    json_string(f, r->b);
    fputs(",\"measure\":", f);
    json_string(f, k->metric->name);
    fputs(",\"unit\":", f);
    json_string(f, k->metric->unit);
    fprintf(f,
            ",\"pairs\":%zu,\"unpaired\":%zu,\"missing\":%zu,\"ejected_a\":%zu,\"ejected_b\":%zu",
            k->pair.n, k->unpaired_a + k->unpaired_b, k->missing, k->ejected_a, k->ejected_b);
    json_field(f, "mean_a", k->pair.mean_a);
    json_field(f, "mean_b", k->pair.mean_b);
    json_field(f, "ratio", contrast_ratio(k));
    json_field(f, "ratio_lo", k->pair.change_lo);
    json_field(f, "ratio_hi", k->pair.change_hi);
    json_field(f, "difference", k->pair.diff);
    json_field(f, "lo", k->pair.lo);
    json_field(f, "hi", k->pair.hi);
    json_field(f, "p", k->pair.p);
    json_field(f, "p_signed_rank", k->pair.p_rank);
    fprintf(f, ",\"verdict\":\"%s\"}", verdict[k->verdict]);
}

void compare_json(const struct comparison *c, FILE *f)
{
    fprintf(f, "{\"confidence\":%g,\"by\":", CONFIDENCE);
    if (c->by)
        json_string(f, c->by);
    else
        fputs("null", f);
    fputs(",\"comparisons\":[", f);
    for (size_t i = 0; i < c->n; i++) {
        fputs(i ? ",\n" : "\n", f);
        json_row(&c->row[i], f);
    }
    fputs("],\n\"warnings\":[", f);
    for (size_t i = 0; i < c->n_warning; i++) {
        fputs(i ? "," : "", f);
        json_string(f, c->warning[i]);
    }
    fputs("]}\n", f);
}
