/* llm_ops_rows.h - the inside of llm_ops: operators by name, and the rows that measured them. */
#ifndef MODELS_LLM_OPS_ROWS_H
#define MODELS_LLM_OPS_ROWS_H

#include "models/llm_ops.h"

enum llm_part { LLM_DENSE, LLM_HEAD, LLM_ATTENTION, LLM_PROMPT, LLM_DECODE, LLM_GEMM, LLM_REDUCE };

/* Where an operator stands in the model: in every layer so often, and around the layers. */
struct llm_op {
    const char *name;
    enum llm_part part;
    uint32_t per_layer, around;
};
#define LLM_OPS 17
extern const struct llm_op llm_op[LLM_OPS];

struct llm_rows { /* what was measured of a model on so many GPUs in tensor parallel */
    struct grid_points of[LLM_OPS]; /* in the order of llm_op */
    const struct llm_shape *shape;
    uint32_t parallel;
};

const struct grid_points *llm_rows_of(const struct llm_rows *r, const char *name);
/* llm_ops_sum.c: what the operators of a part take together, each as often as it stands in the
 * model; of reductions the faster one, twice a layer. */
int llm_sum_over(struct grid *out, const struct llm_rows *r, enum llm_part part,
                 struct err *e) MUST_CHECK;

#endif
