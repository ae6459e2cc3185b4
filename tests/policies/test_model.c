/* Weights end to end: the command trains the same bytes twice, the shipped
 * weights belong to this tree's features, and the policy ranks by exactly what
 * `malv model eval` scores. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/policy/infer_host.h"
#include "harness/learn/model_data.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_quant.h"
#include "harness/learn/model_score.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"

#define REFERENCE "tests/fuzz/corpus/safetensors/reference-writer"

static void shell(const char *fmt, const char *a, const char *b)
{
    char command[1024];
    snprintf(command, sizeof command, fmt, a, b);
    cr_assert_eq(system(command), 0, "%s", command);
}

Test(model, the_command_trains_the_same_bytes_twice_and_scores_on_rows_it_did_not_fit)
{
    char dir[] = "/tmp/malv-model-XXXXXX";
    cr_assert(mkdtemp(dir));
    for (int i = 0; i < 2; i++)
        shell("cd %s && mkdir %s", dir, i ? "b" : "a");
    for (int i = 0; i < 2; i++)
        shell(BUILD "/malv model train tiny --trace synth:mixed --requests 2000 --hidden 8 "
                    "--epochs 3 --int8 -q -o %s/%s",
              dir, i ? "b" : "a");
    shell("for f in tiny.json tiny.safetensors tiny_s8.safetensors; do cmp %s/a/$f %s/b/$f || exit "
          "1; "
          "done",
          dir, dir);
    struct config *c;
    struct err e = {0};
    char path[128];
    snprintf(path, sizeof path, "%s/a/tiny.json", dir);
    cr_assert_eq(config_load(&c, path, &e), 0, "%s", e.msg);
    const struct config *split = config_get(config_at(config_get(c, "trained_on"), 0), "split");
    uint64_t n[3];
    cr_assert(!config_u64(config_get(split, "train"), 0, 1e9, &n[0], &e) &&
              !config_u64(config_get(split, "validation"), 0, 1e9, &n[1], &e) &&
              !config_u64(config_get(split, "test"), 0, 1e9, &n[2], &e));
    cr_expect(n[0] == 1400 && n[1] == 300 && n[2] == 300);
    config_free(c);
    shell("rm -r %s%s", dir, "");
}

Test(model, imports_what_the_reference_library_wrote)
{
    char dir[] = "/tmp/malv-model-XXXXXX", path[128];
    struct model_file *m;
    struct err e = {0};
    cr_assert(mkdtemp(dir));
    shell(BUILD "/malv model import %s theirs -q -o %s", REFERENCE, dir);
    snprintf(path, sizeof path, "%s/theirs.safetensors", dir);
    cr_assert_eq(model_file_open(&m, path, &e), 0, "%s", e.msg);
    cr_expect_eq(model_file_mlp(m)->n_hidden, 8);
    cr_expect_eq(model_file_mlp(m)->b2[1], 2.0f);
    cr_expect_str_eq(model_file_meta(m, "imported_from"), REFERENCE);
    model_file_free(m);
    shell("rm -r %s%s", dir, "");
}

Test(model, shipped_weights_were_trained_for_these_features)
{
    static const char *const shipped[] = {"sjf_mlp", "sjf_mlp_s8"};
    char want[32];
    snprintf(want, sizeof want, "length/%d", LENGTH_VERSION);
    for (size_t i = 0; i < 2; i++) {
        struct model_file *m;
        struct err e = {0};
        cr_assert_eq(model_file_open(&m, shipped[i], &e), 0, "%s", e.msg);
        cr_expect_str_eq(model_file_meta(m, "features"), want);
        cr_expect_eq(model_file_mlp(m)->n_in, LENGTH_N);
        model_file_free(m);
    }
}

struct shipped {
    struct infer *runtime;
    struct infer_model *net;
    struct model_file *file;
};

static struct shipped open_shipped(const char *name)
{
    struct shipped s;
    struct err e = {0};
    char why[256];
    cr_assert_eq(model_file_open(&s.file, name, &e), 0, "%s", e.msg);
    cr_assert_eq(infer_open(&s.runtime, INFER_CPU, why, sizeof why), 0);
    cr_assert_eq(infer_load_mlp(s.runtime, model_file_mlp(s.file), &s.net, why, sizeof why), 0);
    return s;
}

static void close_shipped(struct shipped *s)
{
    infer_unload(s->net);
    infer_close(s->runtime);
    model_file_free(s->file);
}

static void fresh_rows(struct model_data *d)
{
    struct err e = {0};
    cr_assert_eq(model_data_load(d, "synth:mixed", 77, 4000, false, &e), 0, "%s", e.msg);
    cr_assert_eq(d->rows.n, 4000);
}

Test(model, the_shipped_network_beats_every_trivial_baseline_on_a_seed_it_never_saw)
{
    static const char *const names[] = {"sjf_mlp", "sjf_mlp_s8"};
    struct model_data d;
    struct model_known known;
    struct model_score s;
    struct err e = {0};
    fresh_rows(&d);
    cr_assert_eq(model_known(&known, &d.rows, d.rows.n, &e), 0);
    for (size_t i = 0; i < 2; i++) {
        struct shipped net = open_shipped(names[i]);
        cr_assert_eq(model_score(&s, net.net, &d.rows, 0, d.rows.n, &known, 1, &e), 0, "%s", e.msg);
        for (int who = 1; who < PREDICTORS; who++) {
            cr_expect_not(s.by[who].kendall >= s.by[0].kendall, "%s, baseline %d", names[i], who);
            cr_expect_not(s.by[who].log2_rmse <= s.by[0].log2_rmse, "%s, baseline %d", names[i],
                          who);
        }
        cr_expect(s.covered > 0.8 && s.covered < 0.97, "covered %g", s.covered);
        close_shipped(&net);
    }
    model_data_free(&d);
}

/* ---- the policy and the evaluation see the same rows ---------------------------------- */

