/* gather.c - facts gathered in one pass: of requests, jobs and nodes here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces/facts.h"
#include "traces/gather_rows.h"
#include "traces/gather_tasks.h"
#include "traces/lru.h"
#include "traces/parse.h"
#include "traces/tally.h"

#define NS_PER_S     UINT64_C(1000000000)
#define BLOCK_TOKENS 512 /* of the prefix traces in the field */

/* What the Mooncake paper plots hit ratios against; 0: no limit. */
static const uint64_t cache_tokens[] = {1000000, 3000000, 10000000, 50000000, 0};
#define CACHES (sizeof cache_tokens / sizeof *cache_tokens)

enum {
    PROMPT,
    OUTPUT,
    GAP,
    BLOCKS,
    CPU,
    MEM,
    GPU_MILLI,
    GPUS,
    CREATED,
    LIFETIME,
    WAIT,
    QOS,
    PHASE,
    MODEL_NODES,
    MODEL_GPUS,
    TALLIES
};

struct gather {
    enum trace_table table;
    const struct import_format *format;
    struct tally tally[TALLIES];
    struct lru *cache[CACHES];
    uint64_t hits[CACHES];
    uint64_t rows, first_ns, last_ns, failed, whole_blocks;
    uint64_t gpus, gpu_milli, shared, multi, cpu_only, with_spec, gpu_rows, cpu_milli, mem_mib;
    struct {
        uint64_t *by_name;
        size_t n;
    } phase_of_gpu_pods;
    bool monotonic, prefixes;
    struct tasks *tasks;          /* of formats whose requests are of tasks */
    const struct gather_ops *ops; /* of the tables of gather_rows.h, with their own state */
    void *own;
};

static const struct gather_ops *const row_ops[TRACE_TABLES] = {
    [TRACE_IO] = &gather_io,   [TRACE_PAGES] = &gather_pages,  [TRACE_SCHED] = &gather_sched,
    [TRACE_VMS] = &gather_vms, [TRACE_OPS] = &gather_timeline, [TRACE_COSTS] = &gather_costs};

struct gather *gather_new(enum trace_table table, const struct import_format *format)
{
    struct gather *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->table = table;
    g->format = format;
    g->monotonic = true;
    g->ops = row_ops[table];
    if (format && !strcmp(format->name, "disb"))
        g->tasks = tasks_new();
    if (g->ops && !(g->own = calloc(1, g->ops->size))) {
        tasks_free(g->tasks);
        free(g);
        return NULL;
    }
    return g;
}

void gather_free(struct gather *g)
{
    if (!g)
        return;
    for (int i = 0; i < TALLIES; i++)
        tally_free(&g->tally[i]);
    for (size_t i = 0; i < CACHES; i++)
        lru_free(g->cache[i]);
    free(g->phase_of_gpu_pods.by_name);
    tasks_free(g->tasks);
    if (g->own)
        g->ops->done(g->own);
    free(g->own);
    free(g);
}

static bool open_caches(struct gather *g)
{
    bool ok = true;
    for (size_t i = 0; i < CACHES; i++)
        ok &= (g->cache[i] = lru_new((uint32_t)(cache_tokens[i] / BLOCK_TOKENS))) != NULL;
    return ok;
}

/* A cache that can hold no more says nothing: its fact is left out. */
static void fill_cache(struct gather *g, size_t i, const struct trace_request *r)
{
    for (uint32_t k = 0; g->cache[i] && k < r->n_prefix; k++) {
        int hit = lru_touch(g->cache[i], r->prefix[k]);
        if (hit >= 0) {
            g->hits[i] += (uint64_t)hit;
            continue;
        }
        lru_free(g->cache[i]);
        g->cache[i] = NULL;
    }
}

static int add_prefix(struct gather *g, const struct trace_request *r, struct err *e)
{
    if (!g->prefixes && !open_caches(g))
        return err_set(e, ERR_ENOMEM, "out of memory");
    g->prefixes = true;
    tally_add(&g->tally[BLOCKS], r->n_prefix);
    g->whole_blocks += r->n_prefix == (r->prompt_tokens + BLOCK_TOKENS - 1) / BLOCK_TOKENS;
    for (size_t i = 0; i < CACHES; i++)
        fill_cache(g, i, r);
    return 0;
}

