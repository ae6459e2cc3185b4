/* policy_models.c - a policy's networks: opened, asked, replaced, closed. */
#include <stdio.h>

#include "harness/policy/policy_session.h"

static const char *why(const struct model_infer *f)
{
    const char *said = f && f->why ? f->why(f->ctx) : NULL;
    return said ? said : f ? "no reason given" : "there is no inference here";
}

/* ---- who holds what -------------------------------------------------------------------- */

static bool hold(struct policy_session *s, int net)
{
    struct infer_tap *tap = s->want.infer->tap;
    if (tap->n_held == INFER_HELD || (tap->holds && !tap->holds(tap->ctx, net, true)))
        return false;
    tap->held[tap->n_held++] = net;
    return true;
}

static void let_go(struct policy_session *s, int net)
{
    struct infer_tap *tap = s->want.infer->tap;
    uint32_t i = 0;
    while (i < tap->n_held && tap->held[i] != net)
        i++;
    if (i == tap->n_held)
        return;
    for (tap->n_held--; i < tap->n_held; i++)
        tap->held[i] = tap->held[i + 1];
    if (tap->holds)
        (void)tap->holds(tap->ctx, net, false);
}

static void leave(struct policy_session *s, const struct session_model *m)
{
    let_go(s, m->net);
    if (m->own)
        s->want.infer->drop(s->want.infer->ctx, m->net);
}

const struct session_model *session_model(const struct policy_session *s, int model)
{
    return model >= 0 && model < s->n_model && s->model[model].net >= 0 ? &s->model[model] : NULL;
}

/* ---- what the policy calls -------------------------------------------------------------- */

static int model_open(void *host, const char *name, uint32_t *n_in, uint32_t *n_out)
{
    struct policy_session *s = host;
    const struct model_infer *f = s->want.infer;
    int net = f && s->n_model < SESSION_MODELS ? f->open(f->ctx, name, n_in, n_out) : -1;
    if (net < 0 || !hold(s, net)) {
        err_set(&s->wrong_input, ERR_ENAME, "policy %s wants model \"%.64s\": %s", session_who(s),
                name, net >= 0 ? "no memory for it" : why(f));
        return -1;
    }
    s->model[s->n_model] = (struct session_model){.net = net, .n_in = *n_in, .n_out = *n_out};
    return s->n_model++;
}

static int infer(void *host, int model, uint32_t rows, const float *in, float *out)
{
    struct policy_session *s = host;
    const struct model_infer *f = s->want.infer;
    const struct session_model *m = session_model(s, model);
    if (!m || !rows)
        return -1;
    if (f->run(f->ctx, m->net, rows, in, out)) {
        err_set(&s->wrong_infer, ERR_EFAIL, "policy %s: inference with %s failed: %s",
                session_who(s), f->name(f->ctx, m->net), why(f));
        return -1;
    }
    if (f->tap->called)
        f->tap->called(f->tap->ctx, m->net, rows);
    return 0;
}

static int model_update(void *host, int model, const char *name)
{
    struct policy_session *s = host;
    const struct model_infer *f = s->want.infer;
    struct session_model *m = (struct session_model *)session_model(s, model);
    uint32_t n_in, n_out;
    if (!m)
        return -1;
    int net = f->open(f->ctx, name, &n_in, &n_out);
    if (net < 0)
        session_say(s, "model %.64s does not replace %s: %.120s", name, f->name(f->ctx, m->net),
                    why(f));
    else if (n_in != m->n_in || n_out != m->n_out)
        session_say(s, "model %.64s does not replace %s: it has another shape", name,
                    f->name(f->ctx, m->net));
    else if (!hold(s, net))
        session_say(s, "model %.64s does not replace %s: no memory for it", name,
                    f->name(f->ctx, m->net));
    else {
        leave(s, m);
        *m = (struct session_model){.net = net, .n_in = n_in, .n_out = n_out};
        return 0;
    }
    return -1;
}

static void model_close(void *host, int model)
{
    struct policy_session *s = host;
    struct session_model *m = (struct session_model *)session_model(s, model);
    if (!m)
        return;
    leave(s, m);
    m->net = -1;
}

/* ---- training ------------------------------------------------------------------------------ */

static bool makes_sense(const struct policy_train *t, uint32_t n_out)
{
    bool good = t->rows - 1 < POLICY_TRAIN_ROWS && t->steps - 1 < POLICY_TRAIN_STEPS &&
                t->rate > 0 && t->rate <= 1e3f && t->momentum >= 0 && t->momentum < 1;
    for (uint32_t i = 0; good && i < t->rows; i++)
        good = t->label[i] < n_out;
    return good;
}

/* The handle's network becomes one that nobody else holds. */
static bool own(struct policy_session *s, struct session_model *m)
{
    const struct model_infer *f = s->want.infer;
    const int fork = m->own ? m->net : f->fork ? f->fork(f->ctx, m->net) : -1;
    if (m->own)
        return true;
    if (fork < 0 || !hold(s, fork)) {
        session_say(s, "%s is not trained: %.160s", f->name(f->ctx, m->net),
                    fork >= 0 ? "no memory for it" : why(f));
        if (fork >= 0)
            f->drop(f->ctx, fork);
        return false;
    }
    let_go(s, m->net);
    m->net = fork;
    m->own = true;
    return true;
}

static int model_train(void *host, int model, const struct policy_train *t)
{
    struct policy_session *s = host;
    const struct model_infer *f = s->want.infer;
    struct session_model *m = (struct session_model *)session_model(s, model);
    if (!m)
        return -1;
    if (!makes_sense(t, m->n_out)) {
        session_say(s, "%s is not trained: rows, steps, rate, momentum or a label out of range",
                    f->name(f->ctx, m->net));
        return -1;
    }
    if (f->tap->called && !f->tap->trains) {
        session_say(s, "%s is not trained: this model knows no price of it",
                    f->name(f->ctx, m->net));
        return -1;
    }
    if (!own(s, m))
        return -1;
    const uint64_t flops = t->steps * f->train_flops(f->ctx, m->net, t->rows);
    if (f->tap->trains && !f->tap->trains(f->tap->ctx, m->net, flops))
        return 1;
    f->train(f->ctx, m->net, t);
    m->fresh = true;
    return 0;
}

static int model_renew(void *host, int model)
{
    struct policy_session *s = host;
    const struct model_infer *f = s->want.infer;
    struct session_model *m = (struct session_model *)session_model(s, model);
    if (!m || !m->own || !m->fresh)
        return -1;
    if (f->tap->trained && !f->tap->trained(f->tap->ctx, m->net))
        return 1;
    if (f->renew(f->ctx, m->net)) {
        err_set(&s->wrong_infer, ERR_EFAIL, "policy %s: %s as trained does not load: %s",
                session_who(s), f->name(f->ctx, m->net), why(f));
        return -1;
    }
    m->fresh = false;
    return 0;
}

void session_models(struct policy_host *face)
{
    face->model_train = model_train;
    face->model_renew = model_renew;
    face->model_open = model_open;
    face->infer = infer;
    face->model_update = model_update;
    face->model_close = model_close;
}

void session_models_close(struct policy_session *s)
{
    for (int i = 0; i < s->n_model; i++)
        model_close(s, i);
}
