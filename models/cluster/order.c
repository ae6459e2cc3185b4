/* order.c - keys: when the policy is asked for one, and what it is shown. */
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

void order_look(struct cluster *s, struct job *j)
{
    if (j->state == JOB_RUNS)
        run_settle(s, j);
    j->seen.running = j->state == JOB_RUNS;
}

static uint32_t part_micro(uint64_t used, uint64_t all)
{
    return all ? (uint32_t)((wide)used * 1000000 / all) : 0;
}

static uint32_t share_micro(const struct cluster *s, uint32_t owner)
{
    const struct owner *o = &s->owner[owner];
    const uint32_t gpus = part_micro(o->used, hosts_milli(s));
    const uint32_t cpu = part_micro(o->cpu_milli, hosts_cpu(s));
    const uint32_t mem = part_micro(o->mem_bytes, hosts_mem(s));
    const uint32_t most = gpus > cpu ? gpus : cpu;
    return most > mem ? most : mem;
}

static void follow(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    struct owner *o = &s->owner[j->owner];
    if (j->sharing)
        return;
    if (o->n == o->cap) {
        uint32_t cap = o->cap ? 2 * o->cap : 16;
        uint32_t *more = realloc(o->follows, cap * sizeof *more);
        if (!more) {
            cluster_no_memory(s);
            return;
        }
        o->follows = more;
        o->cap = cap;
    }
    o->follows[o->n++] = slot;
    j->sharing = o->n;
}

void order_unfollow(struct cluster *s, struct job *j)
{
    struct owner *o = &s->owner[j->owner];
    if (!j->sharing)
        return;
    o->follows[j->sharing - 1] = o->follows[--o->n];
    s->job[o->follows[j->sharing - 1]].sharing = j->sharing;
    j->sharing = 0;
}

void order_forget(struct cluster *s, struct job *j)
{
    if (j->ask)
        sim_cancel(s->sim, j->ask);
    j->ask = 0;
    order_unfollow(s, j);
}

static void again(void *ctx, uint64_t slot)
{
    struct cluster *s = ctx;
    struct job *j = &s->job[slot];
    j->ask = 0;
    order_look(s, j);
    const bool served = j->at_service_ns && j->seen.service_ns >= j->at_service_ns;
    order_ask(s, (uint32_t)slot, served ? POLICY_SERVED : POLICY_LATER);
}

void order_book(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    const sim_time now = sim_now(s->sim);
    sim_time at = j->ask_at ? j->ask_at : SIM_NEVER;
    if (j->ask)
        sim_cancel(s->sim, j->ask);
    j->ask = 0;
    if (j->state == JOB_RUNS && j->given && j->at_service_ns > j->seen.service_ns) {
        const uint64_t left = j->at_service_ns - j->seen.service_ns;
        const sim_time then = j->settled + (left + j->given - 1) / j->given;
        at = then < at ? then : at;
    }
    if (at != SIM_NEVER)
        j->ask = sim_at(s->sim, at > now ? at : now, 0, again, s, slot);
}

/* Where its key says; one that comes is in no line yet. */
static void place(struct cluster *s, uint32_t slot, bool same)
{
    struct job *j = &s->job[slot];
    const bool now = s->asked_why == POLICY_NEW || s->asked_why == POLICY_BACK;
    if (j->comes && now) {
        j->comes = false;
        s->coming--;
        line_push(s, slot);
    } else if (!same && !j->comes) {
        if (j->state == JOB_RUNS)
            ran_rekey(s, slot);
        else
            line_rekey(s, slot);
    }
}

void order_turn(struct cluster *s, uint32_t slot, uint64_t id)
{
    struct job *j = &s->job[slot];
    if (j->seen.id != id)
        return; /* it has ended */
    j->queued = false;
    order_look(s, j);
    const struct policy_order_obs o = {
        .job = j->seen,
        .cluster = {.now_ns = sim_now(s->sim),
                    .waiting = s->waiting,
                    .running = s->running,
                    .gpu_milli = hosts_milli(s),
                    .gpu_milli_free = hosts_free(s)},
        .why = j->why,
        .user_micro = share_micro(s, j->owner),
        .key = j->why == POLICY_NEW ? 0 : j->key,
    };
    s->asked_why = j->why;
    s->asked_at = o.cluster.now_ns;
    j->asked = j->ticket;
    policy_slot_order(policy_life_of(s->life, j->asked.version), &o, &s->answer);
    s->n.asks++;
}

