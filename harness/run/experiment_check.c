/* experiment_check.c - everything that can be wrong, found before anything runs.
 *
 * Each distinct trace section, machine and policy of the sweep is checked
 * once, however many combinations share it.                                 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/run/setup.h"
#include "harness/base/textset.h"
#include "harness/run/named.h"
#include "harness/run/trial.h"
#include "models/machine.h"
#include "models/stack.h"

struct checked {
    struct textset machine, trace, nodes, named[NAMED_KINDS], policy; /* found to be good */
    struct textset heard; /* bindings that some combination asks */
    struct silent {
        char *binding;
        uint64_t combination;
        struct err why;
    } * silent; /* those that one does not */
    size_t n_silent;
};

/* What a model asks of the machine depends on its section and on the stack. */
static char *machine_question(const struct setup *s)
{
    char *machine = s->machine ? config_text(s->machine) : strdup("none");
    char *section = s->section ? config_text(s->section) : strdup("none");
    char *scale = s->scale ? config_text(s->scale) : strdup("");
    char *all = NULL;
    if (machine && section && scale &&
        asprintf(&all, "%s %s %s %s %s", s->model->name, s->stack ? s->stack : "", machine, scale,
                 section) < 0)
        all = NULL;
    free(scale);
    free(machine);
    free(section);
    return all;
}

static int check_machine(const struct experiment *x, const struct setup *s, struct checked *c,
                         struct err *e)
{
    struct machine *m = NULL;
    bool is_new;
    int rc = textset_add(&c->machine, machine_question(s), &is_new, e);
    if (rc || !is_new)
        return rc;
    rc = machines_get(x, s, &m, NULL, e);
    if (!rc && s->model->fits && (rc = s->model->fits(s->section, m, s->stack, e)))
        err_wrap(e, rc, "%s", x->file);
    machine_free(m);
    return rc;
}

/* Where one answers for all VMs, nothing may be about one of them. */
static int check_one_for_all(const struct setup *s, unsigned h, struct err *e)
{
    const struct life_setup *l = &s->life[h];
    bool each = l->n_per_vm || l->select || l->guard.every;
    for (uint32_t i = 0; i < l->n_step; i++)
        each |= l->step[i].vm != POLICY_NONE;
    if (!each || !(s->model->lives_one & 1u << h))
        return 0;
    return err_set(e, ERR_ENAME,
                   "%s: in model \"%s\" one policy answers here for all VMs: want steps without a "
                   "\"vm\", and no \"per_vm\", \"select\" or \"guard\"",
                   config_path(l->at), s->model->name);
}

/* What the steps of policies' lives ask of the machine and the stack. */
static int check_lives(const struct experiment *x, const struct setup *s, struct err *e)
{
    int rc = 0;
    for (unsigned h = 0; h < POLICY_HOOKS_N && !rc; h++) {
        const struct life_setup *l = &s->life[h];
        struct machine *m = NULL;
        struct machine_use use = {0};
        struct life_costs k;
        if (!(l->n_step || l->select || l->guard.every || l->n_per_vm) ||
            !(s->model->lives & 1u << h)) /* the latter: check_policy says so */
            continue;
        rc = check_one_for_all(s, h, e);
        if (!rc)
            rc = machines_get(x, s, &m, NULL, e);
        if (!rc && !m && (l->n_step || l->select || l->guard.every))
            rc = err_set(e, ERR_ENAME,
                         "%s: steps take time of a \"machine\", and the experiment names none",
                         config_path(l->at));
        if (!rc && m)
            rc = machine_use_begin(&use, m, e);
        if (!rc && m &&
            (rc = life_costs(&k, l->step, l->n_step, l->select,
                             stack_find(s->stack ? s->stack : "native", e), &use, e)))
            err_wrap(e, rc, "%s", config_path(l->at));
        machine_use_end(&use);
        machine_free(m);
    }
    return rc;
}

/* Is there a trace when there must be one, and none where the section says what comes? */
static int check_trace_wanted(const struct experiment *x, const struct setup *s, struct err *e)
{
    const struct model_ops *m = s->model;
    char names[80];
    if (!s->trace && m->needs_rows)
        return err_set(e, ERR_ENAME, "%s: model \"%s\" needs %s (\"trace\": ...)", x->file, m->name,
                       trace_tables_text(m->rows, names));
    if (!s->trace && m->needs_requests)
        return err_set(e, ERR_ENAME, "%s: model \"%s\" needs requests (\"trace\": ...)", x->file,
                       m->name);
    return m->trace ? m->trace(s->section, s->trace != NULL, e) : 0;
}

