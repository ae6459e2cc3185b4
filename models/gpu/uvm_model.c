/* uvm_model.c - model "uvm": a kernel that goes over managed memory again and again. */
#include "models/gpu/uvm_model.h"

static const char *const patterns[] = {"stream", "triad", "gather", "chase", NULL};
static const char *const orders[] = {"grid", "chunks", "shuffled", NULL};
static const char *const modes[] = {"fault", "prefetch", "read-mostly", "host", NULL};

struct section {
    const struct config *pattern, *order, *mode;
    const char *label; /* a sweep over whole sections names them; nothing here reads it */
    double size;
    uint64_t bytes, stride;
    uint32_t threads, block, steps, warmup, passes;
    bool on_host;
};

static const struct config_field fields[] = {
    CONFIG_ANY(struct section, pattern, false),
    CONFIG_ANY(struct section, order, false),
    CONFIG_ANY(struct section, mode, false),
    CONFIG_STR(struct section, label, false),
    CONFIG_F64(struct section, size, 0.001, 16, false),
    CONFIG_U64(struct section, bytes, 1 << 20, 1e12, false),
    CONFIG_U64(struct section, stride, 4, 1 << 21, false),
    CONFIG_U32(struct section, threads, 32, 1 << 20, false),
    CONFIG_U32(struct section, block, 32, 1024, false),
    CONFIG_U32(struct section, steps, 1, 1000, false),
    CONFIG_U32(struct section, warmup, 0, 100, false),
    CONFIG_U32(struct section, passes, 1, UVM_PASSES, false),
    CONFIG_BOOL(struct section, on_host, false),
    CONFIG_END,
};

static int read_setup(const struct config *c, struct uvm_setup *s, struct err *e)
{
    struct section in = {
        .stride = 4096, .threads = 262144, .block = 256, .steps = 4, .warmup = 2, .passes = 2};
    int pattern = UVM_STREAM, order = UVM_GRID, mode = UVM_FAULT;
    in.on_host = true;
    int rc = config_fill(c, fields, &in, e);
    if (!rc && in.pattern)
        rc = config_choice(in.pattern, patterns, &pattern, e);
    if (!rc && in.order)
        rc = config_choice(in.order, orders, &order, e);
    if (!rc && in.order && pattern != UVM_STREAM)
        rc = config_complain(in.order, e, "no \"order\": pattern \"%s\" has its own",
                             patterns[pattern]);
    if (!rc && in.mode)
        rc = config_choice(in.mode, modes, &mode, e);
    if (!rc && !config_get(c, "size") == !config_get(c, "bytes"))
        rc = config_complain(c, e, "either \"bytes\", or \"size\" in GPU memories");
    if (!rc && in.threads % 32)
        rc = config_complain(config_get(c, "threads"), e, "a multiple of 32");
    *s = (struct uvm_setup){.pattern = (enum uvm_pattern)pattern,
                            .order = (enum uvm_order)order,
                            .mode = (enum uvm_mode)mode,
                            .size = in.size,
                            .bytes = in.bytes,
                            .stride = in.stride,
                            .threads = in.threads,
                            .block = in.block,
                            .steps = in.steps,
                            .warmup = in.warmup,
                            .passes = in.passes,
                            .on_host = in.on_host};
    return rc;
}

static int uvm_check(const struct config *section, struct err *e)
{
    struct uvm_setup s;
    return read_setup(section, &s, e);
}

