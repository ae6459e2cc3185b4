/* model_import.h - networks trained elsewhere, as weights files of ours: a
 * perceptron from safetensors, the trees of an XGBoost model from its .json,
 * either from .onnx. */
#ifndef HARNESS_LEARN_MODEL_IMPORT_H
#define HARNESS_LEARN_MODEL_IMPORT_H

#include <stdio.h>

#include "sim/err.h"

/* `given`: what the user called the file.  say: where to name what was written; NULL: nowhere. */
int model_import(const char *from, const char *to, const char *given, FILE *say,
                 struct err *e) MUST_CHECK;

#endif
