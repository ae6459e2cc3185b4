/* policy_store.c - a policy's side of the feature store. */
#include <stdlib.h>

#include "harness/policy/policy_session.h"
#include "models/mlaas/features.h"

static struct features *store(struct policy_session *s)
{
    if (s->want.features)
        return s->want.features;
    if (!s->own_features)
        s->own_features = features_new();
    return s->own_features;
}

/* Told to whoever charges for it; hands the answer on. */
static int charge(struct policy_session *s, int answer, uint32_t puts, uint32_t commits,
                  uint32_t rows)
{
    const struct infer_tap *tap = s->want.infer ? s->want.infer->tap : NULL;
    if (answer >= 0 && tap && tap->stored)
        tap->stored(tap->ctx, puts, commits, rows);
    return answer;
}

static int open_registry(void *host, const char *name, const struct policy_field *field,
                         uint32_t n_field, uint32_t rows)
{
    struct policy_session *s = host;
    char why[128] = "out of memory";
    struct features *f = store(s);
    int r = f ? features_open(f, name, field, n_field, rows, why, sizeof why) : -1;
    if (r < 0)
        session_say(s, "features \"%.64s\": %s", name, why);
    return r;
}

static int begin(void *host, int registry)
{
    struct features *f = store(host);
    return f ? features_begin(f, registry) : -1;
}

static int put(void *host, int registry, uint32_t field, float value)
{
    struct features *f = store(host);
    return charge(host, f ? features_put(f, registry, field, value) : -1, 1, 0, 0);
}

static int add(void *host, int registry, uint32_t field, float value)
{
    struct features *f = store(host);
    return charge(host, f ? features_add(f, registry, field, value) : -1, 1, 0, 0);
}

static int commit(void *host, int registry, uint64_t at_ns)
{
    struct features *f = store(host);
    return charge(host, f ? features_commit(f, registry, at_ns) : -1, 0, 1, 0);
}

static int get(void *host, int registry, uint64_t since_ns, uint32_t most, float *rows,
               uint64_t *at_ns)
{
    struct features *f = store(host);
    int n = f ? features_get(f, registry, since_ns, most, rows, at_ns) : -1;
    return charge(host, n, 0, 0, n > 0 ? (uint32_t)n : 0);
}

static int score(void *host, int registry, int model, uint64_t since_ns, uint32_t most, float *out)
{
    struct policy_session *s = host;
    struct features *f = store(s);
    const struct session_model *m = session_model(s, model);
    const uint32_t columns = f ? features_columns(f, registry) : 0;
    if (!m || !columns || columns != m->n_in)
        return -1;
    if (most > FEATURES_ROWS_MOST)
        most = FEATURES_ROWS_MOST;
    float *rows = malloc((size_t)(most ? most : 1) * columns * sizeof *rows);
    int n = rows ? get(s, registry, since_ns, most, rows, NULL) : -1;
    if (n > 0 && s->face.infer(s, model, (uint32_t)n, rows, out))
        n = -1;
    free(rows);
    return n;
}

static int drop(void *host, int registry, uint64_t until_ns)
{
    struct features *f = store(host);
    return f ? features_drop(f, registry, until_ns) : -1;
}

void session_store(struct policy_host *face)
{
    face->features = open_registry;
    face->feature_begin = begin;
    face->feature_put = put;
    face->feature_add = add;
    face->feature_commit = commit;
    face->feature_get = get;
    face->feature_score = score;
    face->feature_drop = drop;
}
