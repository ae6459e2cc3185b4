/* Synthesized io, sched and vms: against closed forms, and against their own promises. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/traces/synth_rig.h"
#include "traces/schema.h"

static void digest(struct row_source *s, char hex[SHA256_HEX])
{
    union trace_row row;
    struct sha256 sha;
    uint64_t last = 0;
    sha256_init(&sha);
    while (s->next(s, &row, NULL) == 1) {
        cr_assert_geq(row.page.time_ns, last);
        last = row.page.time_ns;
        schema_digest(s->table, &row, &sha);
    }
    sha256_hex(&sha, hex);
}

static const char *const presets[] = {
    "lake-azure",     "lake-bing",    "lake-cosmos", "lake-mixed", "lake-mixed-3x", "pages-strided",
    "pages-zipf",     "pages-phases", "pages-drift", "pages-scan", "pages-uniform", "sched-mixed",
    "sched-periodic", "sched-bursty", "vms-mixed",   "pages-files"};

ParameterizedTestParameters(synth_rows, same_seed_same_rows)
{
    static int row[sizeof presets / sizeof *presets];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *i, synth_rows, same_seed_same_rows)
{
    char a[SHA256_HEX], b[SHA256_HEX], other[SHA256_HEX];
    struct err e = {0};
    struct row_source *s = synth_preset(presets[*i], 5000, 7);
    digest(s, a);
    cr_assert_eq(s->rewind(s, &e), 0, "%s", e.msg);
    digest(s, b);
    s->close(s);
    s = synth_preset(presets[*i], 5000, 8);
    digest(s, other);
    s->close(s);
    cr_expect_str_eq(a, b, "%s rewound", presets[*i]);
    cr_expect(strcmp(a, other) || !strcmp(presets[*i], "pages-strided"), "%s", presets[*i]);
}

static double above(double bytes, double median, double sigma) /* P(lognormal > bytes) */
{
    return 0.5 * erfc(log(bytes / median) / sigma / sqrt(2));
}

/* E of the lognormal clipped to max, cut to whole bytes and rounded up to 4 KiB: the sum over
 * k of 4096 P(size > 4096 k). */
static double mean_size(double median_kib, double max_kib)
{
    double sigma = log(max_kib / median_kib) / 3, sum = 4096;
    for (double k = 1; 4096 * k < max_kib * 1024; k++)
        sum += 4096 * above(4096 * k + 1, median_kib * 1024, sigma);
    return sum;
}

static const struct lake {
    const char *preset;
    double read, read_median, read_max, write_median, write_max, gap_us;
} lake[] = {
    {"lake-azure", 0.25, 25, 64, 17, 64, 38},
    {"lake-bing", 0.23, 55, 512, 30, 1024, 208},
    {"lake-cosmos-3x", 0.23, 430, 7000, 107, 32000, 134},
};

Test(synth_rows, lakes_sizes_gaps_and_offsets_have_the_means_of_their_closed_forms)
{
    for (size_t i = 0; i < sizeof lake / sizeof *lake; i++) {
        const struct lake *l = &lake[i];
        struct moments size[2] = {{0}}, writes = {0}, gap = {0}, offset = {0};
        uint64_t last[3] = {0}, seen[3] = {0};
        union trace_row row;
        struct row_source *s = synth_preset(l->preset, 300000, 3);
        while (s->next(s, &row, NULL) == 1) {
            const struct trace_io *r = &row.io;
            cr_assert_eq(r->offset % 4096 + r->bytes % 4096, 0);
            cr_assert(r->offset >= SYNTH_IO_LOWEST && r->offset <= UINT64_C(800) << 30);
            cr_assert_leq(r->bytes, (r->write ? l->write_max : l->read_max) * 1024 + 4095);
            moments_add(&size[r->write], (double)r->bytes);
            moments_add(&writes, r->write);
            moments_add(&offset, (double)r->offset);
            if (seen[r->device]++)
                moments_add(&gap, (double)(r->time_ns - last[r->device]));
            last[r->device] = r->time_ns;
        }
        s->close(s);
        moments_near("read size", &size[0], mean_size(l->read_median, l->read_max));
        moments_near("write size", &size[1], mean_size(l->write_median, l->write_max));
        moments_near("writes", &writes, 1 - l->read);
        moments_near("gap", &gap, l->gap_us * 1e3);
        moments_near("offset", &offset, 400.0 * 0x1p30);
        /* exponential: its deviation is its mean */
        double mean = gap.sum / gap.n;
        cr_expect_float_eq(sqrt(gap.squares / gap.n - mean * mean) / mean, 1, 0.02);
    }
}

