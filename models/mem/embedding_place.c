/* embedding_place.c - pages of rows on the GPU, in host memory and on a drive, placed by the OS. */
#include <stdlib.h>
#include <string.h>

#include "models/mem/embedding.h"

static uint64_t pages_in(double gib, uint64_t page)
{
    return (uint64_t)(gib * 0x1p30 / (double)page);
}

/* Page after page where there is room, the fastest first: what was written first lies there. */
static void fill(struct emb *m)
{
    uint32_t tier = EMB_HBM;
    for (uint64_t i = 0; i < m->pages; i++) {
        while (m->used[tier] == m->room[tier])
            tier++;
        m->region[i] = (struct policy_region){.page = i, .pages = 1, .tier = tier};
        m->used[tier]++;
    }
}

static struct policy_slot *that_places(struct policy_slot *p)
{
    return p && p->ops && p->ops->mem_place ? p : NULL;
}

static int begin_policy(struct emb *m)
{
    const struct policy_mem about = {
        .frames = (uint32_t)m->pages, .tiers = m->tiers, .page_bytes = (uint32_t)m->c.page};
    const struct life_clock_env life = {
        .model = m->env, .use = &m->use, .out = m->out, .about = &about};
    if (m->env->plan[POLICY_HOOK_MEM_PLACE])
        return life_clock_open(&m->place_life, POLICY_HOOK_MEM_PLACE, &life, m->e);
    if ((m->place = that_places(model_policy(m->env, POLICY_HOOK_MEM_PLACE))))
        (void)policy_slot_mem_begin(m->place, &about);
    return 0;
}

int emb_place_begin(struct emb *m)
{
    m->rows_of_page = m->c.page / m->c.row_bytes;
    m->pages = (m->c.rows + m->rows_of_page - 1) / m->rows_of_page;
    m->room[EMB_HBM] = pages_in(m->c.hbm_gib, m->c.page);
    m->room[EMB_HOST] = m->c.host_gib > 0 ? pages_in(m->c.host_gib, m->c.page) : m->pages;
    m->room[EMB_DRIVE] = m->pages;
    m->tiers = m->c.host_gib > 0 ? EMB_TIERS : EMB_DRIVE; /* room for all: no drive */
    m->region = malloc(m->pages * sizeof *m->region);
    m->where = malloc(m->pages * sizeof *m->where);
    m->seen = calloc(m->pages, sizeof *m->seen);
    if (!m->region || !m->where || !m->seen)
        return emb_no_memory(m);
    fill(m);
    return begin_policy(m);
}

void emb_place_end(struct emb *m)
{
    life_clock_close(m->place_life);
    free(m->region);
    free(m->where);
    free(m->seen);
}

static sim_cost bytes(double ps, uint64_t n)
{
    return (sim_cost)(ps * (double)n + 0.5);
}

/* Pages from the drive, or to it, by the OS itself: so long until all are there. */
static sim_cost drive(const struct emb *m, uint64_t pages, struct emb_batch *b)
{
    const sim_cost byte = bytes(m->cost.read_ps, m->c.page);
    (void)emb_walk(&m->cost.os_read, pages, &b->work);
    b->reads += pages;
    return pages * (byte > m->cost.io_ps ? byte : m->cost.io_ps);
}

/* Each page that is on the drive is faulted on once in a batch, and is in host memory for it. */
static void faults(const struct emb *m, uint64_t cold, struct emb_batch *b)
{
    const uint64_t batches = (cold + m->cost.faults - 1) / m->cost.faults;
    if (!cold)
        return;
    b->faults = cold;
    b->work.asked += batches;
    b->stall += emb_walk(&m->cost.fault, batches, &b->work) + drive(m, cold, b);
}

