/* bench_memory.c - page-cache replay through real policies behind their guard.
 *
 * A Zipf stream of page accesses (a million pages, skew 0.99, a quarter of
 * them writes) goes through models/mem/cache; making the stream is not timed.
 * The aim: LRU at 20 million accesses a second on one core.  Memory is that
 * of the cache: a replay ten times as long takes no more, each in a process
 * of its own.                                                                */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/bench/bench.h"
#include "harness/policy/policy_host.h"
#include "harness/policy/policy_load.h"
#include "models/mem/cache.h"
#include "models/mem/touch.h"
#include "models/model.h"

#define TARGET_NS  50   /* 20 million a second */
#define PROMPT_NS  100  /* 10 million blocks a second */
#define RSS_GROWTH 1.05 /* what ten times the accesses may take */
enum { BLOCK = 1 << 14, PAGES = 1 << 20, FRAMES = 1 << 16, FRAMES_BIG = 1 << 18 };

struct replay {
    const char *policy; /* NULL: the host's own hand */
    uint32_t frames;
    uint64_t accesses, pages;
};

struct outcome {
    double seconds, hit_ratio;
    struct err e;
};

static int fill_block(struct mem_source *s, struct mem_access *a, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct mem_touch t;
        int got = mem_source_next(s, &t, e);
        if (got <= 0)
            return got < 0 ? got : err_set(e, ERR_EFAIL, "the stream ended early");
        a[i] = (struct mem_access){.page = t.page, .next = t.next, .write = t.write};
    }
    return 0;
}

static int stream(const struct replay *r, struct mem_cache *c, struct mem_source *s,
                  struct outcome *out, struct err *e)
{
    struct mem_access *a = malloc(BLOCK * sizeof *a);
    int rc = a ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    for (uint64_t done = 0; !rc && done < r->accesses; done += BLOCK) {
        rc = fill_block(s, a, BLOCK, e);
        double began = bench_cpu_s();
        if (!rc)
            mem_cache_replay(c, a, BLOCK);
        out->seconds += bench_cpu_s() - began;
    }
    free(a);
    return rc;
}

static int with_slot(const struct replay *r, struct policy_slot *slot, struct outcome *out,
                     struct err *e)
{
    struct mem_pattern p;
    struct config *c = NULL;
    char text[160];
    snprintf(text, sizeof text,
             "{\"pattern\":\"zipf\",\"pages\":%llu,\"count\":%llu,\"writes\":0.25}",
             (unsigned long long)r->pages, (unsigned long long)r->accesses);
    int rc = config_parse(&c, "bench", text, strlen(text), e);
    if (!rc)
        rc = mem_pattern_config(c, &p, e);
    config_free(c);
    if (rc)
        return rc;
    struct mem_source *s = mem_source_new(&p, NULL, 1, 0);
    struct mem_cache *cache = mem_cache_new(r->frames, slot);
    rc = s && cache ? stream(r, cache, s, out, e) : err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc) {
        struct mem_cache_stats st;
        mem_cache_stats(cache, &st);
        out->hit_ratio = 1 - (double)st.misses / (double)st.accesses;
    }
    mem_cache_free(cache);
    mem_source_free(s);
    return rc;
}

static int replay(const struct replay *r, struct outcome *out, struct err *e)
{
    struct policy *policy;
    struct policy_session *session;
    const struct policy_session_want want = {.seed = 1};
    if (!r->policy)
        return with_slot(r, NULL, out, e);
    int rc = policy_load(&policy, r->policy, e);
    if (rc)
        return rc;
    struct policy_slot slot = {.ops = policy_ops(policy), .label = r->policy};
    rc = policy_host_open(&session, &slot, &want, e);
    if (!rc) {
        rc = with_slot(r, &slot, out, e);
        if (!rc && slot.ejected != EJECT_NONE)
            rc = err_set(e, ERR_EFAIL, "%s: %s", r->policy, slot.eject_note);
        int closed = policy_host_close(session, e);
        rc = rc ? rc : closed;
    }
    policy_unload(policy);
    return rc;
}

/* ---- memory: a process of its own for each length ---- */

static void child(const struct replay *r, int to)
{
    struct outcome out = {0};
    if (replay(r, &out, &out.e) && !out.e.code)
        err_set(&out.e, ERR_EFAIL, "the replay failed without a word");
    ssize_t n = write(to, &out, sizeof out);
    _exit(n == (ssize_t)sizeof out ? 0 : 1);
}

