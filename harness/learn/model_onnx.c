#include "harness/learn/model_onnx.h"

#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/learn/model_onnx_chain.h"

#define FILE_MOST (256u << 20)

/* ---- the row that comes in ----------------------------------------------------------- */

int onnx_chain_row(const struct onnx_chain *c, const Onnx__Node *n, uint64_t width, struct err *e)
{
    char value[64];
    onnx_plain(c->value, value);
    if (c->type != ONNX_FLOAT)
        return onnx_complain(c->o, n, e, "\"%s\" has elements of type %d, want float32 (1)", value,
                             c->type);
    if (c->rank > 2)
        return onnx_complain(c->o, n, e, "\"%s\" has %llu dimensions, want rows of numbers", value,
                             (unsigned long long)c->rank);
    if (c->width && width && c->width != width)
        return onnx_complain(c->o, n, e, "\"%s\" has rows of %llu numbers, want %llu", value,
                             (unsigned long long)c->width, (unsigned long long)width);
    return 0;
}

/* ---- nodes that leave it what it is ------------------------------------------------------ */

static int identity(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    (void)c, (void)n, (void)e;
    return 0;
}

static int cast(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    int64_t to;
    int rc = onnx_int(c->o, n, "to", 0, &to, e);
    if (!rc && to != ONNX_FLOAT)
        rc = onnx_complain(c->o, n, e, "to is %lld, want float32 (1)", (long long)to);
    c->type = ONNX_FLOAT;
    return rc;
}

static int flatten(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    int64_t axis;
    int rc = onnx_int(c->o, n, "axis", 1, &axis, e);
    if (!rc && (axis != 1 || c->rank == 1))
        rc = onnx_complain(c->o, n, e, "axis is %lld, want 1, and rows to begin with",
                           (long long)axis);
    c->rank = 2;
    return rc;
}

/* Rows stay rows of as many numbers, or one number each becomes a list of them. */
static bool keeps_rows(const struct onnx_chain *c, const int64_t *to, size_t n)
{
    const bool rows = (to[0] == 0 && c->rank != 1) || (c->rows && to[0] == (int64_t)c->rows);
    const bool width = n == 2 && c->width && to[1] == (int64_t)c->width;
    if (n == 1)
        return to[0] == -1 && c->width == 1;
    return rows ? to[1] == -1 || width || (!c->width && to[1] > 0) : to[0] == -1 && width;
}

static int reshape(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    const Onnx__Tensor *t = n->n_input == 2 ? onnx_constant(c->o, n->input[1]) : NULL;
    int64_t to[2], allowzero;
    size_t count = 0;
    if (!t)
        return onnx_complain(c->o, n, e, "want a shape among the initializers");
    int rc = onnx_int64s(c->o, n, t, to, 2, &count, e);
    rc = rc ? rc : onnx_int(c->o, n, "allowzero", 0, &allowzero, e);
    if (!rc && (allowzero || !keeps_rows(c, to, count)))
        rc = onnx_complain(c->o, n, e,
                           "want a shape that leaves every row as it is, such as [0, -1]");
    if (!rc && count == 2 && to[1] > 0)
        c->width = (uint64_t)to[1];
    c->rank = 2;
    return rc;
}

/* ---- the chain ------------------------------------------------------------------------- */

static const struct step {
    const char *domain, *op;
    int (*take)(struct onnx_chain *c, const Onnx__Node *n, struct err *e);
} steps[] = {
    {"", "Gemm", onnx_gemm},
    {"", "MatMul", onnx_matmul},
    {"", "Add", onnx_add},
    {"", "Relu", onnx_activation},
    {"", "Sigmoid", onnx_activation},
    {"ai.onnx.ml", "TreeEnsembleRegressor", onnx_trees},
    {"ai.onnx.ml", "TreeEnsembleClassifier", onnx_trees},
    {"ai.onnx.ml", "ZipMap", identity}, /* gives columns their names */
    {"", "Identity", identity},
    {"", "Cast", cast},
    {"", "Flatten", flatten},
    {"", "Reshape", reshape},
};

static int step_of(const struct onnx_chain *c, const Onnx__Node *n, const struct step **s,
                   struct err *e)
{
    const char *domain = onnx_domain(n);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!strcmp(steps[i].op, n->op_type) && !strcmp(steps[i].domain, domain)) {
            *s = &steps[i];
            if (!*domain && onnx_opset(c->o, "") < 7)
                return onnx_complain(c->o, n, e, "operators of version %lld, want 7 or later",
                                     (long long)onnx_opset(c->o, ""));
            return 0;
        }
    return onnx_complain(c->o, n, e,
                         "want a perceptron of Gemm, MatMul, Add, Relu and Sigmoid, or one "
                         "TreeEnsembleRegressor or TreeEnsembleClassifier");
}

static bool is_label(const struct onnx_chain *c, const char *value)
{
    for (uint32_t i = 0; i < c->n_labels; i++)
        if (!strcmp(c->labels[i], value))
            return true;
    return false;
}

static bool reads_label(const struct onnx_chain *c, const Onnx__Node *n)
{
    for (size_t i = 0; i < n->n_input; i++)
        if (is_label(c, n->input[i]))
            return true;
    return false;
}

