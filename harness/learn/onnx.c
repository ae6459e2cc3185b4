#include "harness/learn/onnx.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- complaints ------------------------------------------------------------------- */

static const char *plain(const char *text, size_t n, char to[64])
{
    size_t i = 0;
    for (; i < n && i < 63; i++)
        to[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    to[i] = 0;
    return to;
}

const char *onnx_plain(const char *text, char to[64])
{
    return plain(text, text ? strlen(text) : 0, to);
}

const char *onnx_bytes(const ProtobufCBinaryData *s, char to[64])
{
    return plain((const char *)s->data, s->data ? s->len : 0, to);
}

int onnx_complain(const struct onnx *o, const Onnx__Node *node, struct err *e, const char *fmt, ...)
{
    char name[64], op[64], text[256];
    va_list args;
    size_t at = 0;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    onnx_plain(node->op_type, op);
    if (node->name && *node->name)
        return err_set(e, ERR_ERANGE, "%s: node \"%s\" (%s): %s", o->name,
                       onnx_plain(node->name, name), op, text);
    while (at < o->graph->n_node && o->graph->node[at] != node)
        at++;
    return err_set(e, ERR_ERANGE, "%s: node %zu (%s): %s", o->name, at, op, text);
}

/* ---- the model ---------------------------------------------------------------------- */

static int check(const struct onnx *o, struct err *e)
{
    const Onnx__Graph *g = o->graph;
    if (!g || !g->n_node)
        return err_set(e, ERR_ERANGE, "%s: want an ONNX model with a graph of nodes", o->name);
    if (g->n_node > ONNX_NODES_MAX || g->n_initializer > ONNX_NODES_MAX)
        return err_set(e, ERR_ERANGE, "%s: %zu nodes and %zu initializers, want at most %d of each",
                       o->name, g->n_node, g->n_initializer, ONNX_NODES_MAX);
    for (size_t i = 0; i < g->n_node; i++)
        if (!g->node[i]->op_type || !g->node[i]->n_output)
            return err_set(e, ERR_ERANGE, "%s: node %zu: want an op_type and an output", o->name,
                           i);
    return 0;
}

int onnx_parse(struct onnx **out, const char *name, const void *bytes, size_t n, struct err *e)
{
    struct onnx *o = calloc(1, sizeof *o);
    *out = NULL;
    if (!o)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", name);
    o->name = name;
    o->model = onnx__model__unpack(NULL, n, bytes);
    o->graph = o->model ? o->model->graph : NULL;
    int rc = o->model ? check(o, e)
                      : err_set(e, ERR_EPARSE, "%s: does not parse as ONNX's protobuf", name);
    if (rc)
        onnx_free(o);
    else
        *out = o;
    return rc;
}

void onnx_free(struct onnx *o)
{
    if (o && o->model)
        onnx__model__free_unpacked(o->model, NULL);
    free(o);
}

const char *onnx_domain(const Onnx__Node *node)
{
    return !node->domain || !strcmp(node->domain, "ai.onnx") ? "" : node->domain;
}

int64_t onnx_opset(const struct onnx *o, const char *domain)
{
    for (size_t i = 0; i < o->model->n_opset_import; i++) {
        const Onnx__OpSet *s = o->model->opset_import[i];
        const char *is = !s->domain || !strcmp(s->domain, "ai.onnx") ? "" : s->domain;
        if (!strcmp(is, domain))
            return s->version;
    }
    return 0;
}

/* ---- attributes ---------------------------------------------------------------------- */

enum { TYPE_FLOAT = 1, TYPE_INT = 2 };

const Onnx__Attribute *onnx_attribute(const Onnx__Node *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && !strcmp(node->attribute[i]->name, name))
            return node->attribute[i];
    return NULL;
}

/* Writers of protobuf's third version leave out a number that is 0. */
int onnx_int(const struct onnx *o, const Onnx__Node *node, const char *name, int64_t otherwise,
             int64_t *out, struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(node, name);
    *out = a ? a->i : otherwise;
    if (a && !a->has_i && a->type != TYPE_INT)
        return onnx_complain(o, node, e, "%s is of another type, want a whole number", name);
    return 0;
}

