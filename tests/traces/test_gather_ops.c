/* Facts of timelines, against a second by second account of a random one; and notes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/rng.h"
#include "traces/facts.h"

#define SPAN    4000 /* ns */
#define ROWS    300
#define DEVICES 2

static struct trace_op op[ROWS];

static int by_time(const void *a, const void *b)
{
    const struct trace_op *x = a, *y = b;
    if (x->time_ns != y->time_ns)
        return x->time_ns < y->time_ns ? -1 : 1;
    return trace_op_on_device(x) - trace_op_on_device(y);
}

/* Every third operation was launched before the window. */
static void make(uint64_t seed)
{
    struct rng r;
    rng_init(&r, seed, "test", "timeline");
    for (uint32_t i = 0; i < ROWS / 2; i++) {
        uint64_t at = 20 + rng_below(&r, SPAN - 200), before = rng_below(&r, 20);
        op[i] = (struct trace_op){.time_ns = at,
                                  .duration_ns = rng_below(&r, 30),
                                  .device = (uint32_t)rng_below(&r, DEVICES),
                                  .stream = (uint32_t)rng_below(&r, 3),
                                  .kind = (uint32_t)rng_below(&r, TRACE_OP_COMM + 1),
                                  .name = (uint32_t)rng_below(&r, 5),
                                  .bytes = rng_below(&r, 3000000),
                                  .correlation = i + 1};
        op[ROWS / 2 + i] = (struct trace_op){.time_ns = at - before,
                                             .duration_ns = rng_below(&r, 10),
                                             .device = TRACE_NAME_NONE,
                                             .kind = i % 3 ? TRACE_OP_LAUNCH : TRACE_OP_CPU,
                                             .name = TRACE_NAME_NONE,
                                             .correlation = i + 1};
    }
    qsort(op, ROWS, sizeof *op, by_time);
}

static void gather(struct facts *f)
{
    struct err e = {0};
    struct trace_meta m = {.notes = "device=A B;events=7;X by cat:a=1,b=2"};
    struct gather *g = gather_new(TRACE_OPS, NULL);
    struct trace_names *names = names_new();
    static const char *const text[] = {"a", "b", "void c", "d", "e"};
    for (int i = 0; i < 5; i++)
        names_id(names, text[i], strlen(text[i]));
    for (int i = 0; i < ROWS; i++)
        cr_assert_eq(gather_row(g, &(union trace_row){.op = op[i]}, &e), 0);
    cr_assert_eq(gather_end(g, &m, names, f, &e), 0);
    gather_free(g);
    names_free(names);
}

static void expect(const struct facts *f, const char *group, const char *key, double want)
{
    const struct fact *a = facts_find(f, group, key);
    cr_assert(a || want == 0, "no %s / %s", group, key);
    double got = !a ? 0 : a->kind == FACT_NUMBER ? a->number : (double)a->integer;
    cr_expect_float_eq(got, want, 1e-9 * want + 1e-9, "%s / %s: got %.9g, want %.9g", group, key,
                       got, want);
}

static const struct trace_op *launch_of(uint64_t correlation)
{
    for (int i = 0; i < ROWS; i++)
        if (op[i].kind == TRACE_OP_LAUNCH && op[i].correlation == correlation)
            return &op[i];
    return NULL;
}

enum { ANY = 1, KERNEL = 2, COPY = 4 };

/* Who is on the device in every nanosecond. */
static void paint(uint32_t device, unsigned char *on)
{
    memset(on, 0, SPAN);
    for (int i = 0; i < ROWS; i++) {
        bool kernel = op[i].kind == TRACE_OP_KERNEL || op[i].kind == TRACE_OP_COMM;
        if (!trace_op_on_device(&op[i]) || op[i].device != device)
            continue;
        for (uint64_t t = op[i].time_ns; t < op[i].time_ns + op[i].duration_ns; t++)
            on[t] |= (unsigned char)(ANY | (kernel                          ? KERNEL
                                            : op[i].kind != TRACE_OP_MEMSET ? COPY
                                                                            : 0));
    }
}

