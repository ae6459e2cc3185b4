/* cmd_trace.c - malv trace VERB: dispatch, options, and what the verbs share. */
#include "harness/cmd_trace.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/commands.h"
#include "harness/base/fmt.h"
#include "harness/base/places.h"
#include "traces/schema.h"
#include "sim/near.h"

static const struct verb {
    const char *name, *summary;
    int (*run)(int argc, char **argv, struct err *e);
} verbs[] = {
#define X(verb, summary) {#verb, summary, trace_##verb},
    TRACE_VERBS(X)
#undef X
};
#define VERBS (sizeof verbs / sizeof *verbs)

static void usage(void)
{
    printf("usage: malv trace VERB [OPTIONS]\n\n");
    for (size_t i = 0; i < VERBS; i++)
        printf("  %-8s %s\n", verbs[i].name, verbs[i].summary);
    printf("\nmalv trace VERB --help says more.\n"
           "example: malv trace import AzureLLMInferenceTrace_code.csv -o code.h5 && "
           "malv trace info code.h5\n");
}

int cmd_trace(int argc, char **argv, struct err *e)
{
    if (argc < 2)
        return err_set(e, ERR_EUSAGE, "want a verb; malv trace --help lists them");
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        usage();
        return 0;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name))
            continue;
        int rc = verbs[i].run(argc - 1, argv + 1, e);
        return rc == ERR_EUSAGE ? err_wrap(e, rc, "%s", argv[1]) : rc;
    }
    struct near n;
    near_begin(&n, argv[1]);
    for (size_t i = 0; i < VERBS; i++)
        near_offer(&n, verbs[i].name);
    return err_set(e, ERR_EUSAGE, "no verb \"%s\"%s", argv[1],
                   n.best ? near_words(&n) : "; malv trace --help lists them");
}

static int number(const char *option, const char *text, unsigned long long *out, struct err *e)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return err_set(e, ERR_EUSAGE, "%s: got \"%s\", want a whole number", option, text);
    return 0;
}

static int rate(const char *text, double *out, struct err *e)
{
    char *end;
    *out = strtod(text, &end);
    if (!*text || *end || !(*out >= 1e-6 && *out <= 1e8))
        return err_set(e, ERR_EUSAGE, "--rate: got \"%s\", want requests per second", text);
    return 0;
}

enum {
    FORMAT = 'f',
    OUT = 'o',
    MAP = 'm',
    FILTER = 'z',
    PRESET = 'p',
    PARAMS = 'P',
    SKIP = 'k',
    SOURCE = 'S',
    LICENCE = 'L',
    N = 'n',
    SEED = 's',
    RATE = 'r',
    JSON = 'j',
    QUIET = 'q',
    HELP = 'h'
};

static const struct option all[] = {
    {"format", required_argument, NULL, FORMAT}, {"output", required_argument, NULL, OUT},
    {"map", required_argument, NULL, MAP},       {"filter", required_argument, NULL, FILTER},
    {"preset", required_argument, NULL, PRESET}, {"params", required_argument, NULL, PARAMS},
    {"source", required_argument, NULL, SOURCE}, {"licence", required_argument, NULL, LICENCE},
    {"skip-bad", required_argument, NULL, SKIP}, {"requests", required_argument, NULL, N},
    {"seed", required_argument, NULL, SEED},     {"rate", required_argument, NULL, RATE},
    {"json", no_argument, NULL, JSON},           {"quiet", no_argument, NULL, QUIET},
    {"help", no_argument, NULL, HELP},           {NULL, 0, NULL, 0}};

static const char **text_of(struct trace_options *o, int c)
{
    switch (c) {
    case FORMAT:
        return &o->format;
    case OUT:
        return &o->out;
    case MAP:
        return &o->map;
    case FILTER:
        return &o->filter;
    case PRESET:
        return &o->preset;
    case PARAMS:
        return &o->params;
    case SOURCE:
        return &o->source;
    case LICENCE:
        return &o->licence;
    default:
        return NULL;
    }
}

static int take(int c, struct trace_options *o, struct err *e)
{
    if (text_of(o, c)) {
        *text_of(o, c) = optarg;
        return 0;
    }
    switch (c) {
    case SKIP:
        return number("--skip-bad", optarg, &o->skip_bad, e);
    case N:
        return number("-n", optarg, &o->n, e);
    case SEED:
        return number("--seed", optarg, &o->seed, e);
    case RATE:
        return rate(optarg, &o->rate, e);
    case JSON:
        o->json = true;
        return 0;
    case QUIET:
        o->quiet = true;
        return 0;
    default:
        o->help = true;
        return 0;
    }
}

int trace_options(int *argc, char ***argv, const char *accepts, struct trace_options *o,
                  struct err *e)
{
    int c, at;
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while ((c = getopt_long(*argc, *argv, ":f:o:n:s:qh", all, &at)) != -1) {
        const char *said = (*argv)[optind - 1];
        if (c == ':')
            return err_set(e, ERR_EUSAGE, "%s wants a value", said);
        if (c == '?' || !(c == HELP || strchr(accepts, c)))
            return err_set(e, ERR_EUSAGE, "no option %s; --help lists them",
                           c == '?' || !optarg ? said : (*argv)[optind - 2]);
        int rc = take(c, o, e);
        if (rc)
            return rc;
    }
    *argc -= optind;
    *argv += optind;
    return 0;
}

int trace_filter(const struct trace_options *o, enum store_filter *f, struct err *e)
{
    static const char *const names[] = {"deflate", "zstd", "none"};
    *f = STORE_DEFLATE;
    for (int i = 0; o->filter && i < 3; i++)
        if (!strcmp(o->filter, names[i])) {
            *f = (enum store_filter)i;
            return 0;
        }
    return o->filter ? err_set(e, ERR_EUSAGE, "--filter: got \"%s\", want deflate, zstd or none",
                               o->filter)
                     : 0;
}

void trace_tick(void *progress, uint64_t rows)
{
    progress_at(progress, rows);
}

double trace_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static unsigned long long rows_of(const struct trace_meta *m)
{
    return schema_meta_rows(m);
}

void trace_print_written(const struct trace_options *o, const char *out, const struct trace_meta *m,
                         double seconds)
{
    double per_s = seconds > 0 ? (double)rows_of(m) / seconds : 0;
    if (o->json) {
        printf("{\"file\": ");
        json_string(stdout, out);
        printf(
            ", \"rows\": %llu, \"skipped_rows\": %llu, \"rows_per_s\": %.0f, \"digest\": \"%s\", "
            "\"input_sha256\": \"%s\"}\n",
            rows_of(m), (unsigned long long)m->skipped_rows, per_s, m->digest, m->input_sha256);
        return;
    }
    if (o->quiet)
        return;
    printf("%s: %llu rows", out, rows_of(m));
    if (m->skipped_rows)
        printf(", %llu bad ones left out", (unsigned long long)m->skipped_rows);
    printf(", %.3g million rows/s, digest %.16s\n", per_s / 1e6, m->digest);
}

char *trace_data_dir(void)
{
    const char *data = getenv("MALV_DATA");
    return data && *data ? strdup(data) : places_root("../shared/traces");
}
