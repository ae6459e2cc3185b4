#include "harness/learn/page_score.h"

#include <math.h>

struct answer {
    uint32_t bin;
    float p[PLACE_BINS];
};

/* `blank`: a step taken for "none"; PLACE_STEPS: all are as they are. */
static int ask(struct infer_model *net, const struct page_rows *rows, size_t row, uint32_t blank,
               struct answer *a, struct err *e)
{
    float x[PLACE_STEPS];
    char why[256];
    for (uint32_t i = 0; i < PLACE_STEPS; i++)
        x[i] = i == blank ? 0 : (float)rows->id[row * PLACE_STEPS + i];
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
    for (int i = 0; i < PLACE_STEPS; i++)
        s->lost[i] = s->accuracy - s->lost[i] * each;
}

int page_score(struct page_score *s, struct infer_model *net, const struct page_rows *rows,
               size_t from, size_t n, struct err *e)
{
    *s = (struct page_score){.rows = n};
    for (size_t r = from; r < from + n; r++) {
        struct answer a;
        int rc = ask(net, rows, r, PLACE_STEPS, &a, e);
        if (!rc)
            count(s, &a, rows->id[(r + 1) * PLACE_STEPS - 1], rows->next[r]);
        for (uint32_t i = 0; !rc && i < PLACE_STEPS; i++) {
            rc = ask(net, rows, r, i, &a, e);
            s->lost[i] += a.bin == rows->next[r];
        }
        if (rc)
            return rc;
    }
    finish(s);
    return 0;
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
    fputs("],\n    \"lost_without_step\": [", f);
    for (int i = 0; i < PLACE_STEPS; i++)
        fprintf(f, "%s%.6g", i ? ", " : "", s->lost[i]);
    fputs("]}", f);
}
