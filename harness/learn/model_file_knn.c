#include "harness/learn/model_file_knn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/kind.h"
#include "gpu-kernels/knn.h"

struct model_knn {
    struct infer_knn m; /* borrows from what follows */
    int8_t *refs;
    uint8_t *labels;
};

/* ---- reading ------------------------------------------------------------------ */

static int want_count(const struct safetensors *st, const char *key, uint32_t most, uint32_t *out,
                      const char *path, struct err *e)
{
    const char *text = safetensors_meta(st, key);
    char *end = NULL;
    const unsigned long v = text ? strtoul(text, &end, 10) : 0;
    if (!text)
        return err_set(e, ERR_ENAME, "%s: nearest neighbours want \"%s\" in the metadata", path,
                       key);
    if (*text < '0' || *text > '9' || *end || v < 1 || v > most)
        return err_set(e, ERR_ERANGE, "%s: %s is \"%.32s\", want 1..%u", path, key, text, most);
    *out = (uint32_t)v;
    return 0;
}

static int find(const struct safetensor **t, const struct safetensors *st, const char *name,
                const char *dtype, const char *or_dtype, uint32_t n_dim, const char *path,
                struct err *e)
{
    *t = safetensors_find(st, name);
    if (!*t)
        return err_set(e, ERR_ENAME, "%s: nearest neighbours want a tensor %s", path, name);
    if ((strcmp((*t)->dtype, dtype) && strcmp((*t)->dtype, or_dtype)) || (*t)->n_dim != n_dim)
        return err_set(e, ERR_ERANGE, "%s: %s is %s of %u dimensions, want %s of %u", path, name,
                       (*t)->dtype, (*t)->n_dim, dtype, n_dim);
    return 0;
}

/* Labels as bytes; one that does not fit is no label of any model. */
static void take_labels(struct model_knn *k, const struct safetensor *t)
{
    for (uint32_t i = 0; i < k->m.n_refs; i++) {
        int32_t v;
        if (strcmp(t->dtype, "U8")) {
            memcpy(&v, (const char *)t->data + (size_t)i * sizeof v, sizeof v);
            k->labels[i] = v >= 0 && v < UINT8_MAX ? (uint8_t)v : UINT8_MAX;
        } else {
            k->labels[i] = ((const uint8_t *)t->data)[i];
        }
    }
}

static int take_scale(struct model_knn *k, const struct safetensors *st, const char *path,
                      struct err *e)
{
    const struct safetensor *t;
    k->m.in_scale = 1;
    if (!safetensors_find(st, "in_scale"))
        return 0;
    int rc = find(&t, st, "in_scale", "F32", "F32", 1, path, e);
    if (!rc && t->shape[0] != 1)
        rc = err_set(e, ERR_ERANGE, "%s: in_scale has %llu values, want 1", path,
                     (unsigned long long)t->shape[0]);
    if (!rc)
        memcpy(&k->m.in_scale, t->data, sizeof k->m.in_scale);
    return rc;
}

static int check_shapes(const struct safetensor *refs, const struct safetensor *labels,
                        const char *path, struct err *e)
{
    if (refs->shape[0] - 1 >= KNN_REFS_MAX || refs->shape[1] - 1 >= KNN_DIM_MAX)
        return err_set(e, ERR_ERANGE, "%s: refs is [%llu, %llu], want 1..%d and 1..%d", path,
                       (unsigned long long)refs->shape[0], (unsigned long long)refs->shape[1],
                       KNN_REFS_MAX, KNN_DIM_MAX);
    if (labels->shape[0] != refs->shape[0])
        return err_set(e, ERR_ERANGE, "%s: labels has %llu values, want %llu", path,
                       (unsigned long long)labels->shape[0], (unsigned long long)refs->shape[0]);
    return 0;
}

static int fill(struct model_knn *k, const struct safetensor *refs, const struct safetensor *labels,
                const char *path, struct err *e)
{
    k->m.n_refs = (uint32_t)refs->shape[0];
    k->m.n_dim = (uint32_t)refs->shape[1];
    k->m.refs = k->refs = malloc(refs->bytes);
    k->m.labels = k->labels = malloc(refs->shape[0]);
    if (!k->refs || !k->labels)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    memcpy(k->refs, refs->data, refs->bytes);
    take_labels(k, labels);
    return 0;
}

static int take(void **own, struct infer_net *net, const struct safetensors *st, const char *path,
                struct err *e)
{
    const struct safetensor *refs, *labels;
    struct model_knn *k = calloc(1, sizeof *k);
    char why[160];
    if (!k)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    *own = k;
    int rc = find(&refs, st, "refs", "I8", "I8", 2, path, e);
    rc = rc ? rc : find(&labels, st, "labels", "U8", "I32", 1, path, e);
    rc = rc ? rc : check_shapes(refs, labels, path, e);
    rc = rc ? rc : want_count(st, "k", KNN_K_MAX, &k->m.k, path, e);
    rc = rc ? rc : want_count(st, "labels", KNN_LABELS_MAX, &k->m.n_labels, path, e);
    rc = rc ? rc : take_scale(k, st, path, e);
    rc = rc ? rc : fill(k, refs, labels, path, e);
    *net = (struct infer_net){.kind = INFER_KNN, .knn = &k->m};
    if (!rc && kind_knn.check(net, why, sizeof why))
        rc = err_set(e, ERR_ERANGE, "%s: %s", path, why);
    return rc;
}

static void release(void *own)
{
    struct model_knn *k = own;
    if (k) {
        free(k->refs);
        free(k->labels);
    }
    free(k);
}

static void say(const struct infer_net *net, char *text, size_t n)
{
    const struct infer_knn *m = net->knn;
    snprintf(text, n, "%u nearest of %u references, %u inputs, %u label%s, int8", m->k, m->n_refs,
             m->n_dim, m->n_labels, m->n_labels == 1 ? "" : "s");
}

const struct model_kind model_kind_knn = {"knn", take, release, say};

/* ---- writing ------------------------------------------------------------------ */

int model_knn_write(const char *path, const struct infer_knn *m,
                    const struct safetensors_text *meta, size_t n_meta, struct err *e)
{
    const uint64_t refs = m->n_refs, inputs = m->n_dim;
    /* In the order of their names, as the format's own writer has them. */
    const struct safetensor t[] = {{"in_scale", "F32", {1}, 1, &m->in_scale, sizeof m->in_scale},
                                   {"labels", "U8", {refs}, 1, m->labels, refs},
                                   {"refs", "I8", {refs, inputs}, 2, m->refs, refs * inputs}};
    char k[16], labels[16];
    snprintf(k, sizeof k, "%u", m->k);
    snprintf(labels, sizeof labels, "%u", m->n_labels);
    struct safetensors_text *all = calloc(n_meta + 3, sizeof *all);
    if (!all)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", path);
    all[0] = (struct safetensors_text){"kind", "knn"};
    all[1] = (struct safetensors_text){"k", k};
    all[2] = (struct safetensors_text){"labels", labels};
    if (n_meta)
        memcpy(all + 3, meta, n_meta * sizeof *all);
    int rc = safetensors_write(path, t, 3, all, n_meta + 3, e);
    free(all);
    return rc;
}
