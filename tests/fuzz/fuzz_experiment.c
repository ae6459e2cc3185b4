/* fuzz_experiment.c - any bytes as an experiment: refused with a sentence, or an
 * array of trials whose first and last can be made.                          */
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "harness/run/experiment.h"
#include "harness/run/setup.h"

static void make(const struct experiment *x, uint64_t index)
{
    struct err e = {0};
    struct result_trial t;
    struct config *doc;
    struct setup s;
    assert(index < x->planned && experiment_trial(x, index, &t, &e) == 0);
    assert(t.n_factor == x->n_axis);
    result_trial_clear(&t);
    if (experiment_combination(x, index / x->trials, &doc, &e)) {
        assert(e.code && e.msg[0]);
        return;
    }
    (void)!setup_read(&s, doc, &e);
    config_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct experiment_set set = {"policy", "fifo"};
    const struct experiment_edits edits = {.set = &set, .n_set = size % 2, .trials = "3"};
    struct config *doc;
    struct experiment *x;
    struct err e = {0};
    if (config_parse(&doc, "fuzz.json", (const char *)data, size, &e))
        return 0;
    if (experiment_from(&x, doc, "fuzz.json", &edits, &e)) {
        assert(e.code && e.msg[0]);
    } else {
        make(x, 0);
        make(x, x->planned - 1);
        experiment_free(x);
    }
    config_free(doc);
    return 0;
}