static int peak_mib(const struct replay *r, double *mib, struct err *e)
{
    int fd[2], status;
    struct rusage use;
    struct outcome out = {0};
    fflush(NULL);
    if (pipe(fd))
        return err_set(e, ERR_EIO, "pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        child(r, fd[1]);
    close(fd[1]);
    ssize_t n = pid < 0 ? -1 : read(fd[0], &out, sizeof out);
    close(fd[0]);
    if (pid < 0 || wait4(pid, &status, 0, &use) != pid || n != (ssize_t)sizeof out)
        return err_set(e, ERR_EFAIL, "the replay's process ended early");
    *mib = (double)use.ru_maxrss / 1024;
    return out.e.code ? err_set(e, out.e.code, "%s", out.e.msg) : 0;
}

static void row(struct bench *b, double value, double target, const char *unit, const char *name)
{
    bench_add(b, unit, &value, 1, "%s", name)->target = target;
}

static int bounded(struct bench *b, struct err *e)
{
    uint64_t few = b->quick ? 1 << 18 : 1 << 22;
    struct replay r = {"lru", FRAMES, few, 16 * (uint64_t)PAGES};
    double mib_few = 0, mib_most = 0;
    int rc = peak_mib(&r, &mib_few, e);
    r.accesses = 10 * few;
    if (!rc)
        rc = peak_mib(&r, &mib_most, e);
    if (rc)
        return rc;
    row(b, mib_few, 0, "MiB", b->quick ? "lru.rss.262144" : "lru.rss.4194304");
    row(b, mib_most, 0, "MiB", b->quick ? "lru.rss.2621440" : "lru.rss.41943040");
    row(b, mib_most / mib_few, RSS_GROWTH, "1", "lru.rss_growth");
    return 0;
}

/* ---- speed ---- */

static int timed(struct bench *b, const char *policy, uint32_t frames, double target, struct err *e)
{
    double sample[BENCH_REPEATS];
    const struct replay r = {policy, frames, b->quick ? 1 << 18 : 1 << 21, PAGES};
    struct outcome out;
    for (int i = 0; i < b->repeats; i++) {
        out = (struct outcome){0};
        int rc = replay(&r, &out, e);
        if (rc)
            return rc;
        sample[i] = 1e9 * out.seconds / (double)r.accesses;
    }
    bench_add(b, "ns/access", sample, b->repeats, "%s.%u.hits_%.0f%%", policy ? policy : "hand",
              frames, 100 * out.hit_ratio)
        ->target = target;
    return 0;
}

/* ---- blocks of prompts: the whole of model "prefix" under LRU, requests from memory ---- */

enum { DEPTH = 24 }; /* blocks of a prompt, as in Mooncake's conversations */

struct prompts {
    struct request_source source;
    uint64_t left, made;
    uint64_t chain[DEPTH];
};

/* Half of a prompt's blocks are those of one of the last thousand prompts. */
static int next_prompt(struct request_source *self, struct trace_request *r, struct err *e)
{
    struct prompts *p = (struct prompts *)self;
    (void)e;
    if (!p->left)
        return 0;
    p->left--;
    const uint64_t old = p->made > 1000 ? p->made - 1 - p->made * 7919 % 1000 : p->made;
    for (uint64_t i = 0; i < DEPTH; i++)
        p->chain[i] = ((i < DEPTH / 2 ? old / 2 : p->made) * DEPTH + i) * 2 + (i < DEPTH / 2);
    p->made++;
    *r =
        (struct trace_request){.prompt_tokens = 512 * DEPTH, .n_prefix = DEPTH, .prefix = p->chain};
    return 1;
}

static int replay_prompts(struct policy_slot *slot, uint64_t blocks, double *seconds, struct err *e)
{
    static const char section[] = "{\"blocks\":50000}";
    struct prompts p = {.source = {.next = next_prompt}, .left = blocks / DEPTH};
    const struct model_env env = {.seed = 1, .requests = &p.source, .policy = slot};
    struct measures *out = measures_new();
    struct config *c = NULL;
    int rc = out ? config_parse(&c, "bench", section, sizeof section - 1, e)
                 : err_set(e, ERR_ENOMEM, "out of memory");
    const double began = bench_cpu_s();
    if (!rc)
        rc = model_prefix.run(c, &env, out, e);
    *seconds = bench_cpu_s() - began;
    slot->out = NULL;
    config_free(c);
    measures_free(out);
    return rc;
}

static int prompts_under(struct bench *b, struct policy *policy, struct err *e)
{
    const uint64_t blocks = b->quick ? 1 << 18 : 1 << 22;
    double sample[BENCH_REPEATS];
    int rc = 0;
    for (int i = 0; i < b->repeats && !rc; i++) {
        struct policy_session *session;
        struct policy_slot slot = {.ops = policy_ops(policy), .label = "lru"};
        const struct policy_session_want want = {.seed = 1};
        rc = policy_host_open(&session, &slot, &want, e);
        if (rc)
            break;
        rc = replay_prompts(&slot, blocks, &sample[i], e);
        sample[i] *= 1e9 / (double)blocks;
        int closed = policy_host_close(session, e);
        rc = rc ? rc : closed;
    }
    if (!rc)
        bench_add(b, "ns/block", sample, b->repeats, "prefix.lru.50000")->target = PROMPT_NS;
    return rc;
}

static int prompts(struct bench *b, struct err *e)
{
    struct policy *policy;
    int rc = policy_load(&policy, "lru", e);
    if (rc)
        return rc;
    rc = prompts_under(b, policy, e);
    policy_unload(policy);
    return rc;
}

int bench_memory(struct bench *b, struct err *e)
{
    static const char *const others[] = {NULL, "fifo-cache", "clock", "lfu", "s3fifo", "arc"};
    int rc = timed(b, "lru", FRAMES, TARGET_NS, e);
    if (!rc)
        rc = timed(b, "lru", FRAMES_BIG, 0, e);
    for (size_t i = 0; !rc && i < sizeof others / sizeof *others; i++)
        rc = timed(b, others[i], FRAMES, 0, e);
    if (!rc)
        rc = prompts(b, e);
    return rc ? rc : bounded(b, e);
}
