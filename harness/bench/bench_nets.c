#include "harness/bench/bench_nets.h"

#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/forest.h"
#include "gpu-kernels/lstm_net.h"

static uint32_t next(uint32_t *state) /* xorshift: the weights only must not be special */
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* What a network borrows from: one allocation after the other, freed together. */
struct store {
    void *at[32];
    int n;
    uint32_t random;
    bool failed;
};

static void *room(struct store *s, size_t bytes)
{
    void *p = s->n < 32 ? calloc(1, bytes) : NULL;
    s->failed |= !p;
    if (p)
        s->at[s->n++] = p;
    return p;
}

static int8_t *bytes(struct store *s, size_t n)
{
    int8_t *v = room(s, n);
    for (size_t i = 0; v && i < n; i++)
        v[i] = (int8_t)(next(&s->random) >> 24);
    return v;
}

static float *floats(struct store *s, size_t n, float size)
{
    float *v = room(s, n * sizeof *v);
    for (size_t i = 0; v && i < n; i++)
        v[i] = (float)(int8_t)(next(&s->random) >> 24) / 128.0f * size;
    return v;
}

static void release(struct store *s)
{
    for (int i = 0; s && i < s->n; i++)
        free(s->at[i]);
    free(s);
}

/* ---- perceptrons ----------------------------------------------------------------- */

struct mlp_shape {
    const char *name;
    uint32_t n_in, n_hidden, deep, n_out; /* hidden layers after the first: as wide, or to_4 */
    uint32_t deep_width;
    bool sigmoid, int8;
};

/* LinnOS and LAKE's wider ones (utcs-scea/LAKE src/linnos), KML (sbu-fsl/kernel-ml), MLLB
 * (Keitokuch/MLLB), and the shipped length predictor. */
static const struct mlp_shape mlps[] = {
    {"linnos", 31, 256, 0, 2, 0, false, true},     {"linnos+1", 31, 256, 1, 2, 256, false, true},
    {"linnos+2", 31, 256, 2, 2, 256, false, true}, {"kml", 5, 15, 1, 4, 5, true, false},
    {"mllb", 15, 10, 0, 1, 0, false, false},       {"sjf_mlp", 20, 64, 0, 2, 0, false, true}};

static void mlp_f32(struct infer_mlp *m, struct store *s, const struct mlp_shape *shape)
{
    uint32_t before = shape->n_hidden;
    m->type = INFER_F32;
    m->w1 = floats(s, (size_t)m->n_in * m->n_hidden, 0.5f);
    m->b1 = floats(s, m->n_hidden, 0.5f);
    for (uint32_t i = 0; i < m->n_deep; i++) {
        m->deep[i].w = floats(s, (size_t)before * shape->deep_width, 0.125f);
        m->deep[i].b = floats(s, shape->deep_width, 0.5f);
        before = shape->deep_width;
    }
    m->w2 = floats(s, (size_t)before * m->n_out, 0.125f);
    m->b2 = floats(s, m->n_out, 0.5f);
}

static void mlp_s8(struct infer_mlp *m, struct store *s, const struct mlp_shape *shape)
{
    uint32_t before = shape->n_hidden;
    m->type = INFER_S8;
    m->in_scale = 1;
    m->hidden_scale = 1.0f / 128;
    m->out_scale = 1.0f / 4096;
    m->q1 = bytes(s, (size_t)m->n_in * m->n_hidden);
    m->c1 = room(s, m->n_hidden * sizeof(int32_t));
    for (uint32_t i = 0; i < m->n_deep; i++) {
        m->deep[i].q = bytes(s, (size_t)before * shape->deep_width);
        m->deep[i].c = room(s, shape->deep_width * sizeof(int32_t));
        m->deep[i].scale = 1.0f / 1024;
        before = shape->deep_width;
    }
    m->q2 = bytes(s, (size_t)before * m->n_out);
    m->c2 = room(s, m->n_out * sizeof(int32_t));
}

static void add_mlp(struct bench_net *n, struct store *s, const struct mlp_shape *shape)
{
    for (int i = 0; i < 1 + shape->int8; i++) {
        struct infer_mlp *m = room(s, sizeof *m);
        if (!m)
            return;
        m->n_in = shape->n_in;
        m->n_hidden = shape->n_hidden;
        m->n_out = shape->n_out;
        m->n_deep = shape->deep;
        m->sigmoid = shape->sigmoid;
        for (uint32_t d = 0; d < shape->deep; d++)
            m->deep[d].width = shape->deep_width;
        (i ? mlp_s8 : mlp_f32)(m, s, shape);
        n->net[i] = (struct infer_net){.kind = INFER_MLP, .mlp = m};
        n->variant[i] = i ? "int8" : "f32";
    }
    n->name = shape->name;
    n->to = 9; /* LinnOS's inputs are decimal digits */
}

/* ---- the others -------------------------------------------------------------------- */

