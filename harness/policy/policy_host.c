#include "harness/policy/policy_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_session.h"
#include "models/mlaas/features.h"
#include "models/rounds/lp.h"

const char *session_who(const struct policy_session *s)
{
    return s->slot->label ? s->slot->label : s->slot->ops->name;
}

static void host_log(void *host, const char *line)
{
    struct policy_session *s = host;
    if (!line)
        line = "(null)";
    if (s->want.say)
        s->want.say(s->want.say_ctx, line);
    if (s->n_line < SESSION_LINES) {
        s->line[s->n_line] = strdup(line);
        s->at_call[s->n_line] = s->slot->calls ? s->slot->calls - 1 : 0;
    }
    s->n_line++;
}

void session_say(struct policy_session *s, const char *fmt, ...)
{
    char line[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    host_log(s, line);
}

static const char *last_words(void *ctx)
{
    const struct policy_session *s = ctx;
    uint64_t n = s->n_line < SESSION_LINES ? s->n_line : SESSION_LINES;
    return n ? s->line[n - 1] : NULL;
}

static uint64_t host_random(void *host)
{
    return rng_u64(&((struct policy_session *)host)->random);
}

static int host_lp(void *host, const struct policy_lp *program, double *x)
{
    (void)host;
    return lp_solve(program, x);
}

/* ---- parameters -------------------------------------------------------------- */

static const struct config *ask(struct policy_session *s, const char *name)
{
    size_t i = 0;
    while (i < s->n_asked && strcmp(s->asked[i], name))
        i++;
    if (i == s->n_asked && i < SESSION_ASKED && (s->asked[i] = strdup(name)))
        s->n_asked++;
    return s->want.params ? config_get(s->want.params, name) : NULL;
}

static double host_param(void *host, const char *name, double otherwise)
{
    struct policy_session *s = host;
    const struct config *c = ask(s, name);
    double v = otherwise;
    if (c && config_f64(c, -1e300, 1e300, &v, &s->wrong_input))
        return otherwise;
    return v;
}

static const char *host_param_text(void *host, const char *name, const char *otherwise)
{
    struct policy_session *s = host;
    const struct config *c = ask(s, name);
    const char *v = otherwise;
    if (c && config_str(c, &v, &s->wrong_input))
        return otherwise;
    return v;
}

static bool was_asked(const struct policy_session *s, const char *name)
{
    for (size_t i = 0; i < s->n_asked; i++)
        if (!strcmp(s->asked[i], name))
            return true;
    return false;
}

static void check_all_asked(struct policy_session *s)
{
    char list[256] = "none";
    for (size_t i = 0, at = 0; i < s->n_asked && at < sizeof list; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", s->asked[i]);
    size_t n = s->want.params ? config_count(s->want.params) : 0;
    for (size_t i = 0; i < n; i++) {
        const struct config *c = config_at(s->want.params, i);
        if (!was_asked(s, config_key(c)))
            err_set(&s->wrong_input, ERR_ENAME, "%s: policy %s has no such parameter; it has: %s",
                    config_path(c), session_who(s), list);
    }
}

/* ---- the session -------------------------------------------------------------- */

static void free_session(struct policy_session *s)
{
    for (size_t i = 0; i < s->n_asked; i++)
        free(s->asked[i]);
    for (size_t i = 0; i < SESSION_LINES; i++)
        free(s->line[i]);
    session_models_close(s);
    features_free(s->own_features);
    free(s);
}

int policy_host_open(struct policy_session **out, struct policy_slot *slot,
                     const struct policy_session_want *want, struct err *e)
{
    *out = NULL;
    struct policy_session *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_ENOMEM, "out of memory");
    s->slot = slot;
    s->want = *want;
    s->face = (struct policy_host){.host = s,
                                   .log = host_log,
                                   .random = host_random,
                                   .param = host_param,
                                   .param_text = host_param_text,
                                   .lp = host_lp};
    session_models(&s->face);
    session_store(&s->face);
    char stream[128]; /* the same policy at two hooks draws apart */
    snprintf(stream, sizeof stream, want->hook ? "%.64s@%s" : "%.64s", slot->ops->name, want->hook);
    rng_init(&s->random, want->seed, "policy", stream);
    policy_slot_create(slot, &s->face, last_words, s);
    if (slot->ejected == EJECT_NONE)
        check_all_asked(s);
    if (s->wrong_input.code) {
        int rc = err_set(e, s->wrong_input.code, "%s", s->wrong_input.msg);
        policy_slot_destroy(slot);
        free_session(s);
        return rc;
    }
    *out = s;
    return 0;
}

static void write_log(const struct policy_session *s)
{
    uint64_t kept = s->n_line < SESSION_LINES ? s->n_line : SESSION_LINES;
    for (uint64_t i = 0; i < kept; i++)
        if (s->line[i])
            measures_incident(s->slot->out, "log", session_who(s), 0, s->at_call[i], s->line[i]);
    if (kept == s->n_line)
        return;
    char more[64];
    snprintf(more, sizeof more, "and %llu more lines", (unsigned long long)(s->n_line - kept));
    measures_incident(s->slot->out, "log", session_who(s), 0, 0, more);
}

int policy_host_close(struct policy_session *s, struct err *e)
{
    if (!s)
        return 0;
    policy_slot_destroy(s->slot);
    if (s->slot->out)
        write_log(s);
    int rc = s->wrong_infer.code ? err_set(e, s->wrong_infer.code, "%s", s->wrong_infer.msg) : 0;
    free_session(s);
    return rc;
}