/* Kernels read rows where they are; moves that were decided before share the link. */
void emb_place_batch(struct emb *m, const uint32_t *row, uint32_t number, struct emb_batch *b)
{
    uint64_t cold = 0;
    for (uint64_t i = 0; i < m->lookups; i++) {
        const uint64_t page = row[i] / m->rows_of_page;
        struct policy_region *r = &m->region[page];
        r->accesses += r->accesses < UINT32_MAX;
        b->by_tier[r->tier]++;
        cold += r->tier == EMB_DRIVE && m->seen[page] != number;
        m->seen[page] = number;
    }
    faults(m, cold, b);
    const uint64_t far = (b->by_tier[EMB_HOST] + b->by_tier[EMB_DRIVE]) * m->c.row_bytes;
    const sim_cost near = bytes(m->cost.hbm_ps, b->by_tier[EMB_HBM] * m->c.row_bytes);
    const sim_cost link = bytes(m->cost.direct_ps, far) + pager_wait(&m->cost.pages, &m->backlog);
    const sim_cost cpu = emb_walk(&m->cost.launch, 1, &b->work);
    b->work.asked++;
    b->work.bytes[PAGER_IN] += far;
    b->work.bytes[PAGER_OUT] += m->c.train ? far : 0;
    b->cpu += cpu;
    b->lookup = cpu + (near > link ? near : link);
    b->stall += m->backlog_stall;
    m->backlog = (struct pager_work){0};
    m->backlog_stall = 0;
}

/* What the next period accesses, for oracles. */
static void expect(struct emb *m, bool oracle)
{
    for (uint64_t i = 0; oracle && i < m->lookups * m->c.period; i++)
        m->region[m->next_row[i] / m->rows_of_page].next_accesses++;
}

static void decide(struct emb *m, uint64_t period)
{
    const struct policy_place_obs o = {.now_ns = period,
                                       .period = period,
                                       .n = (uint32_t)m->pages,
                                       .region = m->region,
                                       .tier_pages = m->room};
    for (uint64_t i = 0; i < m->pages; i++)
        m->where[i] = m->region[i].tier;
    mlaas_bill_begin(&m->bill);
    policy_slot_place(m->place, &o, m->tiers, m->where);
    m->backlog_stall = m->cost.period_ps + mlaas_bill_end(&m->bill);
}

/* Pages that change places: over the link by the pager, to and from the drive by the OS. */
static void move(struct emb *m, struct emb_batch *b)
{
    uint64_t in = 0, out = 0, drives = 0;
    for (uint64_t i = 0; i < m->pages; i++) {
        const uint32_t from = m->region[i].tier, to = m->where[i];
        in += to == EMB_HBM && from != EMB_HBM;
        out += from == EMB_HBM && to != EMB_HBM;
        drives += from != to && (from == EMB_DRIVE || to == EMB_DRIVE);
        b->moves += from != to;
        m->used[from]--, m->used[to]++;
        m->region[i].tier = to;
        m->region[i].accesses = m->region[i].next_accesses = 0;
    }
    pager_move(&m->cost.pages, PAGER_IN, in, m->c.page, &m->backlog);
    pager_move(&m->cost.pages, PAGER_OUT, out, m->c.page, &m->backlog);
    pager_sum(&b->work, &m->backlog);
    m->backlog.cpu = 0; /* the OS's own: nobody waits for it */
    (void)drive(m, drives, b);
}

/* It is the turn of whoever answers now; how long that takes for a step. */
static sim_time turn(struct emb *m)
{
    sim_time wait = 0;
    if (!m->place_life)
        return 0;
    life_clock_at(m->place_life, (sim_time)(m->now_ps / 1e3));
    m->place = that_places(life_clock_ask(m->place_life, &wait));
    return wait;
}

static void forget(struct emb *m)
{
    for (uint64_t i = 0; i < m->pages; i++)
        m->region[i].accesses = 0;
}

void emb_place_period(struct emb *m, uint64_t period, struct emb_batch *b)
{
    const sim_time wait = turn(m);
    if (m->place) {
        expect(m, m->place->ops->oracle);
        decide(m, period);
        move(m, b);
    } else {
        forget(m);
    }
    m->backlog_stall += wait * 1000;
    if (m->place_life)
        life_clock_said(m->place_life);
}
