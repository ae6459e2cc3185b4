/* fuzz_onnx.c - any bytes as an ONNX model: refused with a sentence, or a
 * network that runs. */
#include <assert.h>
#include <string.h>

#include "gpu-kernels/kind.h"
#include "harness/learn/model_onnx.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_onnx *m;
    struct err e = {0};
    float x[3 * FOREST_IN_MAX], y[3 * FOREST_OUT_MAX];
    char why[160];
    if (model_onnx_parse(&m, "fuzz", data, size, &e)) {
        assert(e.code && e.msg[0] && !m);
        return 0;
    }
    memset(x, 0xff, sizeof x); /* NaN */
    memset(x, 0, sizeof x / 2);
    const struct infer_net net = model_onnx_net(m);
    const struct kind *kind = kind_of(&net);
    assert(!kind->check(&net, why, sizeof why));
    void *twin = kind->twin_make(&net, 0);
    assert(twin && kind->twin_run(twin, 3, x, y));
    kind->twin_free(twin);
    model_onnx_free(m);
    return 0;
}