Test(synth_rows, lakes_mixed_trace_is_one_trace_on_each_device_for_ten_seconds)
{
    static const double gap_us[] = {25, 138, 134};
    uint64_t n[3] = {0}, last = 0;
    union trace_row row;
    struct row_source *s = synth_preset("lake-mixed-3x", 0, 5);
    while (s->next(s, &row, NULL) == 1) {
        cr_assert_lt(row.io.device, 3);
        n[row.io.device]++;
        last = row.io.time_ns;
    }
    s->close(s);
    cr_expect_lt(last, UINT64_C(10000000000));
    for (int i = 0; i < 3; i++) /* Poisson: the deviation is the root of the mean */
        cr_expect_leq(fabs((double)n[i] - 1e7 / gap_us[i]), 4.5 * sqrt(1e7 / gap_us[i]));
}

/* What a kernel's own trace satisfies; times on the CPU by pid. */
static void follow(struct row_source *s, uint64_t *on_cpu, uint64_t *end_ns, uint64_t *wakes)
{
    struct {
        uint32_t pid;
        uint64_t since;
    } cpu[8] = {{0}};
    bool awake[2000] = {false};
    union trace_row row;
    while (s->next(s, &row, NULL) == 1) {
        const struct trace_sched *r = &row.sched;
        *end_ns = r->time_ns;
        if (r->event == SCHED_WAKEUP) {
            cr_assert_not(awake[r->pid], "woken twice");
            cr_assert_eq(r->target_cpu, r->cpu);
            awake[r->pid] = true;
            wakes[r->pid]++;
            continue;
        }
        cr_assert_eq(r->event, SCHED_SWITCH);
        cr_assert_eq(cpu[r->cpu].pid, r->pid, "another ran");
        cr_assert_neq(r->pid, r->next_pid);
        cr_assert(r->next_pid == 0 || awake[r->next_pid], "it sleeps");
        on_cpu[r->pid] += r->time_ns - cpu[r->cpu].since;
        cpu[r->cpu].pid = r->next_pid;
        cpu[r->cpu].since = r->time_ns;
        if (r->pid && r->state == 1)
            awake[r->pid] = false;
    }
}

Test(synth_rows, a_schedule_is_one_that_a_kernel_could_have_traced)
{
    uint64_t on_cpu[2000] = {0}, wakes[2000] = {0}, end_ns = 0;
    struct row_source *s = synth_preset("sched-periodic", 300000, 4);
    follow(s, on_cpu, &end_ns, wakes);
    s->close(s);
    for (uint32_t pid = 1000; pid < 1008; pid++) { /* 3.2 of 16 ms, two on each CPU */
        cr_expect_float_eq((double)on_cpu[pid] / (double)end_ns, 0.2, 0.002, "pid %u", pid);
        cr_expect_float_eq((double)wakes[pid] * 16e6 / (double)end_ns, 1, 0.005, "pid %u", pid);
    }
}

/* One CPU, one task: the share of time it runs is run / (run + sleep) with the bursts' mean. */
Test(synth_rows, bursts_lengthen_the_mean_run)
{
    uint64_t on_cpu[2000] = {0}, wakes[2000] = {0}, end_ns = 0;
    struct err e = {0};
    struct row_source *s = synth_text(
        "{\"table\": \"sched\", \"rows\": 600000, \"tasks\": [{\"name\": \"b\", \"sleep_us\": 1000,"
        " \"run_us\": 100, \"burst\": 0.1, \"burst_factor\": 11}]}",
        1, &e);
    cr_assert(s, "%s", e.msg);
    follow(s, on_cpu, &end_ns, wakes);
    s->close(s);
    cr_expect_float_eq((double)on_cpu[1000] / (double)end_ns, 200.0 / 1200, 0.003);
}

Test(synth_rows, busy_tasks_share_their_cpu_by_slices)
{
    uint64_t on_cpu[2000] = {0}, wakes[2000] = {0}, end_ns = 0;
    struct err e = {0};
    struct row_source *s = synth_text(
        "{\"table\": \"sched\", \"rows\": 20000, \"slice_us\": 1000, \"tasks\": [{\"name\": \"b\","
        " \"tasks\": 4, \"sleep_us\": 1, \"run_us\": 1e6}]}",
        1, &e);
    cr_assert(s, "%s", e.msg);
    follow(s, on_cpu, &end_ns, wakes);
    s->close(s);
    cr_expect_eq(on_cpu[0] * 1000 / end_ns, 0, "it was never idle");
    for (int i = 0; i < 4; i++)
        cr_expect_float_eq((double)on_cpu[1000 + i] / (double)end_ns, 0.25, 0.02);
}

