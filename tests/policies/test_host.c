/* The session: parameters, logs, random numbers, inference, and policy_check
 * over policies that misbehave. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_check.h"
#include "harness/policy/policy_exercise.h"
#include "harness/policy/policy_host.h"
#include "models/mlaas/features.h"
#include "harness/policy/policy_load.h"

#define MISBEHAVES BUILD "/tests/policies/misbehaves.so"

static struct config *parsed(const char *json)
{
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_parse(&c, "x.json", json, strlen(json), &e), 0, "%s", e.msg);
    return c;
}

static const struct {
    const char *policy, *params;
    int code;
    const char *want;
} inputs[] = {
    {"template", "{\"aging\": 3, \"max_waiting\": 2}", 0, ""},
    {"template", "{\"agin\": 3}", ERR_ENAME,
     "x.json: agin: policy template has no such parameter; it has: aging, max_waiting"},
    {"fifo", "{\"a\": 1}", ERR_ENAME, "x.json: a: policy fifo has no such parameter; it has: none"},
    {"template", "{\"aging\": \"much\"}", ERR_ERANGE,
     "x.json: aging: got \"much\", want a number "},
    {"sjf-mlp", "{\"model\": 5}", ERR_ERANGE, "x.json: model: got 5, want "},
    {"sjf-mlp", "{\"model\": \"nosuch\"}", ERR_ENAME,
     "policy sjf-mlp wants model \"nosuch\": no weights policies/weights/nosuch.safetensors"},
};

ParameterizedTestParameters(policy_host, input_errors_are_sentences)
{
    static int row[sizeof inputs / sizeof *inputs];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, policy_host, input_errors_are_sentences)
{
    struct policy *p;
    struct infer_host *infer;
    struct policy_session *s;
    struct err e = {0};
    struct config *params = parsed(inputs[*row].params);
    cr_assert_eq(policy_load(&p, inputs[*row].policy, &e), 0, "%s", e.msg);
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(p)};
    struct policy_session_want want = {.params = params, .infer = infer_host_face(infer)};
    cr_expect_eq(policy_host_open(&s, &slot, &want, &e), inputs[*row].code, "said \"%s\"", e.msg);
    cr_expect(!strncmp(e.msg, inputs[*row].want, strlen(inputs[*row].want)), "said \"%s\"", e.msg);
    cr_expect_eq(policy_host_close(s, &e), 0);
    infer_host_close(infer);
    policy_unload(p);
    config_free(params);
}

Test(policy_host, log_lines_reach_the_report_and_are_bounded)
{
    struct policy *p;
    struct policy_session *s;
    struct err e = {0};
    struct config *params = parsed("{\"how\": \"chatter\", \"at\": 3}");
    cr_assert_eq(policy_load(&p, MISBEHAVES, &e), 0, "%s", e.msg);
    struct measures *m = measures_new();
    struct policy_slot slot = {.ops = policy_ops(p), .label = "v", .out = m};
    struct policy_session_want want = {.params = params};
    cr_assert_eq(policy_host_open(&s, &slot, &want, &e), 0, "%s", e.msg);
    policy_exercise(&slot, 1, 10);
    cr_assert_eq(policy_host_close(s, &e), 0);
    cr_assert_eq(m->n_incident, SESSION_LINES + 1);
    cr_expect_str_eq(m->incident[0].kind, "log");
    cr_expect_str_eq(m->incident[0].text, "again");
    cr_expect_eq(m->incident[0].decision, 4);
    cr_expect_str_eq(m->incident[SESSION_LINES].text, "and 4 more lines");
    measures_free(m);
    policy_unload(p);
    config_free(params);
}

static uint64_t random_answers(uint64_t seed)
{
    struct policy *p;
    struct policy_session *s;
    struct err e = {0};
    cr_assert_eq(policy_load(&p, "random-order", &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(p)};
    struct policy_session_want want = {.seed = seed};
    cr_assert_eq(policy_host_open(&s, &slot, &want, &e), 0);
    uint64_t hash = policy_exercise(&slot, 1, 200);
    cr_expect_eq(policy_host_close(s, &e), 0);
    policy_unload(p);
    return hash;
}

Test(policy_host, random_numbers_follow_the_seed_and_nothing_else)
{
    cr_expect_eq(random_answers(5), random_answers(5));
    cr_expect_neq(random_answers(5), random_answers(6));
}

static const struct {
    const char *params;
    bool fine;
    const char *why;
} behaviours[] = {
    {"{\"how\": \"none\"}", true, ""},
    {"{\"how\": \"key\"}", false,
     "serve_batch answered key -9223372036854775808, want one within +-4611686018427387903 (call "
     "6)"},
    {"{\"how\": \"verdict\", \"at\": 4}", false,
     "serve_admit answered 7, want 0 (admit) or 1 (reject) (call 5)"},
    {"{\"how\": \"crash\"}", false, "call 6 crashed: signal 6 (Aborted)"},
    {"{\"how\": \"hang\"}", false, "call 6 did not return within 0.3 s"},
    {"{\"how\": \"exit\"}", false, "call 6 ended the process with status 0"},
    {"{\"how\": \"bad\", \"hook\": \"cpu_pick\"}", false, "cpu_pick answered task "},
    {"{\"how\": \"slice\", \"hook\": \"cpu_pick\"}", false,
     "cpu_pick answered a slice of 1 ns, want 10000 to 10000000000 (call "},
    {"{\"how\": \"bad\", \"hook\": \"cpu_balance\"}", false,
     "cpu_balance answered -3, want 0 (leave) or 1 (migrate) (call "},
    {"{\"how\": \"bad\", \"hook\": \"mem_begin\", \"at\": 0}", false,
     "mem_begin answered 5, want 0 (call "},
    {"{\"how\": \"bad\", \"hook\": \"mem_evict\"}", false,
     "mem_evict answered frame 1073741824, want a taken one of 64 (call "},
    {"{\"how\": \"bad\", \"hook\": \"mem_place\", \"at\": 0}", false,
     "mem_place put region 0 on tier 77, want one of 3 (call "},
    {"{\"how\": \"bad\", \"hook\": \"mem_readahead\"}", false,
     "mem_readahead answered 1025 pages, want at most 1024 (call "},
    {"{\"how\": \"bad\", \"hook\": \"io_steer\"}", false,
     "io_steer answered device 5, want one of 5 (call "},
    {"{\"how\": \"bad\", \"hook\": \"cluster_place\"}", false,
     "cluster_place answered node 12, want one of 12 (call "},
    {"{\"how\": \"hang\", \"hook\": \"cluster_place\"}", false, "call "},
    {"{\"how\": \"crash\", \"hook\": \"cpu_pick\"}", false, "call "},
    {"{\"how\": \"crash\", \"hook\": \"mem_hit\"}", false, "call "},
    {"{\"how\": \"crash\", \"hook\": \"mem_insert\"}", false, "call "},
    {"{\"how\": \"crash\", \"hook\": \"io_done\"}", false, "call "},
    {"{\"how\": \"hang\", \"hook\": \"cpu_balance\"}", false, "call "},
    {"{\"how\": \"hang\", \"hook\": \"mem_evict\"}", false, "call "},
    {"{\"how\": \"hang\", \"hook\": \"mem_readahead\"}", false, "call "},
    {"{\"how\": \"hang\", \"hook\": \"io_steer\"}", false, "call "},
    {"{\"how\": \"create\"}", false, "create failed: the moon is in the wrong quarter (call 0)"},
    {"{\"how\": \"static\"}", false,
     "the same inputs got other answers the second time: it keeps state outside create and "
     "destroy, or reads a clock"},
};

ParameterizedTestParameters(policy_check, tells_what_a_policy_does)
{
    static int row[sizeof behaviours / sizeof *behaviours];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, policy_check, tells_what_a_policy_does)
{
    struct policy *p;
    struct policy_check r;
    struct err e = {0};
    struct config *params = parsed(behaviours[*row].params);
    struct policy_check_want want = {.params = params, .steps = 300, .limit_s = 0.3};
    cr_assert_eq(policy_load(&p, MISBEHAVES, &e), 0, "%s", e.msg);
    cr_assert_eq(policy_check(&r, policy_ops(p), &want, &e), 0, "%s", e.msg);
    cr_expect_eq(r.fine, behaviours[*row].fine);
    cr_expect(!strncmp(r.why, behaviours[*row].why, strlen(behaviours[*row].why)) &&
                  !r.fine == !!*behaviours[*row].why,
              "%s: said \"%s\"", behaviours[*row].params, r.why);
    policy_unload(p);
    config_free(params);
}

Test(policy_check, all_that_stand_beside_the_program_behave, .timeout = 120)
{
    struct policy_names known;
    struct err e = {0};
    cr_assert_eq(policy_names(&known, &e), 0, "%s", e.msg);
    cr_assert_geq(known.n, 9);
    for (size_t i = 0; i < known.n; i++) {
        struct policy *p;
        struct policy_check r;
        struct policy_check_want want = {.steps = 400};
        cr_assert_eq(policy_load(&p, known.name[i], &e), 0, "%s", e.msg);
        cr_assert_eq(policy_check(&r, policy_ops(p), &want, &e), 0, "%s", e.msg);
        cr_expect(r.fine, "%s: %s", known.name[i], r.why);
        policy_unload(p);
    }
    policy_names_free(&known);
}

/* ---- networks and features ------------------------------------------------------------- */