static int read_costs(struct uvm_setup *s, struct uvm_params *p, struct machine_use *u,
                      struct err *e)
{
    static const char *const touch[] = {"uvm.touch.stream", "uvm.touch.triad", "uvm.touch.gather",
                                        "uvm.touch.chase"};
    double memory = 0, rate = 0;
    int rc = machine_value(u, "gpu.memory", QUANTITY_BYTES, &memory, e);
    if (!rc)
        rc = uvm_params_read(p, u, e);
    const char *stream = machine_find(u->machine, "uvm.stream") ? "uvm.stream" : "gpu.bandwidth";
    if (!rc && s->stride >= UVM_PAGE && machine_find(u->machine, touch[s->pattern]))
        rc = machine_value(u, touch[s->pattern], QUANTITY_TIME, &s->gpu_touch, e);
    else if (!rc)
        rc = machine_value(u, stream, QUANTITY_RATE, &rate, e);
    if (!rc && rate <= 0 && s->gpu_touch <= 0)
        rc = err_set(e, ERR_ERANGE, "machine \"%s\": \"%s\": got 0, want more", u->machine->name,
                     stream);
    if (!rc && rate > 0 && s->stride >= UVM_PAGE)
        s->gpu_touch = UVM_SECTOR * 1e12 / rate;
    else if (!rc && rate > 0)
        s->gpu_byte = 1e12 / rate;
    if (!s->bytes)
        s->bytes = (uint64_t)(memory * s->size);
    return rc;
}

static int ready(const struct config *section, const struct machine *m, struct machine_use *use,
                 struct uvm_setup *s, struct uvm_params *p, struct err *e)
{
    if (!m)
        return err_set(e, ERR_EUSAGE, "model \"uvm\" needs a \"machine\"");
    int rc = read_setup(section, s, e);
    if (!rc)
        rc = machine_use_begin(use, m, e);
    return rc ? rc : read_costs(s, p, use, e);
}

static int uvm_fits(const struct config *section, const struct machine *machine, const char *stack,
                    struct err *e)
{
    (void)stack;
    struct machine_use use = {0};
    struct uvm_setup s;
    struct uvm_params p;
    int rc = ready(section, machine, &use, &s, &p, e);
    machine_use_end(&use);
    return rc;
}

static void report(const struct uvm_setup *s, const struct uvm_result *r, struct measures *out)
{
    double n = s->passes, wait = (double)r->s.time / n, all = wait + r->gpu;
    double moved_in = (double)r->s.in / n, moved_out = (double)r->s.out / n;
    measures_number(out, "time", "ms", BETTER_LESS, all / 1e9);
    measures_number(out, "median", "ms", BETTER_LESS,
                    ((double)r->pass[s->passes / 2] + r->gpu) / 1e9);
    measures_number(out, "least", "ms", BETTER_LESS, ((double)r->pass[0] + r->gpu) / 1e9);
    measures_number(out, "most", "ms", BETTER_LESS,
                    ((double)r->pass[s->passes - 1] + r->gpu) / 1e9);
    measures_number(out, "bandwidth", "B/s", BETTER_MORE, (double)r->touched / (all / 1e12));
    measures_number(out, "faults", "1", BETTER_LESS, (double)r->s.faults / n);
    measures_number(out, "batches", "1", BETTER_LESS, (double)r->s.batches / n);
    measures_number(out, "services", "1", BETTER_LESS, (double)r->s.services / n);
    measures_number(out, "evictions", "1", BETTER_LESS, (double)r->s.evictions / n);
    measures_number(out, "moved_in", "B", BETTER_LESS, moved_in);
    measures_number(out, "moved_out", "B", BETTER_LESS, moved_out);
    measures_number(out, "reached_over", "B", BETTER_LESS, (double)r->s.over / n);
    measures_number(out, "share.gpu", "1", BETTER_MORE, all > 0 ? r->gpu / all : 1);
    measures_number(out, "share.stall", "1", BETTER_LESS, all > 0 ? wait / all : 0);
}

static int uvm_run(const struct config *section, const struct model_env *env, struct measures *out,
                   struct err *e)
{
    struct machine_use use = {0};
    struct uvm_setup s;
    struct uvm_params p;
    struct uvm_result r;
    int rc = ready(section, env->machine, &use, &s, &p, e);
    if (!rc)
        rc = uvm_simulate(&s, &p, env->seed, &r, e);
    if (!rc) {
        report(&s, &r, out);
        machine_use_report(&use, out);
    }
    machine_use_end(&use);
    return rc;
}

const struct model_ops model_uvm = {
    .name = "uvm",
    .summary = "a kernel over unified memory: fault batches, prefetch tree, eviction",
    .check = uvm_check,
    .fits = uvm_fits,
    .headline = "time,bandwidth,services,moved_in,moved_out,share.stall",
    .run = uvm_run,
};
