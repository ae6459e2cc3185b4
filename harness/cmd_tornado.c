/* malv tornado - which assumed constants a result rests on. */
#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/args.h"
#include "harness/commands.h"
#include "harness/report/tornado.h"
#include "harness/run/experiment.h"
#include "harness/run/setup.h"

static const char help[] =
    "usage: malv tornado EXPERIMENT.json [OPTIONS]\n"
    "\n"
    "Runs the experiment as it is, then again with each constant of its machine that it used\n"
    "and that is tagged \"assumed\", halved and doubled, on the same seeds; and says how far\n"
    "each moves one measure.  With --by, the measure is a ratio, and the answer also who is "
    "ahead.\n"
    "\n"
    "  -m, --metric M       what to measure: a number, or SKETCH.mean, .p50, .p99 (default: the\n"
    "                       first of the model's own)\n"
    "      --by PATH=A,B    the ratio of B to A: --by stack=kvm,malv\n"
    "      --constant NAME  this one too, whatever its tag; may be given again\n"
    "      --factor F       divide and multiply by F (default: 2)\n"
    "  -o, --out DIR        write tornado.csv and the chart (SVG, PNG, gnuplot script) into DIR\n"
    "  -j, --jobs N         worker processes (default: one per CPU); the numbers are the same\n"
    "      --set PATH=VALUE, --seed N, --trials N   as malv run has them; a swept path must be "
    "set\n"
    "      --json           machine-readable output\n"
    "  -q, --quiet          no progress\n"
    "  -h, --help           this text\n"
    "\n"
    "example: malv tornado experiments/overcommit.json --set host.cpus=4 --by stack=kvm,malv \\\n"
    "         -m operation.p99 --trials 1\n";

struct wanted {
    const char *file, *out, *by, *metric;
    struct experiment_edits edits;
    struct experiment_set *set; /* [argc] */
    const char **constant;      /* [argc] */
    size_t constants;
    double factor;
    unsigned jobs;
    bool json, quiet, help;
};

enum { OPT_SET = 256, OPT_SEED, OPT_TRIALS, OPT_BY, OPT_CONSTANT, OPT_FACTOR, OPT_JSON };
static const struct option options[] = {{"metric", required_argument, NULL, 'm'},
                                        {"out", required_argument, NULL, 'o'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"by", required_argument, NULL, OPT_BY},
                                        {"constant", required_argument, NULL, OPT_CONSTANT},
                                        {"factor", required_argument, NULL, OPT_FACTOR},
                                        {"set", required_argument, NULL, OPT_SET},
                                        {"seed", required_argument, NULL, OPT_SEED},
                                        {"trials", required_argument, NULL, OPT_TRIALS},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

/* "path=value" of an argument, cut at its first "=". */
static int take_set(struct wanted *w, char *text, struct err *e)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(e, ERR_EUSAGE, "--set: got \"%.200s\", want path=value", text);
    *equals = '\0';
    w->set[w->edits.n_set++] = (struct experiment_set){text, equals + 1};
    return 0;
}

static int take_number(const char *option, const char *text, double lo, double hi, double *out,
                       struct err *e)
{
    char *end;
    *out = strtod(text, &end);
    if (*end || end == text || !(*out >= lo && *out <= hi))
        return err_set(e, ERR_EUSAGE, "%s: got \"%.40s\", want a number from %g to %g", option,
                       text, lo, hi);
    return 0;
}

static int take(struct wanted *w, int option, struct err *e)
{
    double n = 0;
    int rc = 0;
    switch (option) {
    case 'm':
        w->metric = optarg;
        return 0;
    case 'o':
        w->out = optarg;
        return 0;
    case 'j':
        rc = take_number("-j", optarg, 1, 4096, &n, e);
        w->jobs = (unsigned)n;
        return rc;
    case OPT_BY:
        w->by = optarg;
        return 0;
    case OPT_CONSTANT:
        w->constant[w->constants++] = optarg;
        return 0;
    case OPT_FACTOR:
        return take_number("--factor", optarg, 1.001, 1000, &w->factor, e);
    case OPT_SET:
        return take_set(w, optarg, e);
    case OPT_SEED:
        w->edits.seed = optarg;
        return 0;
    case OPT_TRIALS:
        w->edits.trials = optarg;
        return 0;
    case OPT_JSON:
        w->json = true;
        return 0;
    case 'q':
        w->quiet = true;
        return 0;
    default:
        w->help = true;
        return 0;
    }
}