static int take(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    const struct step *s = NULL;
    char value[64], other[64];
    if (reads_label(c, n)) {
        c->labels[c->n_labels++] = n->output[0];
        return 0;
    }
    int rc = step_of(c, n, &s, e);
    if (rc)
        return rc;
    const bool commutes = s->take == onnx_add && n->n_input > 1;
    if (!n->n_input ||
        (strcmp(n->input[0], c->value) && !(commutes && !strcmp(n->input[1], c->value))))
        return onnx_complain(c->o, n, e, "reads \"%s\", want a chain of nodes: \"%s\" comes next",
                             onnx_plain(n->n_input ? n->input[0] : "", other),
                             onnx_plain(c->value, value));
    rc = s->take(c, n, e);
    const bool classifier = s->take == onnx_trees && n->n_output > 1;
    if (!rc && classifier)
        c->labels[c->n_labels++] = n->output[0];
    c->value = n->output[classifier];
    return rc;
}

/* Its one input: the first dimension counts rows, the others together are a row. */
static void begin_rows(struct onnx_chain *c, const Onnx__Dense *type)
{
    const Onnx__Shape *shape = type->shape;
    c->type = type->elem_type;
    c->rank = shape ? shape->n_dim : 0;
    c->width = c->rank > 0;
    c->rows = c->rank == 1;
    for (size_t i = 0; i < c->rank; i++) {
        const int64_t size = shape->dim[i]->dim_value;
        const uint64_t is = size < 1 ? 0 : size < 1 << 24 ? (uint64_t)size : 1 << 24;
        if (i || c->rank == 1)
            c->width = c->width * is < 1 << 24 ? c->width * is : 1 << 24;
        else
            c->rows = is;
    }
}

static int begin(struct onnx_chain *c, struct err *e)
{
    const Onnx__Graph *g = c->o->graph;
    const Onnx__Value *in = NULL;
    for (size_t i = 0; i < g->n_input; i++)
        if (g->input[i]->name && !onnx_constant(c->o, g->input[i]->name)) {
            if (in)
                return err_set(e, ERR_ERANGE, "%s: the graph has several inputs, want one",
                               c->o->name);
            in = g->input[i];
        }
    if (!in || !in->type || !in->type->tensor_type)
        return err_set(e, ERR_ERANGE, "%s: the graph has no input that is a tensor, want one",
                       c->o->name);
    c->value = in->name;
    begin_rows(c, in->type->tensor_type);
    return 0;
}

static int finish(struct onnx_chain *c, struct err *e)
{
    const Onnx__Graph *g = c->o->graph;
    bool given = false;
    char name[64];
    for (size_t i = 0; i < g->n_output; i++) {
        const char *value = g->output[i]->name ? g->output[i]->name : "";
        given = given || !strcmp(value, c->value);
        if (strcmp(value, c->value) && !is_label(c, value))
            return err_set(e, ERR_ERANGE, "%s: the output \"%s\" is not what the last node gives",
                           c->o->name, onnx_plain(value, name));
    }
    if (!given)
        return err_set(e, ERR_ERANGE, "%s: \"%s\" is no output of the graph, want the last value",
                       c->o->name, onnx_plain(c->value, name));
    return c->m->forest ? 0 : onnx_perceptron(c, e);
}

/* ---- the model ---------------------------------------------------------------------------- */

static int read_graph(struct model_onnx *m, const struct onnx *o, struct err *e)
{
    struct onnx_chain c = {.o = o, .m = m};
    int rc = begin(&c, e);
    for (size_t i = 0; i < o->graph->n_node && !rc; i++)
        if (strcmp(o->graph->node[i]->op_type, "Constant"))
            rc = take(&c, o->graph->node[i], e);
    return rc ? rc : finish(&c, e);
}

int model_onnx_parse(struct model_onnx **out, const char *name, const void *bytes, size_t n,
                     struct err *e)
{
    struct onnx *o;
    *out = NULL;
    int rc = onnx_parse(&o, name, bytes, n, e);
    if (rc)
        return rc;
    struct model_onnx *m = calloc(1, sizeof *m);
    rc = m ? read_graph(m, o, e) : err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    onnx_free(o);
    if (rc)
        model_onnx_free(m);
    else
        *out = m;
    return rc;
}

int model_onnx_load(struct model_onnx **m, const char *path, struct err *e)
{
    unsigned char *bytes;
    size_t n;
    *m = NULL;
    int rc = files_read(path, FILE_MOST, &bytes, &n, e);
    if (!rc)
        rc = model_onnx_parse(m, path, bytes, n, e);
    free(bytes);
    return rc;
}

void model_onnx_free(struct model_onnx *m)
{
    if (!m)
        return;
    model_forest_free(m->forest);
    for (int i = 0; i < MODEL_ONNX_LAYERS; i++) {
        free(m->w[i]);
        free(m->b[i]);
    }
    free(m);
}

struct infer_net model_onnx_net(const struct model_onnx *m)
{
    return m->forest ? model_forest_net(m->forest)
                     : (struct infer_net){.kind = INFER_MLP, .mlp = &m->mlp};
}
