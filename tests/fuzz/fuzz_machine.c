/* fuzz_machine.c - any bytes as a machine profile: refused with a sentence, or
 * a machine whose every constant can be looked up and whose tables never fail. */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "models/llm_cost.h"
#include "models/machine.h"

static void look_up(const struct machine *m)
{
    struct machine_use u;
    struct llm_cost c;
    if (machine_use_begin(&u, m, NULL))
        return;
    for (size_t i = 0; i < m->n_cost; i++) {
        const struct machine_cost *k = &m->cost[i];
        sim_cost ps;
        assert(k->name && k->source && k->source[0] && k->value >= 0);
        (void)!machine_ps(&u, k->name, &ps, NULL);
        for (uint64_t x = 0; k->n && x < 5; x++)
            (void)machine_table_at(k, x * UINT64_C(999999937));
    }
    if (!llm_cost_open(&c, &u, "llama-3.1-8b", NULL)) {
        struct llm_batch b = {.chunks = 1, .prompt_tokens = 100, .decoding = 3, .cached = 30};
        (void)llm_cost_iteration(&c, &b);
    }
    machine_use_end(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    if (config_parse(&json, "fuzz", (const char *)data, size, &e))
        return 0;
    if (machine_load(&m, json, &e)) {
        assert(e.code && e.msg[0]);
    } else {
        look_up(m);
        machine_free(m);
    }
    config_free(json);
    return 0;
}
