/* The guard: what it lets through, what it ejects, and how it says so. */
#include <criterion/criterion.h>
#include <string.h>

#include "models/policy_slot.h"

static int verdict;
static int64_t key;
static uint32_t told;
static int destroyed, refuse;

static int create(void **self, const struct policy_host *h)
{
    (void)h;
    *self = &verdict;
    return refuse;
}

static void destroy(void *self)
{
    cr_expect_eq(self, &verdict);
    destroyed++;
}

static int admit(void *self, const struct policy_admit_obs *o)
{
    (void)self;
    told = o->request.oracle_output_tokens;
    return verdict;
}

static int64_t batch(void *self, const struct policy_batch_obs *o)
{
    (void)self;
    told = o->request.oracle_output_tokens;
    return key;
}

static void done(void *self, const struct policy_done *d)
{
    (void)self;
    told = d->request.oracle_output_tokens;
}

static const struct policy_ops all = {.name = "all",
                                      .create = create,
                                      .destroy = destroy,
                                      .serve_admit = admit,
                                      .serve_batch = batch,
                                      .serve_done = done};
static const struct policy_ops oracle = {
    .name = "oracle", .oracle = 1, .create = create, .destroy = destroy, .serve_batch = batch};
static const struct policy_admit_obs arrival = {.request = {.oracle_output_tokens = 99},
                                                .server = {.now_ns = 1234}};
static const struct policy_batch_obs waiting = {.request = {.oracle_output_tokens = 99},
                                                .server = {.now_ns = 1234}};
static const struct policy_done finished = {.request = {.oracle_output_tokens = 99},
                                            .now_ns = 5678};

static struct policy_slot opened(const struct policy_ops *ops, struct policy_beat *beat)
{
    struct policy_slot p = {.ops = ops, .label = "variant", .beat = beat, .out = measures_new()};
    policy_slot_create(&p, NULL, NULL, NULL);
    return p;
}

static void expect_incident(const struct policy_slot *p, uint64_t call, sim_time when,
                            const char *text)
{
    cr_assert_eq(p->out->n_incident, 1);
    const struct measure_incident *i = &p->out->incident[0];
    cr_expect_str_eq(i->kind, "ejected");
    cr_expect_str_eq(i->who, "variant");
    cr_expect_str_eq(i->text, text);
    cr_expect_eq(i->decision, call);
    cr_expect_eq(i->when, when);
}

Test(policy_slot, good_answers_pass_up_to_the_ends_of_the_range)
{
    static const int64_t keys[] = {0, -1, POLICY_KEY_MAX, -POLICY_KEY_MAX};
    struct policy_slot p = opened(&all, NULL);
    for (size_t i = 0; i < 4; i++) {
        key = keys[i];
        cr_expect_eq(policy_slot_batch(&p, &waiting), keys[i]);
    }
    verdict = POLICY_REJECT;
    cr_expect_eq(policy_slot_admit(&p, &arrival), POLICY_REJECT);
    policy_slot_done(&p, &finished);
    cr_expect_eq(p.decisions, 5);
    cr_expect_eq(p.calls, 7);
    cr_expect_eq(p.out->n_incident, 0);
    policy_slot_destroy(&p);
    cr_expect_eq(destroyed, 1);
    measures_free(p.out);
}

Test(policy_slot, a_bad_key_ejects_and_the_default_answers_from_then_on)
{
    struct policy_slot p = opened(&all, NULL);
    key = POLICY_KEY_MAX + 1;
    verdict = POLICY_REJECT;
    cr_expect_eq(policy_slot_batch(&p, &waiting), 0);
    key = 7;
    cr_expect_eq(policy_slot_batch(&p, &waiting), 0);
    cr_expect_eq(policy_slot_admit(&p, &arrival), POLICY_ADMIT);
    cr_expect_eq(p.ejected, EJECT_BAD_ANSWER);
    cr_expect_eq(p.bad_answers, 1);
    cr_expect_eq(p.decisions, 1);
    expect_incident(&p, 1, 1234,
                    "serve_batch answered key 4611686018427387904, want one within "
                    "+-4611686018427387903");
    policy_slot_destroy(&p);
    cr_expect_eq(destroyed, 1);
    measures_free(p.out);
}

Test(policy_slot, a_bad_verdict_ejects)
{
    struct policy_slot p = opened(&all, NULL);
    verdict = -1;
    cr_expect_eq(policy_slot_admit(&p, &arrival), POLICY_ADMIT);
    expect_incident(&p, 1, 1234, "serve_admit answered -1, want 0 (admit) or 1 (reject)");
    measures_free(p.out);
}