/* The machines of a cluster are a trace of their own. */
static int check_nodes(const struct experiment *x, const struct setup *s, struct checked *c,
                       struct err *e)
{
    bool is_new;
    enum trace_table table;
    if (!s->nodes && s->model->needs_nodes)
        return err_set(e, ERR_ENAME,
                       "%s: model \"%s\" needs the machines of a cluster (\"nodes\": ...)", x->file,
                       s->model->name);
    if (!s->nodes)
        return 0;
    if (!s->model->nodes)
        return err_set(e, ERR_ENAME, "%s: model \"%s\" takes no nodes", config_path(s->nodes),
                       s->model->name);
    int rc = textset_add(&c->nodes, config_text(s->nodes), &is_new, e);
    if (rc || !is_new)
        return rc;
    return trace_rows_check(s->nodes, 1u << TRACE_NODES, &x->where, &table, e);
}

static int check_trace(const struct experiment *x, const struct setup *s, struct checked *c,
                       struct err *e)
{
    bool is_new;
    enum trace_table table;
    int rc = check_trace_wanted(x, s, e);
    if (rc || !s->trace)
        return rc;
    char *text = config_text(s->trace), *question = NULL; /* two models may want other tables */
    if (text && asprintf(&question, "%x %s", setup_tables(s), text) < 0)
        question = NULL;
    free(text);
    rc = textset_add(&c->trace, question, &is_new, e);
    if (rc || !is_new)
        return rc;
    return s->model->rows ? trace_rows_check(s->trace, setup_tables(s), &x->where, &table, e)
                          : trace_source_check(s->trace, &x->where, e);
}

/* A policy is tried out in a process of its own, where it may crash or hang:
 * that is for the guard to handle in the trial.  What comes back is what is
 * wrong with the input: no such policy, another ABI, an unknown parameter.  */
#define TRY_S 5

static void try_policy(const struct experiment *x, const struct setup *s, unsigned slot, int out)
{
    struct trial_tools tools = {.backend = INFER_CPU};
    struct err e = {0};
    alarm(TRY_S);
    if (trial_policy_check(x, s, slot, &tools, &e) && write(out, &e, sizeof e) != (ssize_t)sizeof e)
        _exit(1);
    _exit(0);
}

