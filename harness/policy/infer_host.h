/* infer_host.h - struct model_infer over the inference runtime.
 *
 * Opens a backend once and networks by name (model_file.h), each once; the
 * numbers they give do not depend on the backend.  A device does not survive
 * a fork: open in the process that runs the trials.
 *
 * A fork of a perceptron learns by gpu-kernels/mlp_train.h, on the host whatever the backend.  */
#ifndef HARNESS_POLICY_INFER_HOST_H
#define HARNESS_POLICY_INFER_HOST_H

#include "gpu-kernels/infer.h"
#include "models/model.h"

struct infer_host;

/* "auto", "cuda", "cpu", "emu" */
int infer_host_backend(const char *text, enum infer_backend *out, struct err *e) MUST_CHECK;

int infer_host_open(struct infer_host **h, enum infer_backend want, struct err *e) MUST_CHECK;
void infer_host_close(struct infer_host *h);
const struct model_infer *infer_host_face(const struct infer_host *h);
const char *infer_host_name(const struct infer_host *h);   /* for people and run records */
const char *infer_host_notice(const struct infer_host *h); /* why auto fell back, or NULL */

#endif