enum { N = 400 };

/* Every request and completion in order of time, as the nominal server has them. */
static void drive(struct policy_slot *slot, const struct trace_request *t, int64_t *key)
{
    uint64_t finish[N];
    bool told[N] = {false};
    for (uint32_t i = 0; i < N; i++) {
        for (;;) {
            uint32_t next = N;
            for (uint32_t k = 0; k < i; k++)
                if (!told[k] && finish[k] <= t[i].time_ns &&
                    (next == N || finish[k] < finish[next]))
                    next = k;
            if (next == N)
                break;
            told[next] = true;
            struct policy_done d = {.now_ns = finish[next], .output_tokens = t[next].output_tokens};
            d.request = (struct policy_request){.id = next,
                                                .arrived_ns = t[next].time_ns,
                                                .tenant = t[next].tenant,
                                                .model = t[next].model,
                                                .prompt_tokens = t[next].prompt_tokens};
            policy_slot_done(slot, &d);
        }
        struct policy_batch_obs o = {.server = {.now_ns = t[i].time_ns}};
        o.request = (struct policy_request){.id = i,
                                            .arrived_ns = t[i].time_ns,
                                            .tenant = t[i].tenant,
                                            .model = t[i].model,
                                            .prompt_tokens = t[i].prompt_tokens};
        key[i] = policy_slot_batch(slot, &o);
        finish[i] = t[i].time_ns + TRAIN_FIRST_NS + TRAIN_TOKEN_NS * t[i].output_tokens;
    }
}

struct recorded {
    struct request_source face;
    struct trace_request *t;
    uint32_t at;
};

static int recorded_next(struct request_source *self, struct trace_request *out, struct err *e)
{
    struct recorded *r = (struct recorded *)self;
    (void)e;
    if (r->at == N)
        return 0;
    *out = r->t[r->at++];
    return 1;
}

static void make_trace(struct trace_request *t)
{
    uint64_t x = 88172645463325252u, now = 0;
    for (uint32_t i = 0; i < N; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        now += x % 700000000;
        t[i] = (struct trace_request){.time_ns = now,
                                      .tenant = (uint32_t)(x >> 20 & 7),
                                      .model = (uint32_t)(x >> 30 & 1),
                                      .prompt_tokens = (uint32_t)(x >> 35 & 4095),
                                      .output_tokens = (uint32_t)(1 + (x >> 50 & 511))};
    }
}

Test(model, the_policy_ranks_by_exactly_what_eval_scores)
{
    static struct trace_request t[N];
    static int64_t key[N];
    static float y[2 * N];
    struct err e = {0};
    make_trace(t);
    struct recorded source = {.face = {.next = recorded_next}, .t = t};
    struct train_rows rows = {0};
    cr_assert_eq(train_rows_replay(&rows, &source.face, N, &e), 0);
    struct shipped net = open_shipped("sjf_mlp");
    cr_assert_eq(model_predict(net.net, rows.x, N, y, &e), 0);

    struct policy *p;
    struct infer_host *infer;
    struct policy_session *s;
    struct config *params;
    static const char json[] = "{\"prompt_weight\": 0}";
    cr_assert_eq(config_parse(&params, "p", json, strlen(json), &e), 0);
    cr_assert_eq(policy_load(&p, "sjf-mlp", &e), 0, "%s", e.msg);
    cr_assert_eq(infer_host_open(&infer, INFER_CPU, &e), 0, "%s", e.msg);
    struct policy_slot slot = {.ops = policy_ops(p)};
    struct policy_session_want want = {.params = params, .infer = infer_host_face(infer)};
    cr_assert_eq(policy_host_open(&s, &slot, &want, &e), 0, "%s", e.msg);
    drive(&slot, t, key);
    int same = 0;
    for (int i = 0; i < N; i++)
        same += key[i] == (int64_t)(1024 * length_tokens(y[2 * i]));
    cr_expect_eq(same, N);

    cr_expect_eq(policy_host_close(s, &e), 0);
    infer_host_close(infer);
    policy_unload(p);
    config_free(params);
    close_shipped(&net);
    train_rows_free(&rows);
}

/* Weights are what their provenance says only as long as the same command still sees the same
 * traces.  When a preset changes, train again: the command stands in sjf_mlp.json.            */
Test(model, the_provenance_names_the_traces_of_this_tree)
{
    struct config *c;
    struct err e = {0};
    cr_assert_eq(config_load(&c, "policies/weights/sjf_mlp.json", &e), 0, "%s", e.msg);
    const struct config *parts = config_get(c, "trained_on");
    cr_assert_geq(config_count(parts), 1);
    for (size_t i = 0; i < config_count(parts); i++) {
        const char *trace, *then, *now;
        struct model_data d;
        struct config *about;
        const struct config *part = config_at(parts, i);
        cr_assert_eq(config_str(config_get(part, "trace"), &trace, &e), 0);
        cr_assert_eq(config_str(config_get(config_get(part, "about"), "digest"), &then, &e), 0);
        /* The digest names the section, whose length the command set. */
        cr_assert_eq(model_data_load(&d, trace, 1, 40000, false, &e), 0, "%s", e.msg);
        cr_assert_eq(config_parse(&about, "about", d.about, strlen(d.about), &e), 0, "%s", e.msg);
        cr_assert_eq(config_str(config_get(about, "digest"), &now, &e), 0);
        cr_expect_str_eq(now, then, "%s changed since sjf_mlp was trained: run its command again",
                         trace);
        config_free(about);
        model_data_free(&d);
    }
    config_free(c);
}