static int add_request(struct gather *g, const struct trace_request *r, struct err *e)
{
    tally_add(&g->tally[PROMPT], r->prompt_tokens);
    tally_add(&g->tally[OUTPUT], r->output_tokens);
    g->failed += r->output_tokens == 0;
    if (g->rows)
        tally_add(&g->tally[GAP], r->time_ns - g->last_ns);
    else
        g->first_ns = r->time_ns;
    g->monotonic &= r->time_ns >= g->last_ns;
    g->last_ns = r->time_ns;
    int rc = g->tasks ? tasks_add(g->tasks, r->model, r->time_ns, e) : 0;
    return rc || !(r->n_prefix || g->prefixes) ? rc : add_prefix(g, r, e);
}

static int count_phase(struct gather *g, uint32_t status, struct err *e)
{
    if (status == TRACE_NAME_NONE)
        return 0;
    if (status >= g->phase_of_gpu_pods.n) {
        size_t n = (size_t)status + 16;
        uint64_t *more = realloc(g->phase_of_gpu_pods.by_name, n * sizeof *more);
        if (!more)
            return err_set(e, ERR_ENOMEM, "out of memory");
        memset(more + g->phase_of_gpu_pods.n, 0, (n - g->phase_of_gpu_pods.n) * sizeof *more);
        g->phase_of_gpu_pods.by_name = more;
        g->phase_of_gpu_pods.n = n;
    }
    g->phase_of_gpu_pods.by_name[status]++;
    return 0;
}

static int add_job(struct gather *g, const struct trace_job *j, struct err *e)
{
    tally_add(&g->tally[CPU], j->cpu_milli);
    tally_add(&g->tally[MEM], j->mem_bytes >> 20);
    tally_add(&g->tally[GPUS], j->gpus);
    tally_add(&g->tally[CREATED], j->time_ns / NS_PER_S);
    if (j->duration_ns != TRACE_TIME_NONE)
        tally_add(&g->tally[LIFETIME], j->duration_ns / NS_PER_S);
    if (j->wait_ns != TRACE_TIME_NONE)
        tally_add(&g->tally[WAIT], j->wait_ns / NS_PER_S);
    if (j->qos != TRACE_NAME_NONE)
        tally_add(&g->tally[QOS], j->qos);
    if (j->status != TRACE_NAME_NONE)
        tally_add(&g->tally[PHASE], j->status);
    g->gpus += j->gpus;
    g->gpu_milli += (uint64_t)j->gpus * j->gpu_milli;
    g->cpu_only += j->gpus == 0;
    g->multi += j->gpus > 1;
    g->shared += j->gpus == 1 && j->gpu_milli < 1000;
    g->with_spec += j->gpu_spec != TRACE_NAME_NONE;
    if (j->gpus == 0)
        return 0;
    g->gpu_rows++;
    tally_add(&g->tally[GPU_MILLI], j->gpu_milli);
    return count_phase(g, j->status, e);
}

static int add_node(struct gather *g, const struct trace_node *n)
{
    g->cpu_milli += n->cpu_milli;
    g->mem_mib += n->mem_bytes >> 20;
    g->gpus += n->gpus;
    if (n->model == TRACE_NAME_NONE)
        return 0;
    tally_add(&g->tally[MODEL_NODES], n->model);
    for (uint32_t i = 0; i < n->gpus; i++)
        tally_add(&g->tally[MODEL_GPUS], n->model);
    return 0;
}

int gather_row(struct gather *g, const union trace_row *row, struct err *e)
{
    int rc = 0;
    if (g->table == TRACE_REQUESTS)
        rc = add_request(g, &row->request, e);
    else if (g->table == TRACE_JOBS)
        rc = add_job(g, &row->job, e);
    else if (g->table == TRACE_NODES)
        rc = add_node(g, &row->node);
    else
        rc = g->ops->row(g->own, row, e);
    g->rows++;
    return rc;
}

