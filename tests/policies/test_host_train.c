/* Training beside the machine: what a policy is told, what it may do, and who pays. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "harness/policy/infer_host.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "policies/kml_features.h"

static const struct policy_host *host_of[2];
static int model_of[2], met;

static int meets(void **self, const struct policy_host *h)
{
    uint32_t n_in, n_out;
    *self = NULL;
    host_of[met] = h;
    model_of[met] = h->model_open(h->host, h->param_text(h->host, "model", "kml"), &n_in, &n_out);
    met++;
    return 0;
}
static void parts(void *self)
{
    (void)self;
}
static const struct policy_ops learner = {
    .abi = POLICY_ABI, .name = "learner", .create = meets, .destroy = parts};

/* ---- a model that prices training --------------------------------------------------------- */

static struct clerk {
    uint64_t flops;
    int asked, holds;
    bool busy, done;
} clerk;
static void called(void *ctx, int model, uint32_t rows)
{
    (void)ctx, (void)model, (void)rows;
}
static bool trains(void *ctx, int model, uint64_t flops)
{
    struct clerk *c = ctx;
    (void)model;
    c->asked++;
    c->flops += c->busy ? 0 : flops;
    return !c->busy;
}
static bool trained(void *ctx, int model)
{
    (void)model;
    return ((struct clerk *)ctx)->done;
}
static bool holds(void *ctx, int model, bool on)
{
    (void)model;
    ((struct clerk *)ctx)->holds += on ? 1 : -1;
    return true;
}

struct rig {
    struct infer_host *infer;
    struct infer_tap *tap;
    struct policy_slot slot[2];
    struct policy_session *session[2];
};

static struct rig open_rig(void)
{
    struct rig r = {0};
    struct err e = {0};
    met = 0;
    clerk = (struct clerk){.done = true};
    cr_assert_eq(infer_host_open(&r.infer, INFER_CPU, &e), 0, "%s", e.msg);
    r.tap = infer_host_face(r.infer)->tap;
    *r.tap = (struct infer_tap){
        .called = called, .trains = trains, .trained = trained, .holds = holds, .ctx = &clerk};
    return r;
}

static void open_policies(struct rig *r, int n)
{
    const struct policy_session_want want = {.infer = infer_host_face(r->infer)};
    struct err e = {0};
    for (int i = 0; i < n; i++) {
        r->slot[i] = (struct policy_slot){.ops = &learner};
        cr_assert_eq(policy_host_open(&r->session[i], &r->slot[i], &want, &e), 0, "%s", e.msg);
        cr_assert_geq(model_of[i], 0);
    }
}

static void close_rig(struct rig *r)
{
    struct err e = {0};
    for (int i = 0; i < 2; i++)
        cr_expect_eq(policy_host_close(r->session[i], &e), 0, "%s", e.msg);
    cr_expect_eq(clerk.holds, 0, "all that was held was let go");
    infer_host_close(r->infer);
}

static const float in[2][KML_N] = {{0.4f, 0.5f, 0.4f, 0.4f, 0.3f}, {0.4f, 0.5f, 0.2f, 0.05f, 0.3f}};
static const uint32_t labels[2] = {3, 0};
static const struct policy_train lesson = {
    .rows = 2, .steps = 3000, .in = in[0], .label = labels, .rate = 0.1f, .momentum = 0.9f};

static void ask(int policy, float y[2][KML_CLASSES])
{
    const struct policy_host *h = host_of[policy];
    cr_assert_eq(h->infer(h->host, model_of[policy], 2, in[0], y[0]), 0);
}

static bool alike(const float a[2][KML_CLASSES], const float b[2][KML_CLASSES])
{
    return !memcmp(a, b, 2 * KML_CLASSES * sizeof **a);
}

