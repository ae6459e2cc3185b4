/* infer.h - the inference behind gpu.share and gpu.dispatch: it takes a host
 * core's time, and an answer counts when it is there.  The core is one of its own: CPU time of the
 * tenants is not queued in this model.  A machine that says nothing of what
 * inference costs is refused when a policy asks for any, not before.         */
#ifndef MODELS_GPU_INFER_H
#define MODELS_GPU_INFER_H

#include "models/mlaas/mlaas.h"
#include "models/model.h"

struct gpu_infer;
int gpu_infer_open(struct gpu_infer **g, struct sim *s, const struct mlaas_config *c,
                   const struct model_env *env, struct machine_use *use,
                   struct err *e) MUST_CHECK;         /* *g NULL: nobody can ask */
void gpu_infer_close(struct gpu_infer *g);            /* NULL is fine, as below */
struct mlaas *gpu_infer_service(struct gpu_infer *g); /* NULL: nothing is charged */
int gpu_infer_failed(const struct gpu_infer *g, struct err *e) MUST_CHECK;
void gpu_infer_report(const struct gpu_infer *g, struct measures *out);

#endif
