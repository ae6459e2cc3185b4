/* gang.c - tasks of one gang run at the same time.
 *
 * Time is cut into slots that begin at the same moment on every CPU; each slot
 * belongs to a gang, in turn, and CPUs run that gang's tasks if they have one,
 * else whoever waited longest.  Good for guests whose vCPUs wait for each other
 * with locks and barriers: nobody spins for a holder that is not running.  It
 * pays with latency: a task that wakes outside its gang's slot waits for it,
 * and a slot in which half a gang sleeps is only filled by what is at hand.
 *
 * Source: Ousterhout, "Scheduling Techniques for Concurrent Systems" (1982).
 *
 * Parameters
 *   slot_ms  (6)                                                             */
#include "policy.h"
#include "sched_tasks.h"

enum { GANGS_MAX = 1024 }; /* more share slots */

struct gang {
    struct sched *s;
    uint64_t slot; /* its number since the start; the gang below has it */
    uint32_t turn, n;
    uint32_t id[GANGS_MAX];
    unsigned char seen[GANGS_MAX]; /* since its last turn: who is gone gets no slot */
};

static int create(void **self, const struct policy_host *h)
{
    struct gang *g = calloc(1, sizeof *g);
    if (!g)
        h->log(h->host, "out of memory");
    else if ((g->s = sched_create(h)))
        g->s->param[0] = sched_param_ms(g->s, "slot_ms", 6);
    *self = g;
    if (g && g->s && g->s->param[0] > 0)
        return 0;
    if (g)
        sched_destroy(g->s);
    free(g);
    return -1;
}

static void destroy(void *self)
{
    struct gang *g = self;
    sched_destroy(g->s);
    free(g);
}

static void see(struct gang *g, uint32_t id)
{
    uint32_t i = 0;
    if (id == POLICY_NONE)
        return;
    while (i < g->n && g->id[i] != id)
        i++;
    if (i == g->n) {
        if (g->n == GANGS_MAX)
            return;
        g->id[g->n++] = id;
    }
    g->seen[i] = 1;
}

static void next_turn(struct gang *g)
{
    for (uint32_t k = 1; k <= g->n; k++) {
        uint32_t i = (g->turn + k) % g->n;
        if (g->seen[i]) {
            g->seen[i] = 0;
            g->turn = i;
            return;
        }
    }
}

static uint32_t member(const struct gang *g, const struct policy_pick_obs *o)
{
    uint32_t best = POLICY_NONE, id = g->n ? g->id[g->turn] : POLICY_NONE;
    if (o->current != POLICY_NONE && o->task[o->current].gang == id && o->why == POLICY_WOKE)
        return o->current;
    for (uint32_t i = 0; i < o->n; i++)
        if (o->task[i].gang == id &&
            (best == POLICY_NONE || o->task[i].ready_ns < o->task[best].ready_ns))
            best = i;
    return best;
}

static void pick(void *self, const struct policy_pick_obs *o, struct policy_pick *answer)
{
    struct gang *g = self;
    uint64_t length = (uint64_t)g->s->param[0], slot = o->at.now_ns / length;
    for (uint32_t i = 0; i < o->n; i++)
        see(g, o->task[i].gang);
    if (slot != g->slot && g->n)
        next_turn(g);
    g->slot = slot;
    uint32_t best = member(g, o);
    if (best == POLICY_NONE)
        best = o->why == POLICY_WOKE && o->current != POLICY_NONE ? o->current : sched_longest(o);
    sched_answer(g->s, o, answer, best, (double)((slot + 1) * length - o->at.now_ns));
}

POLICY(.name = "gang", .summary = "CPUs: tasks of one gang run at the same time, in slots",
       .create = create, .destroy = destroy, .cpu_pick = pick);
