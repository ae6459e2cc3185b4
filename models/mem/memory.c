#include "models/mem/memory.h"

#include <assert.h>

static const struct memory_part *const parts[] = {&memory_cache, &memory_tiers, &memory_walk};
enum { PARTS = sizeof parts / sizeof *parts };

struct section {
    const struct config *accesses, *cache, *tiers, *walk;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    uint64_t window;
};

static const struct config_field fields[] = {CONFIG_ANY(struct section, accesses, false),
                                             CONFIG_ANY(struct section, cache, false),
                                             CONFIG_ANY(struct section, tiers, false),
                                             CONFIG_ANY(struct section, walk, false),
                                             CONFIG_STR(struct section, label, false),
                                             CONFIG_U64(struct section, window, 0, 1 << 28, false),
                                             CONFIG_END};

struct setup {
    const struct memory_part *part;
    const struct config *section; /* the part's */
    struct mem_pattern pattern;
    bool has_pattern;
    uint64_t window;
};

static int read_setup(const struct config *c, struct setup *s, struct err *e)
{
    struct section t = {.window = MEMORY_WINDOW};
    int rc = config_fill(c, fields, &t, e);
    if (rc)
        return rc;
    *s = (struct setup){.window = t.window, .has_pattern = t.accesses};
    for (int i = 0; i < PARTS; i++) {
        const struct config *mine = config_get(c, parts[i]->name);
        if (mine && s->part)
            return config_complain(mine, e, "only one of \"cache\", \"tiers\", \"walk\"");
        if (mine)
            s->part = parts[i], s->section = mine;
    }
    if (!s->part)
        return config_complain(c, e, "one of \"cache\", \"tiers\", \"walk\"");
    if (t.accesses)
        rc = mem_pattern_config(t.accesses, &s->pattern, e);
    return rc ? rc : s->part->check(s->section, e);
}

static int memory_check(const struct config *c, struct err *e)
{
    struct setup s;
    return read_setup(c, &s, e);
}

static int memory_fits(const struct config *c, const struct machine *m, const char *stack,
                       struct err *e)
{
    (void)stack;
    struct setup s;
    struct machine_use use;
    int rc = read_setup(c, &s, e);
    if (rc)
        return rc;
    if (!m && s.part->needs_machine)
        return err_set(e, ERR_ENAME,
                       "memory.%s: got no \"machine\" in the experiment, want one for its costs",
                       s.part->name);
    if (!m || !s.part->fits)
        return 0;
    rc = machine_use_begin(&use, m, e);
    if (rc)
        return rc;
    rc = s.part->fits(s.section, &use, e);
    machine_use_end(&use);
    return rc;
}

static int run_part(const struct setup *s, const struct model_env *env, struct measures *out,
                    struct err *e)
{
    struct machine_use use = {0};
    struct memory_run r = {.section = s->section,
                           .env = env,
                           .pattern = s->has_pattern ? &s->pattern : NULL,
                           .window = s->window,
                           .use = &use,
                           .out = out};
    int rc = env->machine ? machine_use_begin(&use, env->machine, e) : 0;
    if (rc)
        return rc;
    rc = s->part->run(&r, e);
    if (env->machine && !rc)
        machine_use_report(&use, out);
    machine_use_end(&use);
    return rc;
}

static int memory_trace(const struct config *section, bool given, struct err *e)
{
    struct setup s;
    int rc = read_setup(section, &s, e);
    if (rc || !s.part->needs_accesses)
        return rc;
    if (!s.has_pattern && !given)
        return config_complain(section, e, "\"accesses\", or a trace of pages in the experiment");
    if (s.has_pattern && given)
        return config_complain(config_get(section, "accesses"), e,
                               "none: the experiment's trace says what is accessed");
    return 0;
}

static int memory_run(const struct config *section, const struct model_env *env,
                      struct measures *out, struct err *e)
{
    struct setup s;
    int rc = memory_trace(section, env->rows != NULL, e);
    if (!rc)
        rc = read_setup(section, &s, e);
    return rc ? rc : run_part(&s, env, out, e);
}

static void share(struct measures *out, const char *name, double part, double all)
{
    measures_number(out, name, "1", BETTER_NONE, all > 0 ? part / all : 0);
}

void memory_time_report(const struct memory_time *t, struct measures *out)
{
    double all = t->compute + t->memory + t->walk + t->queue + t->migrate + t->io + t->infer;
    measures_number(out, "time", "s", BETTER_LESS, all / 1e9);
    share(out, "share.compute", t->compute, all);
    share(out, "share.memory", t->memory, all);
    share(out, "share.walk", t->walk, all);
    share(out, "share.queue", t->queue, all);
    share(out, "share.migrate", t->migrate, all);
    share(out, "share.io", t->io, all);
    share(out, "share.infer", t->infer, all);
}

static const char *mute(const struct config *section, enum policy_hook hook, bool oracle)
{
    struct setup s;
    struct err ignored = {0};
    (void)oracle;
    if (read_setup(section, &s, &ignored) || s.part->asks(s.section, hook))
        return NULL;
    return hook == POLICY_HOOK_MEM_PLACE ? "none: only \"tiers\" places regions"
           : hook == POLICY_HOOK_MEM_EVICT
               ? "none: only a \"cache\" evicts"
               : "none: only a \"cache\" with \"readahead\" reads ahead";
}

const struct model_ops model_memory = {
    .name = "memory",
    .summary = "page caches, tiers of memory and address translation, driven by page accesses",
    .check = memory_check,
    .fits = memory_fits,
    .rows = 1u << TRACE_PAGES,
    .trace = memory_trace,
    .hooks =
        1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE | 1u << POLICY_HOOK_MEM_READAHEAD,
    .lives =
        1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE | 1u << POLICY_HOOK_MEM_READAHEAD,
    .lives_one =
        1u << POLICY_HOOK_MEM_EVICT | 1u << POLICY_HOOK_MEM_PLACE | 1u << POLICY_HOOK_MEM_READAHEAD,
    .mute = mute,
    .headline = "miss_ratio,writebacks,readahead_used,latency_mean,tier0_share,migrations,slowdown,"
                "walk,time",
    .run = memory_run,
};
