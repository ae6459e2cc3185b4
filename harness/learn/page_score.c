#include "harness/learn/page_score.h"

#include <math.h>
#include <stdlib.h>

#include "harness/learn/train_score.h"

struct answer {
    uint32_t bin;
    float p[PLACE_BINS];
};

static int ask(struct infer_model *net, const float *x, struct answer *a, struct err *e)
{
    char why[256];
    if (infer_run(net, 1, x, a->p, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    a->bin = 0;
    for (uint32_t i = 1; i < PLACE_BINS; i++)
        a->bin = a->p[i] > a->p[a->bin] ? i : a->bin;
    return 0;
}

static uint32_t warmth(uint32_t bin)
{
    return bin == 0 ? 0 : bin <= place_bin(3) ? 1 : bin <= place_bin(15) ? 2 : 3;
}

static void count(struct page_score *s, const struct answer *a, uint32_t last, uint32_t real)
{
    const double accesses = place_bin_mean(real), sure = (double)a->p[a->bin];
    const uint32_t tenth = sure < 1 ? (uint32_t)(sure * PAGE_TENTHS) : PAGE_TENTHS - 1;
    s->accuracy += a->bin == real;
    s->error += fabs(place_expected(a->p) - accesses);
    s->stay_accuracy += last == real;
    s->stay_error += fabs(place_bin_mean(last) - accesses);
    s->confusion[warmth(real)][warmth(a->bin)]++;
    s->sure_rows[tenth]++;
    s->sure_mean[tenth] += sure;
    s->sure_right[tenth] += a->bin == real;
}

static void finish(struct page_score *s)
{
    const double each = s->rows ? 1 / (double)s->rows : 0;
    s->accuracy *= each;
    s->error *= each;
    s->stay_accuracy *= each;
    s->stay_error *= each;
    for (int i = 0; i < PAGE_TENTHS; i++) {
        const double n = s->sure_rows[i] ? (double)s->sure_rows[i] : 1;
        s->sure_mean[i] /= n;
        s->sure_right[i] /= n;
    }
}

/* ---- what each step is worth ---------------------------------------------------------- */

struct asked {
    struct infer_model *net;
    const uint8_t *next; /* [n]: what came */
    size_t n;
};

/* The share that is wrong. */
static int error_of(void *ctx, const float *x, double *error, struct err *e)
{
    const struct asked *k = ctx;
    struct answer a;
    size_t right = 0;
    for (size_t i = 0; i < k->n; i++) {
        const int rc = ask(k->net, x + i * PLACE_STEPS, &a, e);
        if (rc)
            return rc;
        right += a.bin == k->next[i];
    }
    *error = 1 - (double)right / (double)k->n;
    return 0;
}

static int importance(struct page_score *s, struct asked *k, const float *x, uint64_t seed,
                      struct err *e)
{
    const struct score_inputs in = {.x = x,
                                    .n = k->n,
                                    .n_in = PLACE_STEPS,
                                    .component = "pages",
                                    .seed = seed,
                                    .of = error_of,
                                    .ctx = k,
                                    .plain = 1 - s->accuracy};
    return score_importance(s->importance, &in, e);
}

int page_score(struct page_score *s, struct infer_model *net, const struct page_rows *rows,
               size_t from, size_t n, uint64_t seed, struct err *e)
{
    *s = (struct page_score){.rows = n};
    const uint8_t *id = rows->id + from * PLACE_STEPS;
    float *x = malloc((n + 1) * PLACE_STEPS * sizeof *x);
    int rc = x ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; !rc && i < n * PLACE_STEPS; i++)
        x[i] = (float)id[i];
    for (size_t i = 0; !rc && i < n; i++) {
        struct answer a;
        rc = ask(net, x + i * PLACE_STEPS, &a, e);
        if (!rc)
            count(s, &a, id[(i + 1) * PLACE_STEPS - 1], rows->next[from + i]);
    }
    finish(s);
    if (!rc && n)
        rc = importance(s, &(struct asked){net, rows->next + from, n}, x, seed, e);
    free(x);
    return rc;
}

void page_score_json(FILE *f, const struct page_score *s)
{
    fprintf(f,
            "{\"rows\": %zu, \"accuracy\": %.6g, \"mean_error\": %.6g, \"as_before\": "
            "{\"accuracy\": %.6g, \"mean_error\": %.6g},\n    \"confusion\": [",
            s->rows, s->accuracy, s->error, s->stay_accuracy, s->stay_error);
    for (int i = 0; i < PAGE_WARMTHS; i++)
        fprintf(f, "%s[%zu, %zu, %zu, %zu]", i ? ", " : "", s->confusion[i][0], s->confusion[i][1],
                s->confusion[i][2], s->confusion[i][3]);
    fputs("],\n    \"calibration\": [", f);
    for (int i = 0, some = 0; i < PAGE_TENTHS; i++)
        if (s->sure_rows[i])
            fprintf(f, "%s{\"rows\": %zu, \"said\": %.6g, \"right\": %.6g}", some++ ? ", " : "",
                    s->sure_rows[i], s->sure_mean[i], s->sure_right[i]);
    fputs("],\n    ", f);
    score_put_numbers(f, "importance", s->importance, PLACE_STEPS);
    fputs("}", f);
}