void facts_summary(struct facts *f, const char *group, struct tally *t, double per_unit, bool cv)
{
    struct summary s = tally_summary(t);
    if (t->failed)
        f->failed = true;
    facts_integer(f, group, "n", s.n);
    facts_number(f, group, "sum", s.sum / per_unit);
    facts_number(f, group, "mean", s.mean / per_unit);
    facts_number(f, group, "median", s.median / per_unit);
    facts_number(f, group, "p99", (double)s.p99 / per_unit);
    facts_number(f, group, "min", (double)s.min / per_unit);
    facts_number(f, group, "max", (double)s.max / per_unit);
    if (cv)
        facts_number(f, group, "cv", s.cv);
    if (!s.exact && s.n)
        facts_bool(f, group, "exact", false);
}

void facts_counts(struct facts *f, const char *group, struct tally *t,
                  const struct trace_names *names)
{
    char key[40];
    tally_settle(t);
    for (size_t i = 0; i < t->pairs; i++) {
        const char *name = names ? names_text(names, (uint32_t)t->pair[i].value) : NULL;
        snprintf(key, sizeof key, "%llu", (unsigned long long)t->pair[i].value);
        facts_integer(f, group, name ? name : key, t->pair[i].count);
    }
}

static void put_calendar(struct facts *f, const struct gather *g, const struct trace_meta *m)
{
    struct stamp s;
    char digits[64], text[64];
    if (!*m->epoch || !parse_stamp(m->epoch, strlen(m->epoch), &s))
        return;
    int n = style_get(m->style, "digits", digits) ? atoi(digits) : s.fraction_digits;
    n = n < 0 ? 0 : n > 9 ? 9 : n;
    format_stamp(text, s.ns + g->first_ns, n);
    facts_text(f, "", "first", text);
    format_stamp(text, s.ns + g->last_ns, n);
    facts_text(f, "", "last", text);
}

static void put_prefix(struct facts *f, struct gather *g)
{
    char group[80], cap[32];
    uint64_t blocks = (uint64_t)tally_summary(&g->tally[BLOCKS]).sum;
    facts_summary(f, "blocks_per_request", &g->tally[BLOCKS], 1, false);
    facts_integer(f, "", "len(hash_ids)==ceil(input/512)", g->whole_blocks);
    for (size_t i = 0; i < CACHES; i++) {
        if (!g->cache[i])
            continue;
        snprintf(cap, sizeof cap, "%llu tokens", (unsigned long long)cache_tokens[i]);
        snprintf(group, sizeof group, "prefix_block_hit_ratio LRU cap=%s",
                 cache_tokens[i] ? cap : "inf");
        facts_integer(f, group, "hits", g->hits[i]);
        facts_integer(f, group, "blocks", blocks);
        facts_number(f, group, "ratio", blocks ? (double)g->hits[i] / (double)blocks : 0);
    }
}

static void end_requests(struct gather *g, const struct trace_meta *m,
                         const struct trace_names *names, struct facts *f)
{
    double span = (double)(g->last_ns - g->first_ns);
    const struct import_labels *l = g->format ? &g->format->labels : NULL;
    put_calendar(f, g, m);
    facts_bool(f, "", "monotonic", g->monotonic);
    facts_number(f, "", "span_s", span / 1e9);
    facts_number(f, "", "span_ms", span / 1e6);
    if (span > 0)
        facts_number(f, "", "mean_rps", (double)g->rows * 1e9 / span);
    facts_integer(f, "", "zero-response rows", g->failed);
    facts_summary(f, l && l->prompt ? l->prompt : "prompt_tokens", &g->tally[PROMPT], 1, false);
    facts_summary(f, l && l->output ? l->output : "output_tokens", &g->tally[OUTPUT], 1, false);
    facts_summary(f, "interarrival_s", &g->tally[GAP], 1e9, true);
    if (g->prefixes)
        put_prefix(f, g);
    if (g->tasks)
        tasks_end(g->tasks, names, f);
}

