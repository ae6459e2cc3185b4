/* ecryptfs_model.c - model "ecryptfs": a benchmark writes a file in blocks and reads it again,
 * through an encrypting file system.
 *
 * A write encrypts its own pages and waits.  A read finds its pages or brings a readahead window,
 * which the reader decrypts himself; windows grow as Linux' do (mm/readahead.c: the first four or
 * two times the block, each next one four or two times the last, up to the most).  The drive reads
 * ahead of the cipher and is no limit here.  The benchmark reports the mean of its repeats'
 * throughputs; the driver's start is paid in the first repeat, by the first batch of more than 16
 * pages. */
#include <string.h>

#include "models/lake/pages.h"
#include "models/model.h"

enum { PAGE_KIB = 4, SMALL_COPY = 16, LEAST_KIB = 4, MOST_KIB = 4096 };

static const char *const engines[] = {"cpu", "aesni", "lake", "malv", NULL};

struct setup {
    int engine, direction; /* 0 read, 1 write */
    uint32_t aesni_percent, block_kib, blocks, repeats, once_kib, readahead_blocks;
};

struct section {
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    const struct config *engine, *direction;
    uint32_t aesni_percent, block_kib, blocks, repeats, once_kib, readahead_blocks;
};
static const struct config_field fields[] = {
    CONFIG_STR(struct section, label, false),
    CONFIG_ANY(struct section, engine, true),
    CONFIG_ANY(struct section, direction, true),
    CONFIG_U32(struct section, aesni_percent, 0, 100, false),
    CONFIG_U32(struct section, block_kib, LEAST_KIB, MOST_KIB, true),
    CONFIG_U32(struct section, blocks, 1, 65536, false),
    CONFIG_U32(struct section, repeats, 1, 1000, false),
    CONFIG_U32(struct section, once_kib, 0, MOST_KIB, false),
    CONFIG_U32(struct section, readahead_blocks, 1, 1e6, false),
    CONFIG_END,
};

static int read_setup(const struct config *c, struct setup *s, struct err *e)
{
    static const char *const directions[] = {"read", "write", NULL};
    struct section in = {.blocks = 256, .repeats = 2, .readahead_blocks = 4096};
    int rc = config_fill(c, fields, &in, e);
    *s = (struct setup){.aesni_percent = in.aesni_percent,
                        .block_kib = in.block_kib,
                        .blocks = in.blocks,
                        .repeats = in.repeats,
                        .once_kib = in.once_kib,
                        .readahead_blocks = in.readahead_blocks};
    if (!rc)
        rc = config_choice(in.engine, engines, &s->engine, e);
    if (!rc)
        rc = config_choice(in.direction, directions, &s->direction, e);
    if (!rc && in.block_kib % PAGE_KIB)
        rc = config_complain(config_get(c, "block_kib"), e, "a multiple of %d", PAGE_KIB);
    if (!rc && s->engine <= PAGES_AESNI && config_get(c, "aesni_percent"))
        rc = config_complain(config_get(c, "aesni_percent"), e,
                             "no \"aesni_percent\": engine \"%s\" has no GPU to share with",
                             engines[s->engine]);
    if (!rc && s->direction && config_get(c, "readahead_blocks"))
        rc = config_complain(config_get(c, "readahead_blocks"), e,
                             "no \"readahead_blocks\": nothing is read");
    return rc;
}

/* ---- one pass over the file ---- */

struct pass {
    const struct pages_costs *c;
    enum pages_engine engine;
    bool write;
    uint32_t aesni_percent;
    bool started;
    sim_time ns;
    uint64_t batches;
    uint32_t last_n; /* batches of one size take the same */
    sim_time last_ns;
    bool failed; /* out of memory */
};

static void batch(struct pass *p, uint32_t n)
{
    if (n != p->last_n) {
        p->last_ns = pages_batch(p->c, p->engine, p->write, n, p->aesni_percent);
        p->last_n = n;
        p->failed |= !p->last_ns;
    }
    const uint32_t gpu = n - (uint32_t)((uint64_t)n * p->aesni_percent / 100);
    if (p->engine == PAGES_LAKE && !p->started && gpu > SMALL_COPY) {
        p->started = true;
        p->ns += p->c->start / 1000;
    }
    p->ns += p->last_ns;
    p->batches++;
}

/* The reader's windows, in pages. */
static uint64_t first_window(uint64_t block, uint64_t most)
{
    uint64_t up = 1;
    while (up < block)
        up *= 2;
    if (up <= most / 32)
        return up * 4;
    return up <= most / 4 ? up * 2 : most;
}

