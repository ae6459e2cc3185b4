/* line.c - who waits, by queue and demand; who runs, the worst first.
 *
 * All of one kind (one demand, in one queue) fit where the first of them does,
 * so that a pass looks at heads only, however many wait.                     */
#include <stdio.h>
#include <stdlib.h>

#include "models/cluster/cluster_state.h"

#define BUCKETS 4096u

static bool grow(struct cluster *s, void *array, uint32_t n, uint32_t *cap, size_t size)
{
    void **at = array;
    if (n < *cap)
        return true;
    uint32_t more = *cap ? 2 * *cap : 16;
    void *grown = realloc(*at, more * size);
    if (!grown) {
        cluster_no_memory(s);
        return false;
    }
    *at = grown;
    *cap = more;
    return true;
}

/* ---- heaps ------------------------------------------------------------------ */

/* worst: the largest (key, id) on top. */
static bool above(const struct cluster *s, uint32_t a, uint32_t b, bool worst)
{
    return worst ? line_before(s, b, a) : line_before(s, a, b);
}

static void put(struct cluster *s, uint32_t *heap, uint32_t at, uint32_t slot)
{
    heap[at] = slot;
    s->job[slot].place = at;
}

static void sift(struct cluster *s, uint32_t *heap, uint32_t n, uint32_t at, bool worst)
{
    const uint32_t slot = heap[at];
    while (at && above(s, slot, heap[(at - 1) / 2], worst)) {
        put(s, heap, at, heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && above(s, heap[child + 1], heap[child], worst))
            child++;
        if (!above(s, heap[child], slot, worst))
            break;
        put(s, heap, at, heap[child]);
    }
    put(s, heap, at, slot);
}

static void take_out(struct cluster *s, uint32_t *heap, uint32_t n, uint32_t at, bool worst)
{
    if (at == n - 1)
        return;
    put(s, heap, at, heap[n - 1]);
    sift(s, heap, n - 1, at, worst);
}

void line_push(struct cluster *s, uint32_t slot)
{
    struct kind *k = &s->kind[s->job[slot].kind];
    if (!grow(s, &k->slot, k->n, &k->cap, sizeof *k->slot))
        return;
    if (!k->n)
        s->busy[s->n_busy++] = s->job[slot].kind;
    k->slot[k->n++] = slot;
    s->job[slot].place = k->n - 1;
    sift(s, k->slot, k->n, k->n - 1, false);
    s->waiting++;
}

void line_remove(struct cluster *s, uint32_t slot)
{
    struct kind *k = &s->kind[s->job[slot].kind];
    take_out(s, k->slot, k->n, s->job[slot].place, false);
    k->n--;
    s->waiting--;
    for (uint32_t i = 0; !k->n && i < s->n_busy; i++)
        if (&s->kind[s->busy[i]] == k) {
            s->busy[i] = s->busy[--s->n_busy];
            break;
        }
}

void line_rekey(struct cluster *s, uint32_t slot)
{
    struct kind *k = &s->kind[s->job[slot].kind];
    sift(s, k->slot, k->n, s->job[slot].place, false);
}

void ran_push(struct cluster *s, uint32_t slot)
{
    if (!grow(s, &s->ran, s->running, &s->cap_ran, sizeof *s->ran))
        return;
    s->ran[s->running++] = slot;
    s->job[slot].place = s->running - 1;
    sift(s, s->ran, s->running, s->running - 1, true);
}

void ran_remove(struct cluster *s, uint32_t slot)
{
    take_out(s, s->ran, s->running, s->job[slot].place, true);
    s->running--;
}

void ran_rekey(struct cluster *s, uint32_t slot)
{
    sift(s, s->ran, s->running, s->job[slot].place, true);
}

void line_rebuild(struct cluster *s)
{
    for (uint32_t k = 0; k < s->n_kinds; k++)
        for (uint32_t i = 0; i < s->kind[k].n; i++)
            sift(s, s->kind[k].slot, i + 1, i, false);
    for (uint32_t i = 0; i < s->running; i++)
        sift(s, s->ran, i + 1, i, true);
}

/* ---- kinds, queues, owners ----------------------------------------------------- */

static uint32_t queue_name(const struct cluster *s, const struct policy_job *p)
{
    switch (s->c.by) {
    case BY_GROUP:
        return p->group;
    case BY_USER:
        return p->user;
    case BY_TENANT:
        return p->tenant;
    default:
        return TRACE_NAME_NONE;
    }
}

/* Tenants are numbers; groups and users have names in the trace. */
static uint64_t quota_of(const struct cluster *s, uint32_t name)
{
    char number[16];
    const char *text = NULL;
    double gpus;
    struct row_source *rows = s->env->rows;
    if (s->c.by == BY_TENANT && snprintf(number, sizeof number, "%u", name) > 0)
        text = number;
    else if (name != TRACE_NAME_NONE && rows->name)
        text = rows->name(rows, name);
    const struct config *q = text && s->c.quota ? config_get(s->c.quota, text) : NULL;
    if (!q || config_f64(q, 0, CLUSTER_GPUS_MAX, &gpus, NULL))
        return s->c.quota_otherwise;
    return (uint64_t)(gpus * 1000 + 0.5);
}

