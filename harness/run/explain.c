/* explain.c - the crossings of a path as a table or as JSON. */
#include "harness/run/explain.h"

#include <string.h>

#include "harness/base/fmt.h"
#include "models/stack.h"

struct printer {
    FILE *out;
    bool json, comma;
    enum stack_path_id path;
    const struct stack *stack; /* of the last row */
    double total_ns;           /* of its crossings */
    double shared_ns;          /* more when tenants use the GPU */
};

static double ns_of(const struct machine_cost *c)
{
    return c->value / 1e3;
}

static void total(struct printer *p)
{
    if (!p->stack)
        return;
    fprintf(p->out, "  %-10s %10.1f ns  all crossings", p->stack->name, p->total_ns);
    if (p->shared_ns > 0)
        fprintf(p->out, "; up to %.1f ns more while tenants use the GPU", p->shared_ns);
    fputs("\n", p->out);
    p->stack = NULL;
}

static void begin_stack(struct printer *p, const struct stack *s)
{
    if (p->stack == s)
        return;
    total(p);
    p->stack = s;
    p->total_ns = p->shared_ns = 0;
}

static void text_row(void *ctx, const struct stack_row *r)
{
    struct printer *p = ctx;
    begin_stack(p, r->stack);
    const struct machine_cost *c = r->cost;
    if (!c) {
        fprintf(p->out, "  %-10s %13s  %-9s  %s\n", r->stack->name, "by its size", "gpu",
                r->crossing->what);
        return;
    }
    *(r->crossing->where == WHERE_GPU ? &p->shared_ns : &p->total_ns) += ns_of(c);
    fprintf(p->out, "  %-10s %10.1f ns  %-9s  %s\n  %-10s %13s  %-9s  %s, %s: %s\n", r->stack->name,
            ns_of(c), stack_where_name(r->crossing->where), r->crossing->what, "", "", "", c->name,
            evidence_name(c->evidence), c->source);
}

static void member(FILE *f, const char *key, const char *value)
{
    fprintf(f, ",\"%s\":", key);
    if (value)
        json_string(f, value);
    else
        fputs("null", f);
}

static void json_row(void *ctx, const struct stack_row *r)
{
    struct printer *p = ctx;
    fprintf(p->out, "%s\n{\"path\":", p->comma ? "," : "");
    p->comma = true;
    json_string(p->out, stack_path_name(r->path));
    member(p->out, "stack", r->stack->name);
    member(p->out, "what", r->crossing->what);
    member(p->out, "where", stack_where_name(r->crossing->where));
    member(p->out, "kind", stack_kind_name(r->crossing->kind));
    member(p->out, "cost", r->crossing->cost);
    fputs(",\"ns\":", p->out);
    if (r->cost)
        json_number(p->out, ns_of(r->cost));
    else
        fputs("null", p->out);
    member(p->out, "evidence", r->cost ? evidence_name(r->cost->evidence) : NULL);
    member(p->out, "source", r->cost ? r->cost->source : NULL);
    fputs("}", p->out);
}

/* Stacks without a single row are told apart: nothing to pay, or no such way. */
static void empty_stacks(const struct printer *p)
{
    for (size_t i = 0; stack_at(i); i++) {
        const struct stack *s = stack_at(i);
        if (!s->path[p->path].exists)
            fprintf(p->out, "  %-10s no such path\n", s->name);
        else if (!s->path[p->path].n)
            fprintf(p->out, "  %-10s %10.1f ns  no crossing\n", s->name, 0.0);
    }
}

static int one_path(struct printer *p, const struct machine *m, enum stack_path_id id,
                    struct err *e)
{
    p->path = id;
    if (!p->json)
        fprintf(p->out, "%s: %s (machine %s)\n", stack_path_name(id), stack_path_about(id),
                m->name);
    int rc = stack_explain(m, id, p->json ? json_row : text_row, p, e);
    if (rc || p->json)
        return rc;
    total(p);
    empty_stacks(p);
    fputs("\n", p->out);
    return 0;
}

int explain_print(const struct machine *m, const char *path, bool json, FILE *out, struct err *e)
{
    struct printer p = {.out = out, .json = json};
    bool all = !strcmp(path, "all"), any = false;
    size_t n = strlen(path);
    int rc = 0;
    for (int id = 0; !rc && id < STACK_PATHS_N; id++)
        if (all || (n && !strncmp(stack_path_name((enum stack_path_id)id), path, n))) {
            if (json && !any)
                fputs("[", out);
            any = true;
            rc = one_path(&p, m, (enum stack_path_id)id, e);
        }
    if (!any) {
        enum stack_path_id unused;
        return stack_path_find(path, &unused, e); /* the complaint lists them */
    }
    if (json && !rc)
        fputs("\n]\n", out);
    return rc;
}
