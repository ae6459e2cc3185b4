#include "models/vm/ksm.h"

#include <stdlib.h>

#include "models/vm/content_map.h"

struct ksm {
    struct sim *sim;
    struct cpus *cpus;
    struct frames *frames;
    struct cpu_task *task;
    const struct hv_cost *cost;
    struct ksm_spec spec;
    struct guest_mem **mem;
    size_t n_mem, cap_mem, at; /* at: whose page comes next */
    uint64_t page;
    struct content_map stable, seen;
    struct carry carry;
    sim_event wake;
    bool on, busy;
    struct ksm_counts n;
};

static void gone(void *ctx, uint64_t frame)
{
    struct ksm *k = ctx;
    content_map_remove(&k->stable, frames_content(k->frames, (uint32_t)frame));
}

struct ksm *ksm_new(struct sim *s, struct cpus *c, struct frames *f, const struct hv_cost *cost,
                    const struct ksm_spec *spec)
{
    struct ksm *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    *k = (struct ksm){.sim = s, .cpus = c, .frames = f, .cost = cost, .spec = *spec};
    const struct cpu_task_spec task = {
        .name = "ksmd", .gang = POLICY_NONE, .home_node = POLICY_NONE};
    k->task = cpu_task_new(c, &task);
    if (!k->task) {
        free(k);
        return NULL;
    }
    frames_watch(f, gone, k);
    return k;
}

void ksm_free(struct ksm *k)
{
    if (!k)
        return;
    ksm_stop(k);
    cpu_task_end(k->task);
    frames_watch(k->frames, NULL, NULL);
    content_map_free(&k->stable);
    content_map_free(&k->seen);
    free(k->mem);
    free(k);
}

bool ksm_add(struct ksm *k, struct guest_mem *m)
{
    if (k->n_mem == k->cap_mem) {
        size_t cap = k->cap_mem ? 2 * k->cap_mem : 8;
        struct guest_mem **mem = realloc(k->mem, cap * sizeof *mem);
        if (!mem)
            return false;
        k->mem = mem;
        k->cap_mem = cap;
    }
    k->mem[k->n_mem++] = m;
    return true;
}

static void new_round(struct ksm *k)
{
    content_map_clear(&k->seen);
    k->at = 0;
    k->page = 0;
}

/* Places seen name guests by number: the round begins anew. */
void ksm_forget(struct ksm *k, struct guest_mem *m)
{
    for (size_t i = 0; i < k->n_mem; i++)
        if (k->mem[i] == m) {
            k->mem[i] = k->mem[--k->n_mem];
            new_round(k);
            return;
        }
}

/* ---- a page ---- */

static bool join_stable(struct ksm *k, struct guest_mem *m, uint64_t content)
{
    const struct content_place *p = content_map_get(&k->stable, content);
    if (p)
        guest_mem_merge(m, k->page, p->where);
    return p != NULL;
}

/* The one seen earlier in this round, if it still is what it was. */
static bool join_seen(struct ksm *k, struct guest_mem *m, uint64_t content)
{
    const struct content_place *p = content_map_get(&k->seen, content);
    if (!p)
        return false;
    uint32_t frame = guest_mem_frame(k->mem[p->where], p->page);
    content_map_remove(&k->seen, content);
    if (frame == FRAME_NONE || frames_content(k->frames, frame) != content ||
        frames_stable(k->frames, frame))
        return false;
    const struct content_place stable = {.content = content, .where = frame};
    if (!content_map_put(&k->stable, &stable))
        return false;
    frames_make_stable(k->frames, frame);
    guest_mem_merge(m, k->page, frame);
    return true;
}

static uint32_t mark_of(uint64_t content)
{
    return (uint32_t)(content * UINT64_C(0x9e3779b97f4a7c15) >> 32) | 1; /* 0: was not noted */
}

static bool look(struct ksm *k, struct guest_mem *m)
{
    uint32_t frame = guest_mem_frame(m, k->page);
    if (frame == FRAME_NONE || frames_stable(k->frames, frame))
        return false;
    uint64_t content = frames_content(k->frames, frame);
    if (join_stable(k, m, content))
        return true;
    uint32_t mark = mark_of(content);
    if (guest_mem_note(m, k->page, mark) != mark)
        return false; /* it changes: not worth it */
    if (join_seen(k, m, content))
        return true;
    const struct content_place here = {
        .content = content, .page = k->page, .where = (uint32_t)k->at};
    content_map_put(&k->seen, &here);
    return false;
}

/* ---- the thread ---- */

static void step(struct ksm *k)
{
    struct guest_mem_counts n;
    guest_mem_counts(k->mem[k->at], &n);
    if (++k->page < n.pages)
        return;
    k->page = 0;
    if (++k->at < k->n_mem)
        return;
    k->n.rounds++;
    new_round(k);
}

static void awake(void *ctx, uint64_t unused);

static void scanned(void *ctx, uint64_t unused)
{
    (void)unused;
    struct ksm *k = ctx;
    k->busy = false;
    if (k->on)
        k->wake = sim_after(k->sim, k->spec.sleep_ns, 0, awake, k, 0);
}

static void awake(void *ctx, uint64_t unused)
{
    (void)unused;
    struct ksm *k = ctx;
    sim_cost ps = 0;
    k->wake = 0;
    k->busy = true;
    for (uint32_t i = 0; i < k->spec.pages_to_scan && k->n_mem; i++) {
        bool merged = look(k, k->mem[k->at]);
        ps += k->cost->ksm_scan + (merged ? k->cost->ksm_merge : 0);
        k->n.merged += merged;
        k->n.scanned++;
        step(k);
    }
    cpu_task_run(k->task, carry_ns(&k->carry, ps), scanned, k, 0);
}

void ksm_start(struct ksm *k)
{
    if (k->on)
        return;
    k->on = true;
    if (!k->busy)
        k->wake = sim_after(k->sim, k->spec.sleep_ns, 0, awake, k, 0);
}

void ksm_stop(struct ksm *k)
{
    k->on = false;
    sim_cancel(k->sim, k->wake);
    k->wake = 0;
}

void ksm_counts(const struct ksm *k, struct ksm_counts *out)
{
    *out = k->n;
    out->shared = k->stable.n;
}
