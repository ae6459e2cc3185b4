#include "harness/learn/class_score.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/fmt.h"
#include "harness/learn/train_loss.h"
#include "harness/learn/train_score.h"

static void as_shares(const double *y, uint32_t n, double *p)
{
    double all = 0;
    for (uint32_t i = 0; i < n; i++)
        all += y[i];
    for (uint32_t i = 0; i < n; i++)
        p[i] = y[i] / all;
}

/* What the network says of one row, and how probable it finds that. */
static int ask(const struct class_net *net, const float *x, uint32_t *said, double *probability,
               struct err *e)
{
    const uint32_t n_out = net->n_out;
    char why[256];
    float y[CLASS_MAX];
    double p[CLASS_MAX];
    assert(n_out <= CLASS_MAX);
    if (infer_run(net->model, 1, x, y, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    if (n_out == 1) {
        *said = y[0] > 0.5f;
        *probability = *said ? (double)y[0] : 1 - (double)y[0];
        return 0;
    }
    uint32_t best = 0;
    for (uint32_t i = 0; i < n_out; i++) {
        p[i] = (double)y[i];
        best = y[i] > y[best] ? i : best;
    }
    (net->votes ? as_shares : train_softmax)(p, n_out, p);
    *said = best;
    *probability = p[best];
    return 0;
}

static void count(struct class_score *s, uint32_t label, uint32_t said, double probability)
{
    const int at = (int)(probability * CLASS_BINS);
    struct class_bin *b = &s->bin[at < CLASS_BINS ? at : CLASS_BINS - 1];
    s->confusion[label][said]++;
    s->accuracy += label == said;
    b->n++;
    b->said += probability;
    b->right += label == said;
}

static void finish(struct class_score *s)
{
    const double n = (double)s->rows;
    s->accuracy /= n;
    for (int i = 0; i < CLASS_BINS; i++) {
        struct class_bin *b = &s->bin[i];
        if (!b->n)
            continue;
        b->said /= (double)b->n;
        b->right /= (double)b->n;
        s->calibration_error += (double)b->n / n * fabs(b->said - b->right);
    }
    for (uint32_t c = 0; c < s->classes; c++) {
        uint64_t there = 0;
        for (uint32_t k = 0; k < s->classes; k++)
            there += s->confusion[c][k];
        s->majority = fmax(s->majority, (double)there / n);
    }
}

/* The accuracy when one input is another row's. */
static int without(struct class_score *s, const struct class_net *net,
                   const struct class_rows *rows, size_t from, uint32_t input,
                   const uint32_t *order, struct err *e)
{
    float x[CLASS_INPUTS];
    double probability, right = 0;
    for (size_t i = 0; i < s->rows; i++) {
        uint32_t said;
        memcpy(x, rows->x + (from + i) * rows->n_in, rows->n_in * sizeof *x);
        x[input] = rows->x[(from + order[i]) * rows->n_in + input];
        const int rc = ask(net, x, &said, &probability, e);
        if (rc)
            return rc;
        right += said == rows->label[from + i];
    }
    s->importance[input] = s->accuracy - right / (double)s->rows;
    return 0;
}

static int importance(struct class_score *s, const struct class_net *net,
                      const struct class_rows *rows, size_t from, uint64_t seed, struct err *e)
{
    uint32_t *order = malloc(s->rows * sizeof *order);
    int rc = order ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < rows->n_in && !rc; i++) {
        struct rng r;
        rng_init(&r, seed + i, "learn", "permute");
        score_shuffle(order, s->rows, &r);
        rc = without(s, net, rows, from, i, order, e);
    }
    free(order);
    return rc;
}

int class_score(struct class_score *s, const struct class_net *net, const struct class_rows *rows,
                size_t from, size_t n, uint64_t seed, struct err *e)
{
    assert(from + n <= rows->n && rows->n_in <= CLASS_INPUTS);
    *s = (struct class_score){
        .rows = n, .classes = net->n_out == 1 ? 2 : net->n_out, .inputs = rows->n_in};
    if (!n)
        return err_set(e, ERR_ERANGE, "no rows to score");
    for (size_t i = from; i < from + n; i++) {
        uint32_t said;
        double probability;
        const int rc = ask(net, rows->x + i * rows->n_in, &said, &probability, e);
        if (rc)
            return rc;
        assert(rows->label[i] < s->classes);
        count(s, rows->label[i], said, probability);
    }
    finish(s);
    return importance(s, net, rows, from, seed, e);
}

/* ---- showing ----------------------------------------------------------------------- */

void class_score_json(FILE *f, const struct class_score *s, const char *const *input,
                      const char *const *class_name)
{
    fprintf(f,
            "{\"rows\": %zu, \"accuracy\": %.6g, \"majority\": %.6g,\n  \"confusion\": {\"of\": "
            "\"true class, then said class\", \"classes\": [",
            s->rows, s->accuracy, s->majority);
    for (uint32_t i = 0; i < s->classes; i++) {
        fputs(i ? ", " : "", f);
        json_string(f, class_name[i]);
    }
    fputs("], \"rows\": [", f);
    for (uint32_t i = 0; i < s->classes; i++)
        for (uint32_t k = 0; k < s->classes; k++)
            fprintf(f, "%s%llu%s",
                    k   ? ", "
                    : i ? ", ["
                        : "[",
                    (unsigned long long)s->confusion[i][k], k + 1 == s->classes ? "]" : "");
    fprintf(f, "]},\n  \"calibration\": {\"error\": %.6g, \"bins\": [", s->calibration_error);
    for (int i = 0, first = 1; i < CLASS_BINS; i++)
        if (s->bin[i].n) {
            fprintf(f, "%s{\"rows\": %zu, \"said\": %.6g, \"right\": %.6g}", first ? "" : ", ",
                    s->bin[i].n, s->bin[i].said, s->bin[i].right);
            first = 0;
        }
    fputs("]},\n  \"importance\": {", f);
    for (uint32_t i = 0; i < s->inputs; i++) {
        fputs(i ? ", " : "", f);
        json_string(f, input[i]);
        fprintf(f, ": %.6g", s->importance[i]);
    }
    fputs("}}", f);
}

void class_score_print(FILE *f, const struct class_score *s, const char *const *input,
                       const char *const *class_name)
{
    fprintf(f,
            "  accuracy %.1f %% (the most frequent class alone: %.1f %%), calibration error "
            "%.3f\n\n  %-16s",
            100 * s->accuracy, 100 * s->majority, s->calibration_error, "true, then said");
    for (uint32_t k = 0; k < s->classes; k++)
        fprintf(f, " %10s", class_name[k]);
    for (uint32_t i = 0; i < s->classes; i++) {
        fprintf(f, "\n  %-16s", class_name[i]);
        for (uint32_t k = 0; k < s->classes; k++)
            fprintf(f, " %10llu", (unsigned long long)s->confusion[i][k]);
    }
    fputs("\n\n  input permuted     accuracy lost\n", f);
    for (uint32_t i = 0; i < s->inputs; i++)
        fprintf(f, "  %-16s %15.3f\n", input[i], s->importance[i]);
}