static uint64_t gpu_pods_in(const struct gather *g, const struct trace_names *names,
                            const char *phase)
{
    for (size_t i = 0; i < g->phase_of_gpu_pods.n; i++) {
        const char *name = names_text(names, (uint32_t)i);
        if (name && !strcmp(name, phase))
            return g->phase_of_gpu_pods.by_name[i];
    }
    return 0;
}

static void put_gpu_pods(struct facts *f, const struct gather *g, const struct trace_names *names)
{
    double n = g->gpu_rows ? (double)g->gpu_rows : 1;
    facts_integer(f, "gpu pods", "n", g->gpu_rows);
    facts_integer(f, "gpu pods", "running", gpu_pods_in(g, names, "Running"));
    facts_integer(f, "gpu pods", "pending", gpu_pods_in(g, names, "Pending"));
    facts_number(f, "gpu pods", "share_pct", 100 * (double)g->shared / n);
    facts_number(f, "", "pct of GPU pods with gpu_spec", 100 * (double)g->with_spec / n);
}

static void end_jobs(struct gather *g, const struct trace_names *names, struct facts *f)
{
    facts_integer(f, "", "sum_num_gpu", g->gpus);
    facts_integer(f, "", "total_gpu_milli(num_gpu*gpu_milli)", g->gpu_milli);
    facts_integer(f, "", "cpu_only_rows", g->cpu_only);
    facts_integer(f, "", "share_rows(num_gpu==1 and gpu_milli<1000)", g->shared);
    facts_integer(f, "", "multi_gpu_rows", g->multi);
    facts_integer(f, "", "gpu_spec_rows", g->with_spec);
    put_gpu_pods(f, g, names);
    facts_counts(f, "num_gpu", &g->tally[GPUS], NULL);
    facts_counts(f, "qos", &g->tally[QOS], names);
    facts_counts(f, "pod_phase", &g->tally[PHASE], names);
    facts_summary(f, "cpu_milli", &g->tally[CPU], 1, false);
    facts_summary(f, "memory_mib", &g->tally[MEM], 1, false);
    facts_summary(f, "gpu_milli(gpu pods)", &g->tally[GPU_MILLI], 1, false);
    facts_summary(f, "creation_time_s", &g->tally[CREATED], 1, false);
    facts_summary(f, "lifetime_s(deletion-creation)", &g->tally[LIFETIME], 1, false);
    facts_summary(f, "sched_wait_s(scheduled-creation)", &g->tally[WAIT], 1, false);
}

static void end_nodes(struct gather *g, const struct trace_names *names, struct facts *f)
{
    facts_integer(f, "", "sum_gpu", g->gpus);
    facts_integer(f, "", "sum_cpu_milli", g->cpu_milli);
    facts_integer(f, "", "sum_memory_mib", g->mem_mib);
    facts_counts(f, "nodes_by_model", &g->tally[MODEL_NODES], names);
    facts_counts(f, "gpus_by_model", &g->tally[MODEL_GPUS], names);
}

int gather_end(struct gather *g, const struct trace_meta *meta, const struct trace_names *names,
               struct facts *out, struct err *e)
{
    char prefix[17];
    snprintf(prefix, sizeof prefix, "%.16s", meta->input_sha256);
    facts_integer(out, "", "rows", g->rows);
    if (*prefix)
        facts_text(out, "", "sha256", prefix);
    if (meta->skipped_rows)
        facts_integer(out, "", "skipped_rows", meta->skipped_rows);
    if (g->table == TRACE_REQUESTS)
        end_requests(g, meta, names, out);
    else if (g->table == TRACE_JOBS)
        end_jobs(g, names, out);
    else if (g->table == TRACE_NODES)
        end_nodes(g, names, out);
    else
        g->ops->end(g->own, g->format, names, out);
    facts_notes(out, meta->notes);
    return out->failed ? err_set(e, ERR_ENOMEM, "out of memory") : 0;
}
