/* malv bench - how fast the simulator itself is, on this machine. */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/base/args.h"
#include "harness/base/thismachine.h"
#include "harness/bench/bench.h"
#include "harness/commands.h"
#include "harness/base/fmt.h"

static const char help[] =
    "usage: malv bench [NAME]... [OPTIONS]\n"
    "\n"
    "Measures the simulator's own speed on one core; without a NAME, all of:\n"
#define X(name, summary) "  " #name ": " summary "\n"
    BENCHES(X)
#undef X
        "\n"
        "  --json           machine-readable output, with the machine's description\n"
        "  --quick          small sizes and few repeats: a look, not a measurement\n"
        "  --repeats N      1 to 15 (default 7)\n"
        "  --check          exit status 3 when a stated target is missed\n"
        "  -q, --quiet      no progress on standard error\n"
        "  -h, --help       this text\n"
        "\n"
        "example: malv bench engine --json > results/baseline/bench-engine.json\n";

static const struct {
    const char *name;
    int (*run)(struct bench *b, struct err *e);
} benches[] = {
#define X(name, summary) {#name, bench_##name},
    BENCHES(X)
#undef X
};
enum { N_BENCHES = sizeof benches / sizeof *benches };

struct options {
    bool json, quick, check, quiet, help;
    int repeats;
    bool want[N_BENCHES];
};

enum { OPT_JSON = 256, OPT_QUICK, OPT_CHECK, OPT_REPEATS };
static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
                                      {"quick", no_argument, NULL, OPT_QUICK},
                                      {"check", no_argument, NULL, OPT_CHECK},
                                      {"repeats", required_argument, NULL, OPT_REPEATS},
                                      {"quiet", no_argument, NULL, 'q'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static int parse_option(struct options *o, int c, char **argv, struct err *e)
{
    switch (c) {
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_QUICK:
        o->quick = true;
        return 0;
    case OPT_CHECK:
        o->check = true;
        return 0;
    case OPT_REPEATS:
        return args_repeats(optarg, BENCH_REPEATS, &o->repeats, e);
    case 'q':
        o->quiet = true;
        return 0;
    case 'h':
        o->help = true;
        return 0;
    }
    return args_refuse("bench", argv, longs, e);
}

static int want(struct options *o, const char *name, struct err *e)
{
    for (int i = 0; i < N_BENCHES; i++)
        if (!strcmp(name, benches[i].name)) {
            o->want[i] = true;
            return 0;
        }
    return err_set(e, ERR_ENAME, "no benchmark \"%s\"; malv bench --help lists them", name);
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    int c, rc = 0;
    args_begin();
    while (!rc && !o->help && (c = getopt_long(argc, argv, "qh", longs, NULL)) != -1)
        rc = parse_option(o, c, argv, e);
    for (int i = optind; !rc && i < argc; i++)
        rc = want(o, argv[i], e);
    for (int i = 0; optind == argc && i < N_BENCHES; i++)
        o->want[i] = true;
    return rc;
}

/* Stays on the core where it is: moving would cost cold caches in the middle of a repeat. */
static void pin(void)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    int cpu = sched_getcpu();
    if (cpu < 0)
        return;
    CPU_SET(cpu, &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* a refusal costs only steadiness */
}

/* ---- what it prints ---- */

static void machine_json(void)
{
    char cpu[256];
    struct utsname u = {.machine = "unknown"};
    thismachine_cpu(cpu, sizeof cpu);
    uname(&u);
    printf("\"machine\":{\"cpu\":");
    json_string(stdout, cpu);
    printf(",\"cores\":%ld,\"l2_bytes\":%ld,\"l3_bytes\":%ld,\"memory_bytes\":%lld,\"kernel\":",
           sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_LEVEL2_CACHE_SIZE),
           sysconf(_SC_LEVEL3_CACHE_SIZE),
           (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    json_string(stdout, u.release);
    printf(",\"arch\":");
    json_string(stdout, u.machine);
    printf(",\"compiler\":");
    json_string(stdout, __VERSION__);
    printf("}");
}

static bool missed(const struct bench_row *r)
{
    return r->target > 0 && r->median > r->target;
}

static void row_json(const struct bench_row *r, bool first)
{
    printf("%s\n{\"name\":", first ? "" : ",");
    json_string(stdout, r->name);
    printf(",\"unit\":");
    json_string(stdout, r->unit);
    printf(",\"min\":%.5g,\"median\":%.5g", r->min, r->median);
    if (r->target > 0)
        printf(",\"target\":%.5g,\"pass\":%s", r->target, missed(r) ? "false" : "true");
    if (r->note) {
        printf(",\"note\":");
        json_string(stdout, r->note);
    }
    printf("}");
}

static void row_text(const struct bench_row *r)
{
    printf("  %-36s %10.4g %10.4g  %-9s", r->name, r->min, r->median, r->unit);
    if (r->target > 0)
        printf(" %s %.4g", missed(r) ? "MISSED, at most" : "ok, at most", r->target);
    if (r->note)
        printf(" %s", r->note);
    printf("\n");
}

static void print(const struct bench *b, const struct options *o)
{
    if (!o->json) {
        printf("%s\n  %-36s %10s %10s\n", b->which, "", "min", "median");
        for (size_t i = 0; i < b->rows; i++)
            row_text(&b->row[i]);
        return;
    }
    printf("{\"schema\":\"malv-bench/1\",\"bench\":");
    json_string(stdout, b->which);
    printf(",\"repeats\":%d,\"quick\":%s,\n", b->repeats, b->quick ? "true" : "false");
    machine_json();
    printf(",\n\"rows\":[");
    for (size_t i = 0; i < b->rows; i++)
        row_json(&b->row[i], i == 0);
    printf("\n]}\n");
}

static int run_one(int which, const struct options *o, struct err *e)
{
    struct bench b = {.which = benches[which].name,
                      .quick = o->quick,
                      .repeats = o->repeats ? o->repeats
                                 : o->quick ? 3
                                            : 7};
    if (!o->quiet && isatty(2))
        fprintf(stderr, "malv bench: %s, about a minute\n", b.which);
    int rc = benches[which].run(&b, e);
    if (!rc && b.failed)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    if (!rc)
        print(&b, o);
    for (size_t i = 0; !rc && o->check && i < b.rows; i++)
        if (missed(&b.row[i]))
            rc = err_set(e, ERR_ETOL, "%s: got %.4g, want at most %.4g", b.row[i].name,
                         b.row[i].median, b.row[i].target);
    free(b.row);
    return rc;
}

int cmd_bench(int argc, char **argv, struct err *e)
{
    struct options o = {0};
    int rc = parse(&o, argc, argv, e);
    if (!rc && o.help) {
        fputs(help, stdout);
        return 0;
    }
    pin();
    for (int i = 0; !rc && i < N_BENCHES; i++)
        if (o.want[i])
            rc = run_one(i, &o, e);
    return rc;
}