static int parse(int argc, char **argv, struct wanted *w, struct err *e)
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int c, rc = 0;
    *w = (struct wanted){.factor = 2, .jobs = cpus < 1 ? 1 : (unsigned)cpus};
    w->set = calloc((size_t)argc + 1, sizeof *w->set);
    w->constant = calloc((size_t)argc, sizeof *w->constant);
    if (!w->set || !w->constant)
        return err_set(e, ERR_ENOMEM, "out of memory");
    args_begin();
    while (!rc && (c = getopt_long(argc, argv, "m:o:j:qh", options, NULL)) != -1)
        rc = c == '?' ? args_refuse("tornado", argv, options, e) : take(w, c, e);
    w->edits.set = w->set;
    if (rc || w->help)
        return rc;
    if (argc - optind != 1)
        return err_set(e, ERR_EUSAGE, "got %d experiment files, want one; see malv tornado --help",
                       argc - optind);
    w->file = argv[optind];
    return 0;
}

/* "stack=kvm,malv" in three. */
static int split_by(const char *by, char **path, char **a, char **b, struct err *e)
{
    const char *equals = strchr(by, '='), *comma = equals ? strchr(equals, ',') : NULL;
    if (!comma || equals == by || comma == equals + 1 || !comma[1] || strchr(comma + 1, ','))
        return err_set(e, ERR_EUSAGE, "--by: got \"%.200s\", want PATH=A,B", by);
    *path = strndup(by, (size_t)(equals - by));
    *a = strndup(equals + 1, (size_t)(comma - equals - 1));
    *b = strdup(comma + 1);
    return *path && *a && *b ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
}

/* The experiment with one more path set; NULL: with none. */
static int load(struct experiment **x, struct wanted *w, const char *path, const char *value,
                struct err *e)
{
    const size_t n = w->edits.n_set;
    if (path)
        w->set[w->edits.n_set++] = (struct experiment_set){path, value};
    const int rc = experiment_load(x, w->file, &w->edits, e);
    w->edits.n_set = n;
    return rc;
}

/* The first of the model's own measures. */
static void choose_metric(const struct wanted *w, const struct experiment *x, char *out,
                          size_t size)
{
    const char *first = w->metric ? w->metric : setup_headline(x->text);
    assert(first);
    snprintf(out, size, "%.*s", (int)(w->metric ? strlen(first) : strcspn(first, ",")), first);
}

static int show(const struct wanted *w, const struct tornado *t, const char *metric,
                const char *title, struct err *e)
{
    bool drawn = true;
    if (w->json) {
        tornado_json(t, metric, title, stdout);
        fputs("\n", stdout);
    } else {
        tornado_text(t, title, w->by, stdout);
    }
    const int rc = w->out ? tornado_draw(t, "tornado", title, w->out, &drawn, e) : 0;
    if (!rc && !drawn && !w->quiet)
        fprintf(stderr,
                "malv tornado: gnuplot is not installed: wrote the data and the script only\n");
    return rc;
}

static int run(struct wanted *w, struct err *e)
{
    char *path = NULL, *a = NULL, *b = NULL, metric[128], title[400];
    struct experiment *of = NULL, *over = NULL;
    struct tornado t = {0};
    int rc = w->by ? split_by(w->by, &path, &a, &b, e) : 0;
    if (!rc)
        rc = load(&of, w, path, b, e);
    if (!rc && w->by)
        rc = load(&over, w, path, a, e);
    if (!rc) {
        choose_metric(w, of, metric, sizeof metric);
        struct tornado_want want = {.file = w->file,
                                    .of = of->doc,
                                    .over = over ? over->doc : NULL,
                                    .metric = metric,
                                    .factor = w->factor,
                                    .constant = w->constant,
                                    .constants = w->constants,
                                    .jobs = w->jobs,
                                    .quiet = w->quiet};
        rc = tornado_run(&t, &want, e);
    }
    if (!rc) {
        snprintf(title, sizeof title, "%s%s%s%s%s%s", metric, path ? ", " : "", path ? b : "",
                 path ? " over " : "", path ? a : "", path ? "" : " as it is");
        rc = show(w, &t, metric, title, e);
    }
    tornado_free(&t);
    experiment_free(of);
    experiment_free(over);
    free(path);
    free(a);
    free(b);
    return rc;
}

int cmd_tornado(int argc, char **argv, struct err *e)
{
    struct wanted w;
    int rc = parse(argc, argv, &w, e);
    if (!rc && w.help)
        fputs(help, stdout);
    else if (!rc)
        rc = run(&w, e);
    free(w.set);
    free(w.constant);
    return rc;
}
