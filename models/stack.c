/* stack.c - finding a stack's path and adding up what it costs. */
#include "models/stack.h"

#include <assert.h>
#include <string.h>

#include "models/stack_table.h"

static const struct {
    const char *name, *about;
} paths[] = {
#define X(name, what) {#name, what},
    STACK_PATHS(X)
#undef X
};

const char *stack_path_name(enum stack_path_id p)
{
    return paths[p].name;
}

const char *stack_path_about(enum stack_path_id p)
{
    return paths[p].about;
}

const char *stack_where_name(enum stack_where w)
{
    static const char *const names[] = {"guest cpu", "host cpu", "wire", "gpu"};
    return names[w];
}

const char *stack_kind_name(enum stack_kind k)
{
#define X(name, what) #name,
    static const char *const names[] = {STACK_KINDS(X)};
#undef X
    return names[k];
}

const struct stack *stack_at(size_t i)
{
    return i < stack_table_n ? &stack_table[i] : NULL;
}

const struct stack *stack_without(size_t i)
{
    return i < stack_ablation_n ? &stack_ablation[i] : NULL;
}

bool stack_pays(const struct stack *s, enum stack_path_id p, const char *cost)
{
    const struct stack_path *path = &s->path[p];
    for (size_t i = 0; i < path->n; i++)
        if (path->crossing[i].cost && !strcmp(path->crossing[i].cost, cost))
            return true;
    return false;
}

bool stack_in_vm(const struct stack *s)
{
    const struct stack_path *path = &s->path[STACK_syscall];
    return path->n && path->crossing[0].where == WHERE_GUEST_CPU;
}

bool stack_own_work(const struct stack_crossing *c)
{
    return c->cost &&
           (!strcmp(c->cost, "cost.request_parse") || !strcmp(c->cost, "cost.token_emit"));
}

const struct stack *stack_find(const char *name, struct err *e)
{
    for (size_t i = 0; i < stack_table_n; i++)
        if (!strcmp(stack_table[i].name, name))
            return &stack_table[i];
    for (size_t i = 0; i < stack_ablation_n; i++)
        if (!strcmp(stack_ablation[i].name, name))
            return &stack_ablation[i];
    if (strncmp(name, STACK_WITHOUT, strlen(STACK_WITHOUT)))
        err_set(e, ERR_ENAME, "no stack \"%s\", want one of " STACK_NAMES, name);
    else
        err_set(e, ERR_ENAME,
                "no stack \"%s\", want " STACK_WITHOUT
                "micro-lake, -microkernel, -gpu-virtualization or -mlaas",
                name);
    return NULL;
}

int stack_path_find(const char *name, enum stack_path_id *p, struct err *e)
{
    for (int i = 0; i < STACK_PATHS_N; i++)
        if (!strcmp(paths[i].name, name)) {
            *p = (enum stack_path_id)i;
            return 0;
        }
#define X(path, what) " " #path
    return err_set(e, ERR_ENAME, "no path \"%s\", want one of" STACK_PATHS(X), name);
#undef X
}

/* Adds one crossing of known cost; after: the GPU work lies behind. */
static void add(struct stack_cost *out, const struct stack_crossing *c, sim_cost ps, bool after)
{
    out->kind_n[c->kind]++;
    out->kind_ps[c->kind] += ps;
    if (c->where == WHERE_GPU)
        *(strcmp(c->cost, "gpu.timeslice") ? &out->gpu_switch : &out->gpu_slice) += ps;
    else if (c->where == WHERE_WIRE)
        *(after ? &out->wire_after : &out->wire_before) += ps;
    else {
        *(after ? &out->cpu_after : &out->cpu_before) += ps;
        out->os += stack_own_work(c) ? 0 : ps;
    }
}

int stack_cost(const struct stack *s, enum stack_path_id p, struct machine_use *u,
               struct stack_cost *out, struct err *e)
{
    const struct stack_path *path = &s->path[p];
    *out = (struct stack_cost){.crossings = (uint32_t)path->n};
    if (!path->exists)
        return err_set(e, ERR_ENAME, "stack \"%s\" has no path %s", s->name, paths[p].name);
    bool after = false;
    for (size_t i = 0; i < path->n; i++) {
        const struct stack_crossing *c = &path->crossing[i];
        if (!c->cost) { /* the GPU work itself: the caller knows how long it is */
            assert(c->where == WHERE_GPU && !after);
            after = true;
            continue;
        }
        sim_cost ps = 0;
        int rc = machine_ps(u, c->cost, &ps, e);
        if (rc)
            return rc;
        add(out, c, ps, after);
    }
    return 0;
}

static int explain_one(const struct machine *m, struct stack_row r,
                       void (*row)(void *, const struct stack_row *), void *ctx, struct err *e)
{
    const struct stack_path *path = &r.stack->path[r.path];
    for (size_t i = 0; i < path->n; i++) {
        r.crossing = &path->crossing[i];
        r.cost = r.crossing->cost ? machine_find(m, r.crossing->cost) : NULL;
        if (r.crossing->cost && !r.cost)
            return err_set(e, ERR_ENAME,
                           "machine \"%s\" has no \"%s\", which stack \"%s\" pays on path %s",
                           m->name, r.crossing->cost, r.stack->name, paths[r.path].name);
        row(ctx, &r);
    }
    return 0;
}

int stack_explain(const struct machine *m, enum stack_path_id p,
                  void (*row)(void *ctx, const struct stack_row *r), void *ctx, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < stack_table_n; i++)
        if (stack_table[i].path[p].exists)
            rc = explain_one(m, (struct stack_row){.path = p, .stack = &stack_table[i]}, row, ctx,
                             e);
    return rc;
}
