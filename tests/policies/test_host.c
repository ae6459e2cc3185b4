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
