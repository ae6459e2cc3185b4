/* onnx.h - an ONNX model file in memory: its nodes, attributes and constants.
 *
 * Structs are those of onnx.proto; what they point to belongs to the model.
 * Complaints name the node: FILE: node "NAME" (OP): what is wanted.          */
#ifndef HARNESS_LEARN_ONNX_H
#define HARNESS_LEARN_ONNX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/learn/onnx.pb-c.h"
#include "sim/err.h"

#define ONNX_FLOAT 1 /* element types */
#define ONNX_INT64 7

/* More than any network that is taken has; what is more could make searches long. */
#define ONNX_NODES_MAX 256

struct onnx {
    const char *name;
    Onnx__Model *model;
    const Onnx__Graph *graph;
};

/* A graph of 1..ONNX_NODES_MAX nodes, each with an operator and an output. */
int onnx_parse(struct onnx **o, const char *name, const void *bytes, size_t n,
               struct err *e) MUST_CHECK;
void onnx_free(struct onnx *o); /* NULL is fine */

int onnx_complain(const struct onnx *o, const Onnx__Node *node, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* `text` for a message: cut, and without what a terminal would act on. */
const char *onnx_plain(const char *text, char to[64]);
const char *onnx_bytes(const ProtobufCBinaryData *s, char to[64]);

int64_t onnx_opset(const struct onnx *o, const char *domain); /* 0: not imported */
const char *onnx_domain(const Onnx__Node *node);              /* "" for ONNX's own */

/* NULL where a node has no such attribute; numbers and texts are then `otherwise`. */
const Onnx__Attribute *onnx_attribute(const Onnx__Node *node, const char *name);
int onnx_int(const struct onnx *o, const Onnx__Node *node, const char *name, int64_t otherwise,
             int64_t *out, struct err *e) MUST_CHECK;
int onnx_float(const struct onnx *o, const Onnx__Node *node, const char *name, float otherwise,
               float *out, struct err *e) MUST_CHECK;
bool onnx_says(const ProtobufCBinaryData *s, const char *text);

/* The initializer or Constant called so; NULL: there is none. */
const Onnx__Tensor *onnx_constant(const struct onnx *o, const char *name);

/* Its numbers, checked: float32 and finite, malloc'd, `count` of them by its dims; or int64, at
 * most `most`. */
int onnx_floats(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t, float **out,
                size_t *count, struct err *e) MUST_CHECK;
int onnx_int64s(const struct onnx *o, const Onnx__Node *node, const Onnx__Tensor *t, int64_t *out,
                size_t most, size_t *count, struct err *e) MUST_CHECK;

#endif