static int met; /* how often the policy below was created */
static const struct policy_host *its_host;
static int its_model, its_registry;

static int meets(void **self, const struct policy_host *h)
{
    static const struct policy_field f[] = {{"x", 2}, {"y", 1}};
    uint32_t n_in, n_out;
    *self = NULL;
    its_host = h;
    its_model = h->model_open(h->host, "linnos", &n_in, &n_out);
    its_registry = h->features(h->host, "shared", f, 2, 4);
    met++;
    return 0;
}
static void parts(void *self)
{
    (void)self;
}
static const struct policy_ops meeting = {
    .abi = POLICY_ABI, .name = "meeting", .create = meets, .destroy = parts};

struct heard {
    uint64_t rows, puts, commits, read;
    int called, holds;
};
static void called(void *ctx, int model, uint32_t rows)
{
    struct heard *h = ctx;
    (void)model;
    h->called++;
    h->rows += rows;
}
static void stored(void *ctx, uint32_t puts, uint32_t commits, uint32_t rows)
{
    struct heard *h = ctx;
    h->puts += puts;
    h->commits += commits;
    h->read += rows;
}
static bool holds(void *ctx, int model, bool on)
{
    struct heard *h = ctx;
    (void)model;
    h->holds += on ? 1 : -1;
    return true;
}

