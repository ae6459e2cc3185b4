/* fuzz_xgboost.c - any bytes as XGBoost's JSON: refused with a sentence, or a
 * forest that runs. */
#include <assert.h>
#include <string.h>

#include "gpu-kernels/cpu.h"
#include "gpu-kernels/kind.h"
#include "harness/learn/model_xgboost.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_forest *m;
    struct err e = {0};
    float x[3 * FOREST_IN_MAX], y[3 * FOREST_OUT_MAX];
    if (model_xgboost_parse(&m, "fuzz", (const char *)data, size, &e)) {
        assert(e.code && e.msg[0] && !m);
        return 0;
    }
    memset(x, 0xff, sizeof x); /* NaN */
    memset(x, 0, sizeof x / 2);
    const struct infer_net net = model_forest_net(m);
    void *twin = kind_forest.twin_make(&net, 0);
    assert(twin && kind_forest.twin_run(twin, 3, x, y));
    kind_forest.twin_free(twin);
    model_forest_free(m);
    return 0;
}
