#include "harness/learn/train_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "sim/dmath.h"

enum { P, T }; /* predicted, true */
struct pair {
    double v[2]; /* the values, then their ranks */
};

static int by_p(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->v[P] != y->v[P])
        return x->v[P] < y->v[P] ? -1 : 1;
    return (x->v[T] > y->v[T]) - (x->v[T] < y->v[T]);
}

static int by_t(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->v[T] != y->v[T])
        return x->v[T] < y->v[T] ? -1 : 1;
    return (x->v[P] > y->v[P]) - (x->v[P] < y->v[P]);
}

/* Equal values share the mean of their ranks.  The array is sorted by `which`.
 * Returns the pairs tied.                                                   */
static double rank(struct pair *v, size_t n, int which)
{
    double tied = 0;
    for (size_t from = 0, to; from < n; from = to) {
        double value = v[from].v[which];
        for (to = from + 1; to < n && v[to].v[which] == value;)
            to++;
        for (size_t i = from; i < to; i++)
            v[i].v[which] = ((double)from + (double)to - 1) / 2;
        tied += (double)(to - from) * (double)(to - from - 1) / 2;
    }
    return tied;
}

static double pearson(const struct pair *v, size_t n)
{
    double mean = ((double)n - 1) / 2, pt = 0, pp = 0, tt = 0; /* of ranks 0..n-1, ties or not */
    for (size_t i = 0; i < n; i++) {
        pt += (v[i].v[P] - mean) * (v[i].v[T] - mean);
        pp += (v[i].v[P] - mean) * (v[i].v[P] - mean);
        tt += (v[i].v[T] - mean) * (v[i].v[T] - mean);
    }
    return pt / sqrt(pp * tt);
}

/* Merge sort by t; counts the pairs that were out of order (Knight 1966). */
static double swaps(struct pair *v, struct pair *spare, size_t n)
{
    if (n < 2)
        return 0;
    size_t half = n / 2, i = 0, j = half, k = 0;
    double count = swaps(v, spare, half) + swaps(v + half, spare, n - half);
    while (i < half && j < n) {
        if (v[j].v[T] < v[i].v[T]) {
            count += (double)(half - i);
            spare[k++] = v[j++];
        } else {
            spare[k++] = v[i++];
        }
    }
    memcpy(spare + k, v + i, (half - i) * sizeof *v);
    memcpy(spare + k + half - i, v + j, (n - j) * sizeof *v);
    memcpy(v, spare, n * sizeof *v);
    return count;
}

static double tied_in_both(const struct pair *v, size_t n) /* sorted by p, then t */
{
    double tied = 0;
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && v[to].v[P] == v[from].v[P] && v[to].v[T] == v[from].v[T];)
            to++;
        tied += (double)(to - from) * (double)(to - from - 1) / 2;
    }
    return tied;
}

static int rank_scores(struct score *s, const double *predicted, const uint32_t *tokens, size_t n)
{
    struct pair *v = malloc(2 * n * sizeof *v);
    if (!v)
        return -1;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct pair){{predicted[i], (double)tokens[i]}};
    qsort(v, n, sizeof *v, by_t);
    double tied_t = rank(v, n, T);
    qsort(v, n, sizeof *v, by_p);
    double tied_p = rank(v, n, P);
    double both = tied_in_both(v, n), all = (double)n * ((double)n - 1) / 2;
    s->spearman = pearson(v, n);
    double discordant = swaps(v, v + n, n);
    s->kendall =
        (all - tied_p - tied_t + both - 2 * discordant) / sqrt((all - tied_p) * (all - tied_t));
    free(v);
    return 0;
}

static int class_of(double tokens, const double edges[SCORE_CLASSES - 1])
{
    int c = 0;
    while (c < SCORE_CLASSES - 1 && tokens > edges[c])
        c++;
    return c;
}

static void class_scores(struct score *s, size_t n)
{
    const int top = SCORE_CLASSES - 1;
    double right = 0, said = 0, there = 0, hit = (double)s->confusion[top][top];
    for (int c = 0; c < SCORE_CLASSES; c++) {
        right += (double)s->confusion[c][c];
        said += (double)s->confusion[c][top];
        there += (double)s->confusion[top][c];
    }
    s->accuracy = right / (double)n;
    s->top_precision = hit / said;
    s->top_recall = hit / there;
}

