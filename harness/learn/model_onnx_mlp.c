/* model_onnx_mlp.c - the layers of a perceptron, from nodes of ONNX. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gpu-kernels/kind.h"
#include "harness/learn/model_onnx_chain.h"

/* ---- layers ----------------------------------------------------------------------------- */

static int begin_layer(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    if (c->m->forest)
        return onnx_complain(c->o, n, e, "comes after trees, want nothing there");
    if (c->layers == MODEL_ONNX_LAYERS)
        return onnx_complain(c->o, n, e, "one layer too many, want at most %d hidden ones",
                             MODEL_ONNX_LAYERS - 1);
    if (c->layers && !c->layer[c->layers - 1].activation)
        return onnx_complain(c->o, n, e,
                             "comes right after another layer, want Relu or Sigmoid between");
    return 0;
}

/* That alpha or beta has made nothing infinite. */
static int check_finite(const struct onnx_chain *c, const Onnx__Node *n, const float *v,
                        uint64_t count, struct err *e)
{
    for (uint64_t i = 0; i < count; i++)
        if (!isfinite(v[i]))
            return onnx_complain(c->o, n, e, "a weight times its factor is not a finite number");
    return 0;
}

/* The weights as [out][in], times alpha; `down`: the tensor has them as [in][out]. */
static int take_weights(struct onnx_chain *c, const Onnx__Node *n, bool down, float alpha,
                        struct err *e)
{
    struct onnx_layer *l = &c->layer[c->layers];
    const Onnx__Tensor *t = n->n_input > 1 ? onnx_constant(c->o, n->input[1]) : NULL;
    float *from, *to;
    size_t count;
    char name[64];
    if (!t || t->n_dims != 2)
        return onnx_complain(c->o, n, e, "weights \"%s\": want a matrix among the initializers",
                             onnx_plain(n->n_input > 1 ? n->input[1] : "", name));
    int rc = onnx_floats(c->o, n, t, &from, &count, e);
    if (rc)
        return rc;
    l->in = (uint64_t)t->dims[!down];
    l->out = (uint64_t)t->dims[down];
    c->m->w[c->layers] = to = calloc(count, sizeof *to);
    c->m->b[c->layers] = calloc(l->out, sizeof *to);
    if (!to || !c->m->b[c->layers])
        rc = err_set(e, ERR_ENOMEM, "%s: out of memory", c->o->name);
    for (uint64_t i = 0; i < l->out && !rc; i++)
        for (uint64_t k = 0; k < l->in; k++)
            to[i * l->in + k] = alpha * from[down ? k * l->out + i : i * l->in + k];
    free(from);
    rc = rc ? rc : check_finite(c, n, to, count, e);
    return rc ? rc : onnx_chain_row(c, n, l->in, e);
}

/* beta times one number for each neuron, or for all of them. */
static int take_biases(struct onnx_chain *c, const Onnx__Node *n, const char *value, float beta,
                       struct err *e)
{
    struct onnx_layer *l = &c->layer[c->layers - 1];
    const Onnx__Tensor *t = onnx_constant(c->o, value);
    float *from, *to = c->m->b[c->layers - 1];
    size_t count;
    char name[64];
    if (!t)
        return onnx_complain(c->o, n, e, "biases \"%s\": want them among the initializers",
                             onnx_plain(value, name));
    int rc = onnx_floats(c->o, n, t, &from, &count, e);
    if (rc)
        return rc;
    const bool row = t->n_dims == 0 || (uint64_t)t->dims[t->n_dims - 1] == count;
    if (t->n_dims > 2 || !row || (count != 1 && count != l->out))
        rc = onnx_complain(c->o, n, e,
                           "\"%s\" has another shape, want a number for each of %llu neurons",
                           onnx_plain(t->name, name), (unsigned long long)l->out);
    for (uint64_t i = 0; i < l->out && !rc; i++)
        to[i] = beta * from[count == 1 ? 0 : i];
    free(from);
    return rc ? rc : check_finite(c, n, to, l->out, e);
}

static void end_layer(struct onnx_chain *c, const Onnx__Node *n, bool biased)
{
    struct onnx_layer *l = &c->layer[c->layers++];
    l->node = n;
    l->add = biased ? n : NULL;
    c->width = l->out;
}

