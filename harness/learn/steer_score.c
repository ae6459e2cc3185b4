#include "harness/learn/steer_score.h"

#include <stdlib.h>

#define NUMBERS KNN_FEATURES_N
static const char *const fast_slow[] = {"fast", "slow"};
static const char *const numbers[NUMBERS] = {"pending_then_4", "pending_then_3", "pending_then_2",
                                             "pending_then_1", "pending_now",    "latency_4",
                                             "latency_3",      "latency_2",      "latency_1"};

static void names_of(char text[CLASS_INPUTS][32], const char *name[CLASS_INPUTS], bool digits)
{
    const int pendings = POLICY_IO_HISTORY + 1;
    int at = 0;
    for (int i = 0; i < NUMBERS; i++) {
        const int n = !digits ? 1 : i < pendings ? LINNOS_PENDING : LINNOS_LATENCY;
        for (int d = 1; d <= n; d++, at++) {
            snprintf(text[at], sizeof text[at], digits ? "%s_digit_%d" : "%s", numbers[i], d);
            name[at] = text[at];
        }
    }
}

/* What the network is shown of these rows; points: malloc'd, to be freed by the caller. */
static bool view(struct class_rows *v, enum steer_shown shown, const struct steer_rows *rows,
                 size_t from, size_t n)
{
    *v = (struct class_rows){
        .n_in = LINNOS_N, .n = n, .x = rows->x + from * LINNOS_N, .label = rows->slow + from};
    if (shown == STEER_DIGITS)
        return true;
    v->n_in = KNN_FEATURES_N;
    v->x = malloc((n + 1) * KNN_FEATURES_N * sizeof *v->x);
    for (size_t i = 0; v->x && i < n; i++)
        knn_features(rows->x + (from + i) * LINNOS_N, v->x + i * KNN_FEATURES_N);
    return v->x;
}

int steer_score(struct steer_score *s, struct infer_model *net, enum steer_shown shown,
                const struct steer_rows *rows, size_t from, size_t n, uint64_t seed, struct err *e)
{
    const struct class_net asked = {.model = net, .n_out = 2, .votes = shown == STEER_POINTS};
    const struct class_score *c = &s->classes;
    struct class_rows v;
    *s = (struct steer_score){.rows = n};
    int rc = view(&v, shown, rows, from, n) ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    rc = rc ? rc : class_score(&s->classes, &asked, &v, 0, n, seed, e);
    if (shown == STEER_POINTS)
        free(v.x);
    if (rc)
        return rc;
    const double each = 1 / (double)n;
    s->accuracy = c->accuracy;
    s->slow = (double)(c->confusion[1][0] + c->confusion[1][1]) * each;
    s->said_slow = (double)(c->confusion[0][1] + c->confusion[1][1]) * each;
    s->false_submit = (double)c->confusion[1][0] * each;
    s->false_reject = (double)c->confusion[0][1] * each;
    return 0;
}

void steer_score_json(FILE *f, const char *key, const struct steer_score *s)
{
    char text[CLASS_INPUTS][32];
    const char *name[CLASS_INPUTS];
    names_of(text, name, s->classes.inputs == LINNOS_N);
    fprintf(f,
            "\"%s\": {\"rows\": %zu, \"slow\": %.6g, \"accuracy\": %.6g, \"false_submit\": %.6g, "
            "\"false_reject\": %.6g, \"said_slow\": %.6g,\n    \"classes\": ",
            key, s->rows, s->slow, s->accuracy, s->false_submit, s->false_reject, s->said_slow);
    class_score_json(f, &s->classes, name, fast_slow);
    fputc('}', f);
}

void steer_score_print_head(void)
{
    printf("  %-20s %8s %8s %9s %13s %13s\n", "last reads of", "rows", "slow", "accuracy",
           "false submit", "false reject");
}

void steer_score_print(const char *trace, const struct steer_score *s)
{
    printf("  %-20s %8zu %7.1f%% %8.1f%% %12.1f%% %12.1f%%\n", trace, s->rows, 100 * s->slow,
           100 * s->accuracy, 100 * s->false_submit, 100 * s->false_reject);
}