Test(policy_host, a_model_is_replaced_under_its_handle_and_registries_are_shared)
{
    struct infer_host *infer;
    struct policy_session *a, *b;
    struct err e = {0};
    struct features *shared = features_new();
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct infer_tap *tap = infer_host_face(infer)->tap;
    struct heard heard = {0};
    tap->called = called;
    tap->stored = stored;
    tap->holds = holds;
    tap->ctx = &heard;
    struct policy_slot first = {.ops = &meeting}, second = {.ops = &meeting};
    struct policy_session_want want = {.infer = infer_host_face(infer), .features = shared};
    cr_assert_eq(policy_host_open(&a, &first, &want, &e), 0, "%s", e.msg);
    const struct policy_host *h = its_host;
    cr_assert_eq(h->feature_begin(h->host, its_registry), 0);
    cr_assert_eq(h->feature_put(h->host, its_registry, 0, 3), 0);
    cr_assert_eq(h->feature_add(h->host, its_registry, 1, 5), 0);
    cr_assert_eq(h->feature_commit(h->host, its_registry, 70), 0);
    cr_expect_eq(heard.puts, 2);
    cr_expect_eq(heard.commits, 1);

    cr_assert_eq(policy_host_open(&b, &second, &want, &e), 0, "%s", e.msg);
    h = its_host; /* the other's */
    float row[3];
    uint64_t at;
    cr_assert_eq(h->feature_get(h->host, its_registry, 0, 9, row, &at), 1);
    cr_expect(row[0] == 3 && row[1] == 0 && row[2] == 5 && at == 70);
    cr_expect_eq(h->feature_score(h->host, its_registry, its_model, 0, 9, row), -1, "3 are not 31");
    cr_expect_eq(heard.read, 1);

    float x[31] = {1, 2, 3}, was[2], is[2];
    cr_assert_eq(h->infer(h->host, its_model, 1, x, was), 0);
    cr_expect_eq(h->model_update(h->host, its_model, "sjf_mlp"), -1, "another shape");
    cr_expect_eq(h->model_update(h->host, its_model, "no_such_model"), -1);
    cr_expect_eq(heard.holds, 2);
    cr_assert_eq(h->model_update(h->host, its_model, "linnos_s8"), 0);
    cr_assert_eq(h->infer(h->host, its_model, 1, x, is), 0);
    cr_expect(was[0] != is[0], "the int8 network rounds");
    cr_expect_eq(tap->n_held, 2);
    cr_expect_eq(heard.called, 2);
    h->model_close(h->host, its_model);
    cr_expect_eq(h->infer(h->host, its_model, 1, x, is), -1);
    cr_expect_eq(h->model_update(h->host, its_model, "linnos"), -1);
    cr_expect_eq(tap->n_held, 1);
    cr_expect_eq(policy_host_close(b, &e), 0);
    cr_expect_eq(policy_host_close(a, &e), 0);
    cr_expect_eq(tap->n_held, 0);
    cr_expect_eq(heard.holds, 0);
    features_free(shared);
    infer_host_close(infer);
}

