#include "models/gpu/crossings.h"

#include <string.h>

#include "models/gpu/remote.h"
#include "models/stack.h"

struct paths { /* ps */
    sim_cost launch, copy, call, wake, complete;
};

static sim_cost before(const struct stack_cost *c)
{
    return c->cpu_before + c->wire_before;
}

static sim_cost after(const struct stack_cost *c)
{
    return c->cpu_after + c->wire_after;
}

static int read_paths(const char *name, struct machine_use *u, struct paths *p, struct err *e)
{
    struct stack_cost launch, copy, sync, complete;
    const struct stack *s = stack_find(name, e);
    if (!s)
        return e->code;
    int rc = stack_cost(s, STACK_launch, u, &launch, e);
    if (!rc)
        rc = stack_cost(s, STACK_copy, u, &copy, e);
    if (!rc)
        rc = stack_cost(s, STACK_sync, u, &sync, e);
    if (!rc)
        rc = stack_cost(s, STACK_complete, u, &complete, e);
    if (!rc)
        *p = (struct paths){.launch = before(&launch),
                            .copy = before(&copy),
                            .call = before(&sync),
                            .wake = after(&sync),
                            .complete = before(&complete)};
    return rc;
}

static int64_t more(sim_cost here, sim_cost there)
{
    return here >= there ? (int64_t)((here - there + 500) / 1000)
                         : -(int64_t)((there - here + 500) / 1000);
}

int gpu_crossings_read(struct gpu_crossings *x, struct machine_use *u, const char *stack,
                       const char *captured_under, bool polls, struct err *e)
{
    struct paths here, there;
    const char *to = stack ? stack : "native", *from = captured_under ? captured_under : "native";
    *x = (struct gpu_crossings){0};
    if (!strcmp(to, from))
        return 0;
    int rc = read_paths(to, u, &here, e);
    if (!rc)
        rc = read_paths(from, u, &there, e);
    if (rc)
        return rc;
    x->launch = more(here.launch, there.launch);
    x->copy = more(here.copy, there.copy);
    x->look = more(here.call, there.call) + more(here.complete, there.complete);
    x->answer = polls ? more(here.complete, there.complete) : more(here.wake, there.wake);
    struct remote_channel c;
    if (!strcmp(to, "kvm-remote") && !(rc = remote_channel_read(&c, REMOTE_TCP, u, e)))
        x->payload = c.byte;
    return rc;
}

int gpu_crossings_remote(struct gpu_crossings *x, enum remote_kind kind, uint32_t coalesce,
                         struct machine_use *u, struct err *e)
{
    struct remote_channel c;
    if (kind == REMOTE_NONE)
        return 0;
    int rc = remote_channel_read(&c, kind, u, e);
    if (rc)
        return rc;
    c.coalesce = coalesce;
    const sim_cost guest = remote_async(&c), server = remote_behind(&c);
    const int64_t call = more(guest > server ? guest : server, 0), sync = more(remote_sync(&c), 0);
    x->launch += call;
    x->copy += call;
    x->look += sync;
    x->answer += sync;
    x->payload += c.byte;
    return 0;
}

int gpu_crossings_allow(const struct gpu_setup *s, const char *stack, struct err *e)
{
    static const struct {
        const char *stack, *want;
        unsigned may;
    } says[] = {
        {"kvm-vgpu", "\"time-slice\", \"vgpu-equal\" or \"vgpu-fixed\"",
         1u << SHARING_TIME_SLICE | 1u << SHARING_VGPU_EQUAL | 1u << SHARING_VGPU_FIXED},
        {"kvm-mig", "\"mig\"", 1u << SHARING_MIG},
        {"kvm-mps", "\"mps\"", 1u << SHARING_MPS},
    };
    for (size_t i = 0; stack && i < sizeof says / sizeof *says; i++)
        if (!strcmp(says[i].stack, stack) && !(says[i].may & 1u << s->sharing))
            return err_set(e, ERR_ERANGE, "gpu.sharing: got \"%s\", want %s, for the stack is %s",
                           gpu_sharing_name(s->sharing), says[i].want, stack);
    if (stack && !strcmp(stack, "kvm-remote") && s->remote != REMOTE_NONE)
        return err_set(e, ERR_ERANGE, "gpu.remote: got \"%s\", want \"none\": the stack is %s",
                       remote_kind_names[s->remote], stack);
    return 0;
}