/* ---- nodes -------------------------------------------------------------------------------- */

int onnx_gemm(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    int64_t a, b;
    float alpha, beta;
    int rc = begin_layer(c, n, e);
    rc = rc ? rc : onnx_int(c->o, n, "transA", 0, &a, e);
    rc = rc ? rc : onnx_int(c->o, n, "transB", 0, &b, e);
    rc = rc ? rc : onnx_float(c->o, n, "alpha", 1, &alpha, e);
    rc = rc ? rc : onnx_float(c->o, n, "beta", 1, &beta, e);
    if (!rc && a)
        rc =
            onnx_complain(c->o, n, e, "transA is %lld, want 0: rows come in as rows", (long long)a);
    rc = rc ? rc : take_weights(c, n, !b, alpha, e);
    if (rc)
        return rc;
    const bool biased = n->n_input > 2 && *n->input[2];
    end_layer(c, n, biased);
    return biased ? take_biases(c, n, n->input[2], beta, e) : 0;
}

int onnx_matmul(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    int rc = begin_layer(c, n, e);
    rc = rc ? rc : take_weights(c, n, true, 1, e);
    if (!rc)
        end_layer(c, n, false);
    return rc;
}

int onnx_add(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    struct onnx_layer *l = c->layers ? &c->layer[c->layers - 1] : NULL;
    if (!l || c->m->forest || l->add || l->activation || n->n_input != 2)
        return onnx_complain(c->o, n, e, "want it right after a MatMul");
    l->add = n;
    return take_biases(c, n, n->input[!strcmp(n->input[0], c->value)], 1, e);
}

int onnx_activation(struct onnx_chain *c, const Onnx__Node *n, struct err *e)
{
    struct onnx_layer *l = c->layers ? &c->layer[c->layers - 1] : NULL;
    if (!l || c->m->forest || l->activation)
        return onnx_complain(c->o, n, e, "want it right after a layer of a perceptron");
    l->activation = n;
    l->sigmoid = !strcmp(n->op_type, "Sigmoid");
    return 0;
}

/* ---- the network ---------------------------------------------------------------------------- */

static int check_activations(const struct onnx_chain *c, struct err *e)
{
    const struct onnx_layer *last = &c->layer[c->layers - 1];
    for (uint32_t i = 1; i + 1 < c->layers; i++)
        if (c->layer[i].sigmoid != c->layer[0].sigmoid)
            return onnx_complain(c->o, c->layer[i].activation, e,
                                 "want the activation of the first layer, %s",
                                 c->layer[0].sigmoid ? "Sigmoid" : "Relu");
    if (last->activation && !last->sigmoid)
        return onnx_complain(c->o, last->activation, e, "want Sigmoid or nothing at the end");
    return 0;
}

int onnx_perceptron(struct onnx_chain *c, struct err *e)
{
    struct model_onnx *m = c->m;
    struct infer_mlp *p = &m->mlp;
    const struct infer_net net = {.kind = INFER_MLP, .mlp = p};
    char why[160];
    if (c->layers < 2)
        return err_set(e, ERR_ERANGE, "%s: %u layers, want 1..%d hidden ones and the outputs",
                       c->o->name, c->layers, MODEL_ONNX_LAYERS - 1);
    int rc = check_activations(c, e);
    if (rc)
        return rc;
    const uint32_t last = c->layers - 1;
    *p = (struct infer_mlp){.n_in = (uint32_t)c->layer[0].in,
                            .n_hidden = (uint32_t)c->layer[0].out,
                            .n_out = (uint32_t)c->layer[last].out,
                            .n_deep = last - 1,
                            .w1 = m->w[0],
                            .b1 = m->b[0],
                            .w2 = m->w[last],
                            .b2 = m->b[last],
                            .sigmoid = c->layer[0].sigmoid,
                            .sigmoid_out = c->layer[last].sigmoid};
    for (uint32_t i = 1; i < last; i++)
        p->deep[i - 1] =
            (struct infer_layer){.width = (uint32_t)c->layer[i].out, .w = m->w[i], .b = m->b[i]};
    return kind_mlp.check(&net, why, sizeof why) ? err_set(e, ERR_ERANGE, "%s: %s", c->o->name, why)
                                                 : 0;
}