int score_rows(struct score *s, const double *predicted, const uint32_t *tokens, size_t n,
               const double edges[SCORE_CLASSES - 1], struct err *e)
{
    const double ln2 = dmath_log(2);
    double off = 0, off_log = 0;
    *s = (struct score){0};
    if (!n)
        return err_set(e, ERR_ERANGE, "no rows to score");
    for (size_t i = 0; i < n; i++) {
        double lg = (dmath_log(1 + predicted[i]) - dmath_log(1 + (double)tokens[i])) / ln2;
        off += fabs(predicted[i] - (double)tokens[i]);
        off_log += lg * lg;
        s->confusion[class_of(tokens[i], edges)][class_of(predicted[i], edges)]++;
    }
    s->mae = off / (double)n;
    s->log2_rmse = sqrt(off_log / (double)n);
    class_scores(s, n);
    return rank_scores(s, predicted, tokens, n) ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int score_edges(double edges[SCORE_CLASSES - 1], const uint32_t *tokens, size_t n, struct err *e)
{
    uint32_t *sorted = malloc((n + 1) * sizeof *sorted);
    if (!sorted || !n) {
        free(sorted);
        return err_set(e, n ? ERR_ENOMEM : ERR_ERANGE, n ? "out of memory" : "no rows to score");
    }
    memcpy(sorted, tokens, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    for (size_t k = 1; k < SCORE_CLASSES; k++)
        edges[k - 1] = (double)sorted[k * n / SCORE_CLASSES];
    free(sorted);
    return 0;
}

struct ranked {
    float predicted, was;
    size_t row;
};

static int by_prediction(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->predicted < y->predicted || x->predicted > y->predicted)
        return x->predicted < y->predicted ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

int score_calibration(struct score_bin *bin, size_t bins, const float *predicted, size_t stride,
                      const float *was, size_t n, struct err *e)
{
    struct ranked *r = malloc(n * sizeof *r);
    if (!r)
        return err_set(e, ERR_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        r[i] = (struct ranked){predicted[stride * i], was[i], i};
    qsort(r, n, sizeof *r, by_prediction);
    for (size_t b = 0; b < bins; b++) {
        const size_t lo = n * b / bins, hi = n * (b + 1) / bins;
        for (size_t i = lo; i < hi; i++) {
            bin[b].predicted += (double)r[i].predicted / (double)(hi - lo);
            bin[b].was += (double)r[i].was / (double)(hi - lo);
        }
    }
    free(r);
    return 0;
}

/* ---- what inputs are worth ------------------------------------------------------------ */

void score_shuffle(uint32_t *order, size_t n, struct rng *r)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        const size_t j = (size_t)rng_below(r, i);
        const uint32_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

int score_importance(double *gain, const struct score_inputs *s, struct err *e)
{
    const size_t bytes = s->n * s->n_in * sizeof(float);
    float *x = malloc(bytes);
    uint32_t *order = malloc(s->n * sizeof *order);
    int rc = x && order ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (uint32_t k = 0; k < s->n_in && !rc; k++) {
        struct rng r;
        double error;
        rng_init_indexed(&r, s->seed, s->component, "importance", k);
        score_shuffle(order, s->n, &r);
        memcpy(x, s->x, bytes);
        for (size_t i = 0; i < s->n; i++)
            x[i * s->n_in + k] = s->x[(size_t)order[i] * s->n_in + k];
        rc = s->of(s->ctx, x, &error, e);
        gain[k] = rc ? 0 : error - s->plain;
    }
    free(x);
    free(order);
    return rc;
}

/* ---- showing it ----------------------------------------------------------------------- */

void score_put_numbers(FILE *f, const char *key, const double *v, size_t n)
{
    fprintf(f, "\"%s\": [", key);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : "", f);
        json_number(f, v[i]);
    }
    fputc(']', f);
}

void score_put_bins(FILE *f, const char *key, const struct score_bin *bin, double unit)
{
    fprintf(f, "\"%s\": [", key);
    for (size_t b = 0; b < SCORE_BINS; b++) {
        fputs(b ? ", [" : "[", f);
        json_number(f, bin[b].predicted * unit);
        fputs(", ", f);
        json_number(f, bin[b].was * unit);
        fputc(']', f);
    }
    fputc(']', f);
}