static void apply(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    static const struct policy_order none = {0};
    const struct policy_order answer = s->ejected ? none : s->answer;
    const int64_t before = j->key;
    j->key = answer.key;
    j->predicted_ns = answer.predicted_ns ? answer.predicted_ns : j->seen.predicted_ns;
    j->at_service_ns = answer.at_service_ns;
    j->ask_at = answer.after_ns ? s->asked_at + answer.after_ns : 0;
    place(s, slot, before == j->key);
    if (answer.follows_sharing && j->state == JOB_WAITS)
        follow(s, slot);
    else if (!answer.follows_sharing)
        order_unfollow(s, j);
    order_book(s, slot);
}

/* Whoever answers now was put out. */
static bool put_out(const struct cluster *s)
{
    const struct policy_slot *p = policy_life_slot(s->life, 0);
    return p && p->ejected != EJECT_NONE;
}

void order_answered(struct cluster *s, uint32_t slot, uint64_t id)
{
    struct job *j = &s->job[slot];
    const bool here = j->seen.id == id;
    if (here) {
        policy_life_answered(s->life, 0, &j->asked);
        apply(s, slot);
    }
    if (!s->ejected && put_out(s))
        order_ejected(s);
    policy_life_watch(s->life, 0);
    if (here && policy_life_stale(s->life, 0, j->asked.version))
        order_ask(s, slot, POLICY_LATER);
    cluster_wake(s);
}

/* A number for a question that may outlive its job. */
static uint64_t held_as(const struct cluster *s, uint32_t slot)
{
    return s->job[slot].seen.id << 32 | slot;
}

static void put(struct cluster *s, uint32_t slot);

/* The step of the policy's life that held the question back is over. */
static void put_again(void *ctx, uint64_t held)
{
    struct cluster *s = ctx;
    struct policy_ticket gone = {.state = TICKET_HELD};
    if (held_as(s, (uint32_t)held) == held)
        put(s, (uint32_t)held);
    else if (policy_life_ask(s->life, 0, &gone, put_again, s, held))
        policy_life_answered(s->life, 0, &gone);
}

static void put(struct cluster *s, uint32_t slot)
{
    struct job *j = &s->job[slot];
    if (policy_life_ask(s->life, 0, &j->ticket, put_again, s, held_as(s, slot)) &&
        !desk_put(s->desk, slot, j->seen.id))
        cluster_no_memory(s);
}

void order_ask(struct cluster *s, uint32_t slot, unsigned why)
{
    struct job *j = &s->job[slot];
    const bool comes = why == POLICY_NEW || why == POLICY_BACK;
    s->coming += comes;
    j->comes |= comes;
    if (comes || !j->queued)
        j->why = why;
    j->at_service_ns = j->ask_at = 0; /* the next answer says */
    if (j->ask)
        sim_cancel(s->sim, j->ask);
    j->ask = 0;
    if (j->queued)
        return;
    j->queued = true;
    j->ticket = (struct policy_ticket){.size = j->seen.gpus};
    put(s, slot);
}

void order_gone(struct cluster *s, struct job *j)
{
    if (j->queued && j->ticket.state == TICKET_OPEN)
        policy_life_answered(s->life, 0, &j->ticket);
    if (j->asked.state == TICKET_OPEN)
        policy_life_answered(s->life, 0, &j->asked);
}

void order_changed(void *ctx, uint32_t vm)
{
    struct cluster *s = ctx;
    (void)vm;
    s->ejected = put_out(s);
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->job[i].seen.id && !s->job[i].queued && s->job[i].asked.state != TICKET_OPEN)
            order_ask(s, i, POLICY_LATER);
}

void order_shares(struct cluster *s)
{
    s->unsettled = false;
    for (uint32_t i = 0; i < s->n_owners; i++) {
        struct owner *o = &s->owner[i];
        if (!o->stale)
            continue;
        o->stale = false;
        /* An answer may take its job off the list: from the end. */
        for (uint32_t k = o->n; k-- > 0 && !s->ejected;)
            if (k < o->n)
                order_ask(s, o->follows[k], POLICY_SHARED);
    }
}

/* Keys given before do not mix with the default's. */
void order_ejected(struct cluster *s)
{
    s->ejected = true;
    for (uint32_t i = 0; i < s->n_slots; i++) {
        struct job *j = &s->job[i];
        if (!j->seen.id)
            continue;
        j->key = 0;
        j->predicted_ns = j->seen.predicted_ns;
        j->at_service_ns = j->ask_at = 0;
        order_forget(s, j);
    }
    line_rebuild(s);
}