int onnx_float(const struct onnx *o, const Onnx__Node *node, const char *name, float otherwise,
               float *out, struct err *e)
{
    const Onnx__Attribute *a = onnx_attribute(node, name);
    *out = a ? a->f : otherwise;
    if (a && !a->has_f && a->type != TYPE_FLOAT)
        return onnx_complain(o, node, e, "%s is of another type, want a number", name);
    if (!isfinite(*out))
        return onnx_complain(o, node, e, "%s is not a finite number", name);
    return 0;
}

bool onnx_says(const ProtobufCBinaryData *s, const char *text)
{
    const size_t n = strlen(text);
    return s->len == n && !memcmp(s->data ? (const char *)s->data : "", text, n);
}

/* ---- constants ----------------------------------------------------------------------- */

const Onnx__Tensor *onnx_constant(const struct onnx *o, const char *name)
{
    const Onnx__Graph *g = o->graph;
    for (size_t i = 0; i < g->n_initializer; i++)
        if (g->initializer[i]->name && !strcmp(g->initializer[i]->name, name))
            return g->initializer[i];
    for (size_t i = 0; i < g->n_node; i++)
        if (!strcmp(g->node[i]->op_type, "Constant") && !strcmp(g->node[i]->output[0], name)) {
            const Onnx__Attribute *a = onnx_attribute(g->node[i], "value");
            return a ? a->t : NULL;
        }
    return NULL;
}

/* How many numbers its dims ask for, and that the file has just so many. */
static int count_of(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t,
                    size_t size, size_t listed, size_t *count, struct err *e)
{
    char name[64];
    const size_t raw = t->has_raw_data ? t->raw_data.len : 0, most = (size_t)1 << 28;
    size_t n = 1;
    onnx_plain(t->name, name);
    if (t->data_location)
        return onnx_complain(o, node, e,
                             "\"%s\" lies in another file, want its numbers in this one", name);
    for (size_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] < 1 || t->dims[i] > (int64_t)(most / n))
            return onnx_complain(o, node, e,
                                 "\"%s\" has a dimension of %lld, want 1 or more, all in this file",
                                 name, (long long)t->dims[i]);
        n *= (size_t)t->dims[i];
    }
    if (raw ? raw != n * size || listed : listed != n)
        return onnx_complain(o, node, e,
                             "\"%s\" has %zu bytes of numbers, want %zu by its dimensions", name,
                             raw + listed * size, n * size);
    *count = n;
    return 0;
}

static int check_type(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t, int want,
                      struct err *e)
{
    char name[64];
    if (t->data_type == want)
        return 0;
    return onnx_complain(o, node, e, "\"%s\" has elements of type %d, want %s (%d)",
                         onnx_plain(t->name, name), t->data_type,
                         want == ONNX_FLOAT ? "float32" : "int64", want);
}

int onnx_floats(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t, float **out,
                size_t *count, struct err *e)
{
    char name[64];
    *out = NULL;
    int rc = check_type(o, node, t, ONNX_FLOAT, e);
    rc = rc ? rc : count_of(o, node, t, sizeof **out, t->n_float_data, count, e);
    if (rc)
        return rc;
    float *v = malloc(*count * sizeof *v);
    if (!v)
        return err_set(e, ERR_ENOMEM, "%s: out of memory", o->name);
    memcpy(v, t->n_float_data ? (const void *)t->float_data : t->raw_data.data, *count * sizeof *v);
    for (size_t i = 0; i < *count && !rc; i++)
        if (!isfinite(v[i]))
            rc = onnx_complain(o, node, e, "\"%s\"[%zu] is not a finite number",
                               onnx_plain(t->name, name), i);
    if (rc)
        free(v);
    else
        *out = v;
    return rc;
}

int onnx_int64s(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t, int64_t *out,
                size_t most, size_t *count, struct err *e)
{
    char name[64];
    int rc = check_type(o, node, t, ONNX_INT64, e);
    rc = rc ? rc : count_of(o, node, t, sizeof *out, t->n_int64_data, count, e);
    if (!rc && *count > most)
        rc = onnx_complain(o, node, e, "\"%s\" has %zu numbers, want at most %zu",
                           onnx_plain(t->name, name), *count, most);
    if (!rc)
        memcpy(out, t->n_int64_data ? (const void *)t->int64_data : t->raw_data.data,
               *count * sizeof *out);
    return rc;
}
