/* serve_bench.c - see serve_bench.h. */
#include "harness/base/profile.h"
#include "tests/models/serve_bench.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/buf.h"

extern const struct model_ops model_serve;

#define COST(name, us)                                                                             \
    "\"" name "\":{\"value\":" us ",\"unit\":\"us\",\"source\":\"test\",\"evidence\":\"assumed\"}"
#define SIZE(name, b)                                                                              \
    "\"" name "\":{\"value\":" b ",\"unit\":\"B\",\"source\":\"test\",\"evidence\":\"assumed\"}"
#define RATE(name, b)                                                                              \
    "\"" name "\":{\"value\":" b ",\"unit\":\"GB/"                                                 \
    "s\",\"source\":\"test\",\"evidence\":\"assumed\"}"
#define ONE(name, v)                                                                               \
    "\"" name "\":{\"value\":" v ",\"unit\":\"1\",\"source\":\"test\",\"evidence\":\"assumed\"}"
#define TABLE(name, x, y)                                                                          \
    "\"" name "\":{\"x\":" x ",\"y\":" y                                                           \
    ",\"unit\":\"us\",\"source\":\"test\",\"evidence\":\"assumed\"}"

/* Everything that a test does not set is free, so that closed forms apply. */
static char *toy(const struct bench *b)
{
    static const char text[] =
        "{\"schema\":\"malv-machine/1\",\"name\":\"toy\",\"cpu\":{" ONE(
            "cores",
            "1") "},"
                 "\"link\":{" RATE("pcie", "%.17g") "},\"gpu\":{" SIZE("memory", "%llu") "," COST(
                     "timeslice",
                     "1024") "," COST("context_switch",
                                      "100") "},"
                                             "\"cost\":{" COST(
                                                 "syscall",
                                                 "0") "," COST("irq",
                                                               "0") "," COST("softirq_net",
                                                                             "0") "," COST("wake",
                                                                                           "0") "," COST("request_parse", "%.17g") "," COST("vhost", "1") "," COST("posted_irq", "0.5") "," COST("vm_exit", "0.5") "," COST("irq_user", "0.5") "," COST("ipc_call", "0.2") "," COST("ipc_reply", "0.2") "," COST("notify",
                                                                                                                                                                                                                                                                                                                 "0.2") "," COST("launch",
                                                                                                                                                                                                                                                                                                                                 "%.17g") "," COST("doorbell", "0") "," COST("gpu_dispatch",
                                                                                                                                                                                                                                                                                                                                                                             "1") "," COST("gpu_to_host",
                                                                                                                                                                                                                                                                                                                                                                                           "0") "," COST("gpu_reads_host", "1") "," COST("poll", "0") "," COST("token_emit", "0") "," COST("kernel_fpu",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "0.1") "," COST("lake_stub", "1") "," COST("lake_channel", "8") "," COST("copy_small", "4") "," COST("engine_step",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "%.17g") "," COST("engine_seq",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "%.17g") "},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           "\"infer\":{" ONE("flops", "1000") "," TABLE("cpu",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "[1,101]", "[10,1010]") "," TABLE("gpu",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "[1,101]", "[2,12]") "},"
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                               "\"llm\":{\"toy\":{" SIZE(
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                   "weights", "0") "," SIZE("kv_per_token", "1") "," SIZE("reserve", "0") "," ONE("kernels", "1") "," ONE("layers",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "2") "," COST("fixed",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        "0") "," TABLE("dense",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "[1,1001]",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "[%.17g,%.17g]") "," TABLE("head", "[1]", "[0]") "," COST("prompt_step", "0") "," COST("prompt_token",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "0") "," COST("prompt_past",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "0") "," COST("prompt_kpair",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                          "0") "," COST("decode_step", "0") "," COST("decode_seq", "0") "," COST("decode_token",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "%.17g") "}}}";
    char *out = NULL;
    int n = asprintf(&out, text, (b->kv_byte_per_us > 0 ? b->kv_byte_per_us : 1) / 1e3,
                     (unsigned long long)(b->kv_tokens ? b->kv_tokens : 1 << 20), b->parse_us,
                     b->launch_us, b->step_us, b->seq_us, b->dense_us[0], b->dense_us[1],
                     b->token_ns / 1e3);
    cr_assert(n > 0);
    return out;
}