static int find_queue(struct cluster *s, const struct policy_job *p, uint32_t *found)
{
    const uint32_t name = queue_name(s, p);
    for (uint32_t i = 0; i < s->n_queues; i++)
        if (s->queue[i].name == name)
            return *found = i, 0;
    if (!grow(s, &s->queue, s->n_queues, &s->cap_queues, sizeof *s->queue))
        return ERR_ENOMEM;
    s->queue[s->n_queues] = (struct queue){
        .name = name, .quota = s->c.by == BY_NOTHING ? UINT64_MAX : quota_of(s, name)};
    return *found = s->n_queues++, 0;
}

static int find_owner(struct cluster *s, const struct policy_job *p, uint32_t *found)
{
    const uint32_t user = p->user != POLICY_NONE ? p->user : p->group;
    for (uint32_t i = 0; i < s->n_owners; i++)
        if (s->owner[i].user == user)
            return *found = i, 0;
    if (!grow(s, &s->owner, s->n_owners, &s->cap_owners, sizeof *s->owner))
        return ERR_ENOMEM;
    s->owner[s->n_owners] = (struct owner){.user = user};
    return *found = s->n_owners++, 0;
}

static bool same(const struct kind *k, const struct policy_job *p, uint32_t queue)
{
    return k->queue == queue && k->gpus == p->gpus && k->gpus_min == p->gpus_min &&
           k->gpus_max == p->gpus_max && k->gpu_milli == p->gpu_milli &&
           k->cpu_milli == p->cpu_milli && k->mem_bytes == p->mem_bytes &&
           k->models == p->gpu_models;
}

static uint32_t hash(const struct policy_job *p, uint32_t queue)
{
    uint64_t h = p->gpus + UINT64_C(1000003) * p->gpu_milli + UINT64_C(31) * queue;
    h = (h ^ p->cpu_milli) * UINT64_C(0x9e3779b97f4a7c15) + p->mem_bytes;
    h = (h ^ p->gpu_models ^ p->gpus_min) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 40) % BUCKETS;
}

static int add_kind(struct cluster *s, const struct policy_job *p, uint32_t queue, uint32_t bucket)
{
    uint32_t cap = s->cap_kinds;
    if (!grow(s, &s->kind, s->n_kinds, &s->cap_kinds, sizeof *s->kind))
        return ERR_ENOMEM;
    if (cap != s->cap_kinds) {
        uint32_t *busy = realloc(s->busy, s->cap_kinds * sizeof *busy);
        if (!busy)
            return cluster_no_memory(s);
        s->busy = busy;
    }
    s->kind[s->n_kinds] = (struct kind){.queue = queue,
                                        .gpus = p->gpus,
                                        .gpus_min = p->gpus_min,
                                        .gpus_max = p->gpus_max,
                                        .gpu_milli = p->gpu_milli,
                                        .cpu_milli = p->cpu_milli,
                                        .mem_bytes = p->mem_bytes,
                                        .models = p->gpu_models,
                                        .next = s->bucket[bucket]};
    s->bucket[bucket] = s->n_kinds++;
    return 0;
}

static bool have_buckets(struct cluster *s)
{
    if (s->bucket)
        return true;
    s->bucket = malloc(BUCKETS * sizeof *s->bucket);
    for (uint32_t i = 0; s->bucket && i < BUCKETS; i++)
        s->bucket[i] = NOBODY;
    return s->bucket != NULL;
}

int line_kind(struct cluster *s, struct job *j)
{
    uint32_t queue = 0;
    int rc = have_buckets(s) ? find_queue(s, &j->seen, &queue) : cluster_no_memory(s);
    if (!rc)
        rc = find_owner(s, &j->seen, &j->owner);
    if (rc)
        return rc;
    const uint32_t bucket = hash(&j->seen, queue);
    uint32_t k = s->bucket[bucket];
    while (k != NOBODY && !same(&s->kind[k], &j->seen, queue))
        k = s->kind[k].next;
    if (k == NOBODY && !(rc = add_kind(s, &j->seen, queue, bucket)))
        k = s->n_kinds - 1;
    j->kind = k;
    return rc;
}

void line_free(struct cluster *s)
{
    for (uint32_t i = 0; i < s->n_kinds; i++)
        free(s->kind[i].slot);
    for (uint32_t i = 0; i < s->n_owners; i++)
        free(s->owner[i].follows);
    free(s->kind);
    free(s->busy);
    free(s->bucket);
    free(s->queue);
    free(s->owner);
    free(s->ran);
}
