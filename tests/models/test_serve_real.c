/* test_serve_real.c - the serving model against a real server: 300 ShareGPT
 * requests that vLLM 0.19 served on an RTX 4090 (casys-kaist/LLMServingSim
 * 5daddb2, bench/examples, MIT).  Kernel times come from the same project's
 * profile of the card; nothing was fitted to this run but the size of the KV
 * cache, which its configuration states.                                     */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/models/serve_bench.h"

#define RUN "vllm-measured-llmservingsim/RTX4090__Llama-3.1-8B__requests.jsonl"

static FILE *find(void)
{
    char path[1024];
    const char *data = getenv("MALV_DATA");
    snprintf(path, sizeof path, "%s/" RUN, data ? data : "../shared/traces");
    return fopen(path, "r");
}

struct measured { /* means over the real run, ms */
    double ttft, tpot, e2e, makespan_s;
};

static double number(const struct config *row, const char *key)
{
    double v;
    struct err e = {0};
    cr_assert_eq(config_f64(config_get(row, key), 0, 1e12, &v, &e), 0, "%s", e.msg);
    return v;
}

static size_t read_run(FILE *f, struct bench_request *r, size_t most, struct measured *real)
{
    char line[1024];
    size_t n = 0;
    double first = 0, last = 0;
    while (n < most && fgets(line, sizeof line, f)) {
        struct config *row;
        struct err e = {0};
        cr_assert_eq(config_parse(&row, "row", line, strlen(line), &e), 0, "%s", e.msg);
        double queued = number(row, "queued_ts"), token = number(row, "first_token_ts"),
               end = number(row, "last_token_ts");
        if (!n)
            first = queued;
        last = end > last ? end : last;
        r[n].at_ns = (uint64_t)((queued - first) * 1e9);
        r[n].prompt = (uint32_t)number(row, "input_toks");
        r[n].output = (uint32_t)number(row, "output_toks");
        real->ttft += (token - queued) * 1e3;
        real->e2e += (end - queued) * 1e3;
        real->tpot += (end - token) * 1e3 / (r[n].output - 1);
        n++;
        config_free(row);
    }
    real->ttft /= (double)n;
    real->e2e /= (double)n;
    real->tpot /= (double)n;
    real->makespan_s = last - first;
    return n;
}

static void close_to(const char *what, double got, double want, double tolerance)
{
    printf("vLLM on an RTX 4090, %s: measured %.1f, simulated %.1f (%+.1f %%)\n", what, want, got,
           100 * (got / want - 1));
    cr_expect_float_eq(got, want, tolerance * want, "%s: %g, the real server %g", what, got, want);
}

Test(serve_real, a_real_server_is_met_within_tolerance)
{
    struct bench_request r[400];
    struct measured real = {0};
    FILE *f = find();
    if (!f)
        cr_skip_test("the measured run is not here (MALV_DATA or ../shared/traces)");
    size_t n = read_run(f, r, 400, &real);
    fclose(f);
    cr_assert_eq(n, 300);
    struct bench b = {.section = "{\"max_running\":128,\"max_batch_tokens\":2048}",
                      .machine = "machines/rtx4090-host.json",
                      .request = r,
                      .n = n,
                      .exact = true};
    struct measures *m = bench_run(&b, NULL);
    close_to("mean TTFT, ms", sketch_mean(bench_sketch(m, "ttft")), real.ttft, 0.05);
    close_to("mean TPOT, ms", sketch_mean(bench_sketch(m, "tpot")), real.tpot, 0.05);
    close_to("mean latency, ms", sketch_mean(bench_sketch(m, "e2e")), real.e2e, 0.05);
    close_to("makespan, s", bench_number(m, "makespan"), real.makespan_s, 0.05);
    measures_free(m);
}