static uint64_t next_window(uint64_t last, uint64_t most)
{
    if (last < most / 16)
        return last * 4;
    return last <= most / 2 ? last * 2 : most;
}

static void read_file(struct pass *p, uint64_t pages, uint64_t block, uint64_t most)
{
    uint64_t window = first_window(block, most);
    while (pages) {
        if (window < block) /* a read for more is served as asked */
            window = block;
        const uint64_t n = window < pages ? window : pages;
        batch(p, (uint32_t)n);
        pages -= n;
        window = next_window(window, most);
    }
}

/* MiB/s of the repeats' mean; 0: out of memory. */
static double throughput(const struct setup *s, const struct pages_costs *c,
                         enum pages_engine engine, uint32_t block_kib, uint32_t percent,
                         uint64_t *batches)
{
    struct pass p = {.c = c, .engine = engine, .write = s->direction, .aesni_percent = percent};
    const uint32_t block = block_kib / PAGE_KIB;
    const double mib = (double)block_kib * s->blocks / 1024;
    const uint32_t repeats = block_kib <= s->once_kib ? 1 : s->repeats;
    double sum = 0;
    for (uint32_t i = 0; i < repeats; i++) {
        p.ns = s->blocks * c->call / 1000;
        p.batches = 0;
        if (p.write)
            for (uint32_t k = 0; k < s->blocks; k++)
                batch(&p, block);
        else
            read_file(&p, (uint64_t)s->blocks * block, block,
                      (uint64_t)s->readahead_blocks * block);
        sum += mib / ((double)p.ns / 1e9);
    }
    *batches = p.batches;
    return p.failed ? 0 : sum / repeats;
}

/* ---- the run ---- */

struct run {
    struct setup set;
    struct machine_use use;
    struct pages_costs costs;
};

static int ready(const struct config *section, const struct machine *m, struct run *r,
                 struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"ecryptfs\" needs a \"machine\"");
    int rc = read_setup(section, &r->set, e);
    if (!rc)
        rc = machine_use_begin(&r->use, m, e);
    return rc ? rc : pages_costs(&r->costs, (enum pages_engine)r->set.engine, &r->use, e);
}

/* From which block on this engine is at least as fast as the other: KiB; 0: none up to 4 MiB. */
static uint32_t crossover(const struct run *r, enum pages_engine other)
{
    const struct setup *s = &r->set;
    uint64_t unused;
    for (uint32_t kib = LEAST_KIB; kib <= MOST_KIB; kib *= 2) {
        double ours =
            throughput(s, &r->costs, (enum pages_engine)s->engine, kib, s->aesni_percent, &unused);
        if (ours >= throughput(s, &r->costs, other, kib, 0, &unused))
            return kib;
    }
    return 0;
}

static int measure(struct run *r, struct measures *out, struct err *e)
{
    const struct setup *s = &r->set;
    uint64_t batches = 0;
    double mib = throughput(s, &r->costs, (enum pages_engine)s->engine, s->block_kib,
                            s->aesni_percent, &batches);
    if (mib <= 0)
        return err_set(e, ERR_ENOMEM, "ecryptfs: out of memory");
    measures_number(out, "throughput", "MiB/s", BETTER_MORE, mib);
    measures_number(out, "batches", "1", BETTER_NONE, (double)batches);
    if (s->engine > PAGES_AESNI) {
        measures_number(out, "crossover.cpu", "KiB", BETTER_LESS, crossover(r, PAGES_CPU));
        measures_number(out, "crossover.aesni", "KiB", BETTER_LESS, crossover(r, PAGES_AESNI));
    }
    machine_use_report(&r->use, out);
    return 0;
}

static int ecryptfs_run(const struct config *section, const struct model_env *env,
                        struct measures *out, struct err *e)
{
    struct run r = {0};
    int rc = ready(section, env->machine, &r, e);
    if (!rc)
        rc = measure(&r, out, e);
    machine_use_end(&r.use);
    return rc;
}

static int ecryptfs_check(const struct config *section, struct err *e)
{
    struct setup s;
    return read_setup(section, &s, e);
}

static int ecryptfs_fits(const struct config *section, const struct machine *machine,
                         const char *stack, struct err *e)
{
    (void)stack; /* the engine says which way */
    struct run r = {0};
    int rc = ready(section, machine, &r, e);
    machine_use_end(&r.use);
    return rc;
}

const struct model_ops model_ecryptfs = {
    .name = "ecryptfs",
    .summary =
        "an encrypting file system: a core, AES-NI, the GPU through LAKE or Micro-LAKE, both",
    .check = ecryptfs_check,
    .fits = ecryptfs_fits,
    .headline = "throughput,crossover.aesni",
    .run = ecryptfs_run,
};