Test(policy_slot, no_policy_and_missing_hooks_mean_the_default)
{
    struct policy_slot p = opened(&oracle, NULL), none = {0};
    key = 5;
    cr_expect_eq(policy_slot_admit(&p, &arrival), POLICY_ADMIT);
    cr_expect_eq(policy_slot_batch(&p, &waiting), 5);
    policy_slot_done(&p, &finished);
    cr_expect_eq(policy_slot_batch(&none, &waiting), 0);
    cr_expect_eq(policy_slot_batch(NULL, &waiting), 0);
    cr_expect_eq(policy_slot_admit(NULL, &arrival), POLICY_ADMIT);
    policy_slot_done(NULL, &finished);
    measures_free(p.out);
}

Test(policy_slot, only_an_oracle_is_told_the_truth)
{
    struct policy_slot p = opened(&all, NULL), q = opened(&oracle, NULL);
    told = 1;
    policy_slot_admit(&p, &arrival);
    cr_expect_eq(told, 0);
    told = 1;
    policy_slot_batch(&p, &waiting);
    cr_expect_eq(told, 0);
    told = 1;
    policy_slot_done(&p, &finished);
    cr_expect_eq(told, 0);
    policy_slot_batch(&q, &waiting);
    cr_expect_eq(told, 99);
    measures_free(p.out);
    measures_free(q.out);
}

Test(policy_slot, the_beat_is_up_only_inside)
{
    struct policy_beat beat = {.decision = 77};
    struct policy_slot p = opened(&all, &beat);
    cr_expect_eq(beat.decision, 0);
    policy_slot_batch(&p, &waiting);
    policy_slot_admit(&p, &arrival);
    cr_expect_eq(beat.decision, 2);
    cr_expect_eq(beat.inside, 0);
    measures_free(p.out);
}

static const struct {
    const char *name;
    uint64_t at;
    enum eject_kind why;
    const char *text, *want;
    int destroys;
} known[] = {
    {"a crash", 2, EJECT_CRASH, "signal 11 (Segmentation fault)",
     "serve_batch crashed: signal 11 (Segmentation fault)", 0},
    {"a loop", 1, EJECT_TIMEOUT, "5 s", "serve_admit did not return: 5 s", 0},
    {"in feedback", 3, EJECT_CRASH, NULL, "serve_done crashed: no more is known", 0},
    {"in create", 0, EJECT_CRASH, "signal 6", "create crashed: signal 6", 0},
    {"in destroy", 4, EJECT_CRASH, "signal 6", "destroy crashed: signal 6", 0},
};

Test(policy_slot, a_call_known_to_end_the_worker_is_not_made_again)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct policy_slot p = {.ops = &all,
                                .label = "variant",
                                .out = measures_new(),
                                .eject_at = known[i].at,
                                .eject_why = known[i].why,
                                .eject_text = known[i].text};
        verdict = 0, key = 3, destroyed = 0;
        policy_slot_create(&p, NULL, NULL, NULL);
        policy_slot_admit(&p, &arrival);
        policy_slot_batch(&p, &waiting);
        policy_slot_done(&p, &finished);
        policy_slot_destroy(&p);
        cr_expect_eq(p.ejected, known[i].why, "%s", known[i].name);
        cr_expect_eq(p.ejected_call, known[i].at, "%s", known[i].name);
        cr_assert_eq(p.out->n_incident, 1, "%s", known[i].name);
        cr_expect_str_eq(p.out->incident[0].text, known[i].want);
        cr_expect_eq(destroyed, known[i].destroys, "%s", known[i].name);
        measures_free(p.out);
    }
}

static const char *moon(void *ctx)
{
    return ctx;
}

Test(policy_slot, a_create_that_fails_is_told_in_the_report_though_it_came_first)
{
    char why[] = "the moon";
    struct policy_slot p = {.ops = &all, .label = "variant"};
    refuse = 1;
    policy_slot_create(&p, NULL, moon, why);
    cr_expect_eq(p.ejected, EJECT_CREATE);
    struct measures *m = measures_new();
    policy_slot_report(&p, m);
    policy_slot_report(&p, m);
    expect_incident(&p, 0, 0, "create failed: the moon");
    cr_expect_eq(*measures_find(m, "ejected"), 1);
    cr_expect_eq(*measures_find(m, "policy_decisions"), 0);
    policy_slot_destroy(&p);
    cr_expect_eq(destroyed, 0);
    measures_free(m);
}