/* One question for all rows of the store, with what asking them one by one gives. */
Test(policy_host, scoring_the_store_is_one_question)
{
    struct infer_host *infer;
    struct policy_session *s;
    struct err e = {0};
    static const struct policy_field digits[] = {{"digits", 31}};
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct heard heard = {0};
    struct policy_slot slot = {.ops = &meeting};
    struct policy_session_want want = {.infer = infer_host_face(infer)};
    cr_assert_eq(policy_host_open(&s, &slot, &want, &e), 0, "%s", e.msg);
    struct infer_tap *tap = infer_host_face(infer)->tap;
    tap->called = called;
    tap->ctx = &heard;
    const struct policy_host *h = its_host;
    const int r = h->features(h->host, "digits", digits, 1, 0);
    for (uint64_t i = 0; i < 50; i++) {
        h->feature_begin(h->host, r);
        h->feature_put(h->host, r, 0, (float)(i * i % 10));
        h->feature_commit(h->host, r, i);
    }
    float all[40 * 2], rows[40 * 31], alone[2];
    cr_assert_eq(h->feature_score(h->host, r, its_model, 10, 40, all), 40);
    cr_expect_eq(heard.called, 1);
    cr_expect_eq(heard.rows, 40);
    cr_assert_eq(h->feature_get(h->host, r, 10, 40, rows, NULL), 40);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(h->infer(h->host, its_model, 1, rows + i * 31, alone), 0);
        cr_expect(alone[0] == all[2 * i] && alone[1] == all[2 * i + 1], "row %d", i);
    }
    cr_expect_eq(h->feature_drop(h->host, r, 48), 49);
    cr_expect_eq(h->feature_score(h->host, r, its_model, 0, 40, all), 1);
    cr_expect_eq(policy_host_close(s, &e), 0);
    infer_host_close(infer);
}