/* Of an output over the largest of the others. */
static float lead(const float y[KML_CLASSES], uint32_t label)
{
    float most = -1e30f;
    for (uint32_t i = 0; i < KML_CLASSES; i++)
        most = i != label && y[i] > most ? y[i] : most;
    return y[label] - most;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

Test(policy_host_train, the_old_version_answers_until_the_new_one_is_asked_for)
{
    struct rig r = open_rig();
    float was[2][KML_CLASSES], is[2][KML_CLASSES], other[2][KML_CLASSES];
    open_policies(&r, 2);
    const struct policy_host *h = host_of[0];
    ask(0, was);
    cr_expect_eq(h->model_renew(h->host, model_of[0]), -1, "nothing was learned");
    cr_assert_eq(h->model_train(h->host, model_of[0], &lesson), 0);
    cr_expect_eq(clerk.flops, 3000 * (2 * 870 + 776));
    ask(0, is);
    cr_expect(alike(was, is));
    cr_assert_eq(h->model_renew(h->host, model_of[0]), 0);
    ask(0, is);
    for (int i = 0; i < 2; i++)
        cr_expect_gt(lead(is[i], labels[i]), lead(was[i], labels[i]), "row %d", i);
    cr_expect_not(alike(was, is));
    ask(1, other);
    cr_expect(alike(was, other), "the other policy's network is its own");
    cr_expect_eq(h->model_renew(h->host, model_of[0]), -1, "nothing new");
    cr_expect_eq(h->model_update(h->host, model_of[0], "kml"), 0, "back to what ships");
    ask(0, is);
    cr_expect(alike(was, is));
    close_rig(&r);
}

Test(policy_host_train, what_takes_time_is_not_there_before_it_is_over)
{
    struct rig r = open_rig();
    float was[2][KML_CLASSES], is[2][KML_CLASSES];
    open_policies(&r, 1);
    const struct policy_host *h = host_of[0];
    ask(0, was);
    clerk.done = false;
    cr_assert_eq(h->model_train(h->host, model_of[0], &lesson), 0);
    cr_expect_eq(h->model_renew(h->host, model_of[0]), 1);
    clerk.busy = true;
    cr_expect_eq(h->model_train(h->host, model_of[0], &lesson), 1);
    cr_expect_eq(clerk.asked, 2);
    cr_expect_eq(clerk.flops, 3000 * (2 * 870 + 776), "and nothing was charged for it");
    ask(0, is);
    cr_expect(alike(was, is));
    clerk.done = true;
    cr_expect_eq(h->model_renew(h->host, model_of[0]), 0);
    ask(0, is);
    cr_expect_not(alike(was, is));
    close_rig(&r);
}

Test(policy_host_train, what_makes_no_sense_is_refused)
{
    struct rig r = open_rig();
    const uint32_t wrong_label[2] = {0, KML_CLASSES};
    open_policies(&r, 1);
    const struct policy_host *h = host_of[0];
    struct policy_train bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = lesson;
    bad[0].rows = 0;
    bad[1].rows = POLICY_TRAIN_ROWS + 1;
    bad[2].steps = 0;
    bad[3].steps = POLICY_TRAIN_STEPS + 1;
    bad[4].rate = 0;
    bad[5].rate = 0.0f / (float)strlen("");
    bad[6].momentum = 1;
    bad[7].label = wrong_label;
    for (int i = 0; i < 8; i++)
        cr_expect_eq(h->model_train(h->host, model_of[0], &bad[i]), -1, "%d", i);
    cr_expect_eq(h->model_train(h->host, model_of[0] + 1, &lesson), -1, "no such handle");
    cr_expect_eq(clerk.asked, 0);
    r.tap->trains = NULL; /* a model that knows no price of it */
    cr_expect_eq(h->model_train(h->host, model_of[0], &lesson), -1);
    close_rig(&r);
}

/* Places of forks are used again: one trial after the other in one worker. */
Test(policy_host_train, many_trials_leave_nothing_behind)
{
    struct rig r = open_rig();
    for (int i = 0; i < 100; i++) {
        struct err e = {0};
        met = 0;
        open_policies(&r, 1);
        const struct policy_host *h = host_of[0];
        cr_assert_eq(h->model_train(h->host, model_of[0], &lesson), 0, "trial %d", i);
        cr_assert_eq(policy_host_close(r.session[0], &e), 0);
        r.session[0] = NULL;
    }
    close_rig(&r);
}