Test(synth_rows, vms_have_the_utilisation_of_their_pattern)
{
    static const struct {
        const char *preset;
        double want, within;
    } cases[] = {{"vms-diurnal", 0.3, 0.006}, {"vms-bursty", 0.05 + 0.1 * 0.85, 0.006}};
    for (int i = 0; i < 2; i++) {
        struct row_source *s = synth_preset(cases[i].preset, 4000, 6);
        union trace_row row;
        struct moments util = {0}, life = {0}, gap = {0};
        uint64_t last = 0;
        while (s->next(s, &row, NULL) == 1) {
            const struct trace_vm *v = &row.vm;
            uint64_t life_ns = v->end_ns - v->time_ns;
            cr_assert_eq(v->n_util, life_ns / v->step_ns + 1);
            cr_assert(v->vcpus >= 1 && v->mem_bytes == (uint64_t)v->vcpus << 32);
            moments_add(&life, (double)life_ns);
            if (life.n > 1)
                moments_add(&gap, (double)(v->time_ns - last));
            last = v->time_ns;
            for (uint32_t k = 0; k < v->n_util; k++)
                moments_add(&util, (double)v->util[k] / 1000);
        }
        s->close(s);
        moments_near("lifetime", &life, 24 * 3600e9);
        moments_near("gap", &gap, 300e9);
        cr_expect_float_eq(util.sum / util.n, cases[i].want, cases[i].within, "%s: %g",
                           cases[i].preset, util.sum / util.n);
    }
}

static const struct {
    const char *text, *want;
} bad[] = {
    {"{\"table\": \"io\"}", "t: got an object, want rows or duration_s: where it ends"},
    {"{\"table\": \"io\", \"rows\": 5}", "t: got an object, want a preset or devices"},
    {"{\"table\": \"io\", \"preset\": \"lake\"}", NULL},
    {"{\"table\": \"io\", \"rows\": 5, \"devices\": []}",
     "t: devices: got an array of 0, want a list of 1..16 devices"},
    {"{\"table\": \"io\", \"rows\": 5, \"devices\": [{\"read\": 1, \"gap_us\": 1, \"read_kib\": "
     "{\"median\": 9, \"max\": 8}, \"write_kib\": {\"median\": 9, \"max\": 9}}]}",
     "t: devices[0].read_kib: got an object, want max not below median"},
    {"{\"table\": \"pages\", \"rows\": 5}", "t: got an object, want a preset or a pattern"},
    {"{\"table\": \"pages\", \"pattern\": \"zipf\", \"stride\": 2}",
     "t: stride: of no use with pattern \"zipf\""},
    {"{\"table\": \"pages\", \"pattern\": \"drift\", \"pages\": 10, \"window\": 11}",
     "t: got an object, want a window of at most its 10 pages"},
    {"{\"table\": \"pages\", \"pattern\": \"zipf\", \"gap_ns\": 0, \"duration_s\": 1}",
     "t: got an object, want rows where gap_ns is 0: time stands still"},
    {"{\"table\": \"pages\", \"pattern\": \"lru\"}", NULL},
    {"{\"table\": \"sched\", \"tasks\": [{\"name\": \"a\", \"run_us\": 1}]}",
     "t: tasks[0]: got an object, want either period_us or sleep_us"},
    {"{\"table\": \"sched\", \"tasks\": [{\"name\": \"a b\", \"run_us\": 1, \"sleep_us\": 1}]}",
     "t: tasks[0].name: got \"a b\", want 1..15 letters, digits and any of _-./"},
    {"{\"table\": \"vms\", \"pattern\": \"bursty\", \"low\": 0.9, \"high\": 0.1}",
     "t: got an object, want low not above high"},
    {"{\"table\": \"vms\", \"preset\": \"lake-azure\"}",
     "t: preset: no preset \"lake-azure\"; known are vms-diurnal, vms-bursty, vms-mixed"},
    {"{\"table\": \"costs\"}", NULL},
    {"{\"table\": \"pages\", \"pattern\": \"zipf\", \"gap_ns\": 1e9, \"rows\": 1e12}",
     "t: got an object, want a trace of at most 1e+09 s: times count ns in 64 bits"},
};

Test(synth_rows, wrong_parameters_are_refused)
{
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        cr_expect_null(synth_text(bad[i].text, 1, &e), "%s", bad[i].text);
        cr_expect_eq(strncmp(e.msg, "t: ", 3), 0, "%s: %s", bad[i].text, e.msg);
        if (bad[i].want)
            cr_expect_str_eq(e.msg, bad[i].want);
    }
}