static int check_policy_apart(const struct experiment *x, const struct setup *s, unsigned slot,
                              struct err *e)
{
    int pipes[2];
    struct err told = {0};
    if (pipe(pipes))
        return err_set(e, ERR_EFAIL, "trying a policy: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        try_policy(x, s, slot, pipes[1]);
    close(pipes[1]);
    ssize_t n = 0, got = 0;
    while (pid > 0 && (size_t)got < sizeof told &&
           (n = read(pipes[0], (char *)&told + got, sizeof told - (size_t)got)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        got += n > 0 ? n : 0;
    }
    close(pipes[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0)
        return err_set(e, ERR_EFAIL, "trying a policy: %s", strerror(errno));
    told.msg[sizeof told.msg - 1] = '\0';
    return got == (ssize_t)sizeof told ? err_set(e, told.code, "%s", told.msg) : 0;
}

/* Where policies (even bits) and oracles have no say here. */
static unsigned long mutes(const struct setup *s)
{
    unsigned long set = 0;
    for (int i = 0; i < 2 * POLICY_HOOKS_N && s->model->mute; i++)
        if (s->model->hooks >> i / 2 & 1 &&
            s->model->mute(s->section, (enum policy_hook)(i / 2), i % 2))
            set |= 1ul << i;
    return set;
}

/* A sweep crosses what goes together only in part: a policy that one combination leaves without a
 * say may have it in another.  Takes over binding. */
static int keep_silent(struct checked *c, char *binding, uint64_t combination,
                       const struct err *why, struct err *e)
{
    struct silent *more = realloc(c->silent, (c->n_silent + 1) * sizeof *more);
    if (!more) {
        free(binding);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    c->silent = more;
    c->silent[c->n_silent++] = (struct silent){binding, combination, *why};
    return 0;
}

static int check_binding(const struct experiment *x, uint64_t combination, const struct setup *s,
                         unsigned slot, char *binding, struct checked *c, struct err *e)
{
    struct err why = {0};
    bool is_new;
    const int rc = check_policy_apart(x, s, slot, &why);
    if (!rc)
        return textset_add(&c->heard, binding, &is_new, e);
    if (rc == ERR_EMUTE)
        return keep_silent(c, binding, combination, &why, e);
    free(binding);
    return err_set(e, rc, "%s", why.msg);
}

static bool is_heard(const struct checked *c, const char *binding)
{
    for (size_t i = 0; i < c->heard.n; i++)
        if (!strcmp(c->heard.text[i], binding))
            return true;
    return false;
}

static int check_policy(const struct experiment *x, uint64_t combination, const struct setup *s,
                        struct checked *c, struct err *e)
{
    int rc = 0;
    for (unsigned i = 0; i < POLICY_SLOTS && !rc; i++) {
        char *text = s->policy[i].name ? config_text(s->policy[i].at) : NULL;
        char *binding = NULL, *question = NULL;
        bool is_new;
        if (!s->policy[i].name)
            continue;
        if (text && asprintf(&binding, "%s %u %s", s->model->name, i, text) < 0)
            binding = NULL;
        if (binding && asprintf(&question, "%lx %s", mutes(s), binding) < 0)
            question = NULL;
        free(text);
        rc = textset_add(&c->policy, question, &is_new, e);
        if (rc || !is_new)
            free(binding);
        else
            rc = check_binding(x, combination, s, i, binding, c, e);
    }
    return rc;
}

/* What the model would not look at: it would seem to have mattered. */
static int check_unread(const struct setup *s, const struct config *doc, struct err *e)
{
    const struct model_ops *m = s->model;
    const struct {
        const char *key;
        bool unread;
    } each[] = {{"stack", !m->stacks},      {"machine", !m->fits},
                {"scale", !m->fits},        {"policy", !m->hooks},
                {"policies", !m->hooks},    {"trace", !m->needs_requests && !m->rows},
                {"programs", !m->programs}, {"tables", !m->tables}};
    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        const struct config *at = config_get(doc, each[i].key);
        if (at && each[i].unread)
            return err_set(e, ERR_ENAME, "%s: model \"%s\" takes no %s", config_path(at), m->name,
                           each[i].key);
    }
    return 0;
}

static int check_one(const struct experiment *x, uint64_t combination, struct checked *c,
                     struct err *e)
{
    struct config *doc;
    struct setup s;
    int rc = experiment_combination(x, combination, &doc, e);
    if (rc)
        return rc;
    rc = setup_read(&s, doc, e);
    if (!rc && s.stack && !stack_find(s.stack, e))
        rc = err_wrap(e, ERR_ENAME, "%s", config_path(config_get(doc, "stack")));
    if (!rc)
        rc = check_unread(&s, doc, e);
    if (!rc)
        rc = s.model->check(s.section, e);
    if (!rc)
        rc = check_machine(x, &s, c, e);
    if (!rc)
        rc = check_lives(x, &s, e);
    if (!rc)
        rc = check_trace(x, &s, c, e);
    if (!rc)
        rc = check_nodes(x, &s, c, e);
    if (!rc)
        rc = named_check(NAMED_PROGRAMS, &s, &x->where, &c->named[NAMED_PROGRAMS], e);
    if (!rc)
        rc = named_check(NAMED_TABLES, &s, &x->where, &c->named[NAMED_TABLES], e);
    if (!rc)
        rc = check_policy(x, combination, &s, c, e);
    config_free(doc);
    return rc;
}

static int say_where(const struct experiment *x, uint64_t combination, int rc, struct err *e)
{
    char with[160];
    if (!x->n_axis)
        return rc;
    experiment_describe(x, combination, with, sizeof with);
    return err_wrap(e, rc, "with %s", with);
}

int experiment_check(const struct experiment *x, struct err *e)
{
    struct checked c = {0};
    int rc = 0;
    for (uint64_t i = 0; i < x->combinations && !rc; i++)
        if ((rc = check_one(x, i, &c, e)))
            say_where(x, i, rc, e);
    for (size_t i = 0; i < c.n_silent; i++) {
        const struct silent *s = &c.silent[i];
        if (!rc && !is_heard(&c, s->binding))
            rc = say_where(x, s->combination, err_set(e, ERR_EMUTE, "%s", s->why.msg), e);
        free(s->binding);
    }
    free(c.silent);
    textset_free(&c.machine);
    textset_free(&c.trace);
    textset_free(&c.nodes);
    for (int k = 0; k < NAMED_KINDS; k++)
        textset_free(&c.named[k]);
    textset_free(&c.policy);
    textset_free(&c.heard);
    return rc;
}
