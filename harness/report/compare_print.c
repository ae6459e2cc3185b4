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

static void text_row(const struct compare_row *r, FILE *f)
{
    const struct contrast *k = &r->contrast;
    char words[160];
    contrast_words(k, words, sizeof words);
    fprintf(f, "  %-22s %-10s %12.5g %12.5g %8.4g %12.4g [%.4g, %.4g]  %s", k->metric->name,
            k->metric->unit, k->pair.mean_a, k->pair.mean_b, contrast_ratio(k), k->pair.diff,
            k->pair.lo, k->pair.hi, words);
    if (!isnan(k->pair.p_rank))
        fprintf(f, "; signed-rank p = %.3g", k->pair.p_rank);
    if (k->missing)
        fprintf(f, "; not measured in %zu pairs", k->missing);
    fputc('\n', f);
}

void compare_text(const struct comparison *c, FILE *f)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct compare_row *r = &c->row[i];
        if (new_pair(c, i)) {
            fprintf(f, "%s%s%s%s against %s, %zu pairs\n", i ? "\n" : "", r->setting,
                    *r->setting ? ": " : "", r->b, r->a, r->contrast.pair.n);
            fprintf(f, "  %-22s %-10s %12s %12s %8s %12s %s\n", "measure", "unit", "mean A",
                    "mean B", "ratio", "difference", "[95 % CI]  B is ...");
        }
        text_row(r, f);
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