static double count(const unsigned char *on, int what)
{
    double n = 0;
    for (int t = 0; t < SPAN; t++)
        n += (on[t] & what) != 0;
    return n;
}

/* Each idle ns belongs to the first operation that begins behind it. */
static void idle(uint32_t device, const unsigned char *on, double *host, double *launched,
                 double *unsaid)
{
    const struct trace_op *next = NULL, *first = NULL;
    *host = *launched = *unsaid = 0;
    for (int i = ROWS; i-- > 0;)
        if (trace_op_on_device(&op[i]) && op[i].device == device)
            first = &op[i];
    for (uint64_t t = SPAN; t-- > first->time_ns;) {
        for (int i = ROWS; i-- > 0;)
            if (trace_op_on_device(&op[i]) && op[i].device == device && op[i].time_ns == t + 1)
                next = &op[i];
        if (!next || on[t] & ANY || next->time_ns <= t)
            continue;
        const struct trace_op *l = launch_of(next->correlation);
        *(!l ? unsaid : l->time_ns + l->duration_ns > t ? host : launched) += 1;
    }
}

static void expect_device(const struct facts *f, uint32_t d)
{
    static unsigned char on[SPAN];
    char group[64], key[64];
    double sum = 0, host, launched, unsaid;
    paint(d, on);
    for (int i = 0; i < ROWS; i++)
        sum += trace_op_on_device(&op[i]) && op[i].device == d ? (double)op[i].duration_ns : 0;
    snprintf(group, sizeof group, "device %u us", d);
    snprintf(key, sizeof key, "device %u busy us (union of kernels)", d);
    expect(f, "", key, count(on, KERNEL) / 1e3);
    expect(f, group, "copies (union)", count(on, COPY) / 1e3);
    expect(f, group, "busy (union)", count(on, ANY) / 1e3);
    expect(f, group, "sum of operations", sum / 1e3);
    expect(f, group, "overlapped", (sum - count(on, ANY)) / 1e3);
    idle(d, on, &host, &launched, &unsaid);
    expect(f, group, "idle: nothing launched", host / 1e3);
    expect(f, group, "idle: launched, not begun", launched / 1e3);
    expect(f, group, "idle: launch not said", unsaid / 1e3);
}

static void expect_kernels(const struct facts *f)
{
    double n = 0, ns = 0, correlated = 0, name_c = 0, latency = 0;
    for (int i = 0; i < ROWS; i++) {
        if (op[i].kind != TRACE_OP_KERNEL && op[i].kind != TRACE_OP_COMM)
            continue;
        const struct trace_op *l = launch_of(op[i].correlation);
        n++;
        ns += (double)op[i].duration_ns;
        name_c += op[i].name == 2 ? (double)op[i].duration_ns : 0;
        correlated += l != NULL;
        latency += l ? (double)(op[i].time_ns - l->time_ns) : 0;
    }
    expect(f, "", "kernels", n);
    expect(f, "kernel dur us", "sum", ns / 1e3);
    expect(f, "", "correlated launches", correlated);
    expect(f, "launch->kernel start latency us", "sum", latency / 1e3);
    expect(f, "top kernels by time us", "c", name_c / 1e3);
    expect(f, "top kernels, pct of kernel time", "c", 100 * name_c / ns);
}

Test(gather_ops, is_what_a_slow_account_says)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct facts f = {0};
        make(seed);
        gather(&f);
        for (uint32_t d = 0; d < DEVICES; d++)
            expect_device(&f, d);
        expect_kernels(&f);
        facts_free(&f);
    }
}

Test(gather_ops, notes_are_facts)
{
    struct facts f = {0};
    make(1);
    gather(&f);
    cr_expect_str_eq(facts_find(&f, "", "device")->text, "A B");
    expect(&f, "", "events", 7);
    expect(&f, "X by cat", "a", 1);
    expect(&f, "X by cat", "b", 2);
    facts_free(&f);
    facts_notes(&f, ";;=;a;:;g:,x=,=3;k=99999999999999999999");
    cr_expect_str_eq(facts_find(&f, "", "k")->text, "99999999999999999999");
    facts_free(&f);
}