static struct machine *load(const struct bench *b)
{
    struct config *json;
    struct machine *m;
    struct err e = {0};
    if (b->machine) {
        cr_assert_eq(profile_load(&json, b->machine, &e), 0, "%s", e.msg);
    } else {
        char *text = toy(b);
        cr_assert_eq(config_parse(&json, "toy", text, strlen(text), &e), 0, "%s", e.msg);
        free(text);
    }
    cr_assert_eq(machine_load(&m, json, &e), 0, "%s", e.msg);
    config_free(json);
    return m;
}

struct array_source {
    struct request_source source;
    const struct bench *b;
    size_t at;
};

static int next(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct array_source *a = (struct array_source *)self;
    (void)e;
    if (a->at == a->b->n)
        return 0;
    if (a->b->traced) {
        *out = a->b->traced[a->at++];
        return 1;
    }
    const struct bench_request *r = &a->b->request[a->at++];
    *out = (struct trace_request){.time_ns = r->at_ns,
                                  .prompt_tokens = r->prompt,
                                  .output_tokens = r->output,
                                  .model = TRACE_NAME_NONE};
    return 1;
}

struct measures *bench_run(const struct bench *b, struct err *why)
{
    struct array_source source = {.source = {.next = next}, .b = b};
    struct machine *machine = b->bare ? NULL : load(b);
    struct measures *out = measures_new();
    struct config *section;
    struct err e = {0};
    cr_assert_not_null(out);
    cr_assert_eq(config_parse(&section, "test", b->section, strlen(b->section), &e), 0, "%s",
                 e.msg);
    struct model_env env = {
        .seed = 1,
        .sim = {.shuffle_ties = b->shuffle, .shuffle_seed = b->shuffle_seed},
        .machine = machine,
        .requests = &source.source,
        .policy = b->policy,
        .infer = b->infer,
        .table = b->table,
        .n_tables = b->n_tables,
        .stack = b->stack ? b->stack : "native",
        .exact = b->exact,
    };
    env.bound[POLICY_HOOK_MEM_EVICT] = b->evict;
    int rc = (b->model ? b->model : &model_serve)->run(section, &env, out, &e);
    if (why)
        *why = e;
    else
        cr_assert_eq(rc, 0, "%s", e.msg);
    config_free(section);
    machine_free(machine);
    return out;
}

double bench_number(const struct measures *m, const char *name)
{
    const double *v = measures_find(m, name);
    cr_assert_not_null(v, "no number %s", name);
    return *v;
}

const struct sketch *bench_sketch(const struct measures *m, const char *name)
{
    for (size_t i = 0; i < m->n_sketch; i++)
        if (!strcmp(m->sketch[i].name, name))
            return m->sketch[i].sketch;
    cr_assert_fail("no sketch %s", name);
    return NULL;
}

void bench_same(const struct measures *a, const struct measures *b)
{
    struct buf x = {0}, y = {0};
    for (size_t i = 0; i < a->n_number; i++) /* the number of events is what leaping saves */
        if (strcmp(a->number[i].name, "events"))
            cr_expect_eq(a->number[i].value, b->number[i].value, "%s: %.17g and %.17g",
                         a->number[i].name, a->number[i].value, b->number[i].value);
    for (size_t i = 0; i < a->n_number; i++)
        if (!strcmp(a->number[i].name, "events"))
            a->number[i].value = b->number[i].value;
    measures_pack(a, &x);
    measures_pack(b, &y);
    cr_expect(x.len == y.len && !memcmp(x.data, y.data, x.len), "the packed measures differ");
    buf_free(&x);
    buf_free(&y);
}
