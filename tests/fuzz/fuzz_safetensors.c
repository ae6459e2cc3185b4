/* fuzz_safetensors.c - any bytes as weights: refused with a sentence, or a
 * network whose every weight can be read. */
#include <assert.h>
#include <math.h>

#include "gpu-kernels/kind.h"
#include "gpu-kernels/lstm_net.h"
#include "harness/learn/model_file.h"
#include "tests/fuzz/fuzz.h"

/* What was accepted, a kernel takes: a row of zeros is finite. */
static void runs(const struct infer_net *net)
{
    float x[INFER_LSTM_STEPS * INFER_LSTM_STEP] = {0}, y[INFER_LSTM_OUT];
    char why[128];
    assert(!kind_lstm.check(net, why, sizeof why));
    void *twin = kind_lstm.twin_make(net, 0);
    assert(twin && kind_lstm.twin_run(twin, 1, x, y) && y[0] == y[0]);
    kind_lstm.twin_free(twin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_file *m;
    struct safetensors *st;
    struct err e = {0}, f = {0};
    if (!safetensors_parse(&st, "fuzz", data, size, &e)) {
        uint64_t sum = 0;
        for (size_t i = 0; i < safetensors_count(st); i++)
            sum += safetensors_at(st, i)->bytes;
        assert(sum <= size);
    }
    safetensors_free(st);
    if (model_file_from(&m, "fuzz", data, size, &f)) {
        assert(f.code && f.msg[0] && !m);
        return 0;
    }
    const struct infer_mlp *p = model_file_mlp(m);
    for (uint32_t i = 0; p && p->type == INFER_F32 && i < p->n_in * p->n_hidden; i++)
        assert(isfinite(p->w1[i]));
    for (uint32_t i = 0; p && p->type == INFER_S8 && i < p->n_hidden; i++)
        assert(p->c1[i] <= INT32_MAX);
    if (model_file_net(m)->kind == INFER_LSTM)
        runs(model_file_net(m));
    model_file_free(m);
    return 0;
}