/* LAKE's malware detector: 4,096 references of 128 integers, k = 16. */
static void add_knn(struct bench_net *n, struct store *s, bool quick)
{
    struct infer_knn *m = room(s, sizeof *m);
    if (!m)
        return;
    *m = (struct infer_knn){
        .n_refs = quick ? 512 : 4096, .n_dim = 128, .k = 16, .n_labels = 2, .in_scale = 1};
    uint8_t *labels = room(s, m->n_refs);
    for (uint32_t r = 0; labels && r < m->n_refs; r++)
        labels[r] = next(&s->random) >> 31;
    m->labels = labels;
    m->refs = bytes(s, (size_t)m->n_refs * m->n_dim);
    n->net[0] = (struct infer_net){.kind = INFER_KNN, .knn = m};
    n->name = "knn";
    n->variant[0] = "int8";
    n->from = -127;
    n->to = 127;
}

enum { TREES = 100, DEPTH = 6, LEAVES = 1 << DEPTH, NODES = 2 * LEAVES - 1, FOREST_IN = 20 };

/* Full trees in heap order would be simplest; forest.h wants a node's children after it, pairs
 * together, which heap order is. */
static void add_forest(struct bench_net *n, struct store *s)
{
    struct infer_forest *f = room(s, sizeof *f);
    uint32_t *sizes = room(s, TREES * sizeof *sizes);
    int32_t *features = room(s, (size_t)TREES * NODES * sizeof *features);
    float *values = floats(s, (size_t)TREES * NODES, 10);
    uint8_t *left = room(s, (size_t)TREES * NODES);
    if (s->failed)
        return;
    for (int t = 0; t < TREES; t++)
        sizes[t] = NODES;
    for (int i = 0; i < TREES * NODES; i++)
        features[i] = i % NODES < LEAVES - 1 ? (int32_t)(next(&s->random) >> 8) % FOREST_IN : -1;
    *f = (struct infer_forest){.n_in = FOREST_IN,
                               .n_out = 1,
                               .n_trees = TREES,
                               .sizes = sizes,
                               .features = features,
                               .values = values,
                               .default_left = left};
    n->net[0] = (struct infer_net){.kind = INFER_FOREST, .forest = f};
    n->name = "forest";
    n->variant[0] = "f32";
    n->from = -10;
    n->to = 10;
}

/* Kleio's page warmth as LAKE runs it: two layers of 256, six steps of one of 621 (utcs-scea/LAKE
 * src/kleio). */
static void add_lstm(struct bench_net *n, struct store *s, bool quick)
{
    enum { VOCAB = 621 };
    const uint32_t width = quick ? 64 : 256, gates = 4 * width;
    struct infer_lstm *m = room(s, sizeof *m);
    if (!m)
        return;
    *m = (struct infer_lstm){.steps = 6,
                             .n_step = 1,
                             .vocab = VOCAB,
                             .layers = 2,
                             .width = width,
                             .n_out = VOCAB,
                             .softmax = true};
    for (uint32_t i = 0; i < m->layers; i++)
        m->layer[i] = (struct infer_lstm_layer){
            floats(s, (size_t)gates * (i ? width : VOCAB), 0.2f),
            floats(s, (size_t)gates * width, 0.2f), floats(s, gates, 0.1f), floats(s, gates, 0.1f)};
    m->w = floats(s, (size_t)VOCAB * width, 0.2f);
    m->b = floats(s, VOCAB, 0.1f);
    n->net[0] = (struct infer_net){.kind = INFER_LSTM, .lstm = m};
    n->name = "kleio";
    n->variant[0] = "f32";
    n->to = VOCAB - 1;
}

/* ---- all ---------------------------------------------------------------------------- */

enum { MLPS = sizeof mlps / sizeof *mlps, NETS = MLPS + 3 };

int bench_nets_make(struct bench_nets *n, bool quick, struct err *e)
{
    *n = (struct bench_nets){calloc(NETS, sizeof *n->net), 0};
    for (size_t i = 0; n->net && i < NETS; i++) {
        struct store *s = calloc(1, sizeof *s);
        struct bench_net *to = &n->net[n->n++];
        if (!s)
            break;
        to->own = s;
        s->random = 2463534242u;
        if (i < MLPS)
            add_mlp(to, s, &mlps[i]);
        else if (i == MLPS)
            add_knn(to, s, quick);
        else if (i == MLPS + 1)
            add_forest(to, s);
        else
            add_lstm(to, s, quick);
        if (s->failed)
            break;
        infer_shape(&to->net[0], &to->n_in, &to->n_out);
    }
    if (n->n == NETS && n->net[NETS - 1].name)
        return 0;
    bench_nets_free(n);
    return err_set(e, ERR_ENOMEM, "out of memory");
}

void bench_nets_free(struct bench_nets *n)
{
    for (size_t i = 0; i < n->n; i++)
        release(n->net[i].own);
    free(n->net);
    *n = (struct bench_nets){0};
}

float *bench_nets_inputs(const struct bench_net *n, uint32_t rows)
{
    uint32_t state = 88675123u;
    float *x = malloc((size_t)rows * n->n_in * sizeof *x);
    for (size_t i = 0; x && i < (size_t)rows * n->n_in; i++)
        x[i] = (float)(n->from + (int32_t)(next(&state) % (uint32_t)(n->to - n->from + 1)));
    return x;
}
