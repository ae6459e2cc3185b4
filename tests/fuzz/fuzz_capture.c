/* fuzz_capture.c - any bytes as what malv capture recorded: refused with a sentence that says
 * where, or rows in time order that wait for nothing that is unknown of.                      */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "traces/import.h"

static void check(const struct trace_op *op, uint64_t last)
{
    assert(op->time_ns >= last && op->kind < TRACE_OP_KINDS);
    assert(trace_op_on_device(op) || op->device == TRACE_NAME_NONE);
    for (uint32_t i = 0; i < op->n_depends; i++)
        assert(op->depends[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    struct input *in;
    struct importer *im;
    union trace_row row;
    uint64_t last = 0;
    int rc;
    if (input_open_memory(&in, "fuzz", data, size, &e) ||
        import_open_input(&im, in, &import_malv_raw, 0, &e)) {
        assert(e.code && !strncmp(e.msg, "fuzz", 4));
        return 0;
    }
    while ((rc = import_next(im, &row, &e)) == 1) {
        check(&row.op, last);
        last = row.op.time_ns;
    }
    assert(rc == 0);
    import_close(im);
    return 0;
}
