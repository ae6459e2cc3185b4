/* model_write.h - the files of a trained network: its weights, and the
 * provenance beside them.                                                    */
#ifndef HARNESS_LEARN_MODEL_WRITE_H
#define HARNESS_LEARN_MODEL_WRITE_H

#include <stdbool.h>
#include <stdio.h>

#include "gpu-kernels/infer.h"
#include "sim/err.h"

struct model_write {
    const char *dir, *name;
    const char *features; /* "length/1": what computes the inputs, and its version */
    const char *outputs;  /* what the outputs mean */
};

struct model_train_want;

/* The command that makes the files, as a JSON string. */
void model_write_command(FILE *f, void (*command)(FILE *f, const struct model_train_want *w),
                         const struct model_train_want *w);
/* " --trace '..' --eval '..'" of it. */
void model_write_traces(FILE *f, const struct model_train_want *w);
/* "split": {..} of one trace. */
void model_write_split(FILE *f, size_t train, size_t valid, size_t test);

/* DIR/NAMEsuffix.safetensors */
int model_write_weights(const struct model_write *w, const char *suffix,
                        const struct infer_mlp *mlp, struct err *e) MUST_CHECK;
/* DIR/NAME.json, as put writes it; on standard output too when `show`. */
int model_write_provenance(const struct model_write *w, void (*put)(FILE *f, const void *ctx),
                           const void *ctx, bool show, struct err *e) MUST_CHECK;

#endif
