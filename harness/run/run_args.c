#include "harness/base/args.h"
#include "harness/run/run_args.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/infer_host.h"

#define JOBS_MAX 4096

enum {
    OPT_SET = 256,
    OPT_SEED,
    OPT_TRIALS,
    OPT_BACKEND,
    OPT_SPANS,
    OPT_EXPLAIN,
    OPT_LIMIT,
    OPT_LIVE,
    OPT_JSON
};
static const struct option options[] = {{"set", required_argument, NULL, OPT_SET},
                                        {"seed", required_argument, NULL, OPT_SEED},
                                        {"trials", required_argument, NULL, OPT_TRIALS},
                                        {"backend", required_argument, NULL, OPT_BACKEND},
                                        {"spans", required_argument, NULL, OPT_SPANS},
                                        {"explain", required_argument, NULL, OPT_EXPLAIN},
                                        {"policy-limit", required_argument, NULL, OPT_LIMIT},
                                        {"out", required_argument, NULL, 'o'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"live", no_argument, NULL, OPT_LIVE},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int take_set(struct run_args *a, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(e, ERR_EUSAGE, "--set: got \"%s\", want path=value", text);
    size_t n = a->edits.n_set;
    if (!(a->set_path[n] = strndup(text, (size_t)(equals - text))))
        return err_set(e, ERR_ENOMEM, "out of memory");
    a->set[n] = (struct experiment_set){.path = a->set_path[n], .json = equals + 1};
    a->edits.n_set++;
    return 0;
}

static int take_jobs(struct run_args *a, const char *text, struct err *e)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9' || n < 1 || n > JOBS_MAX)
        return err_set(e, ERR_EUSAGE, "-j: got \"%s\", want a whole number 1..%d", text, JOBS_MAX);
    a->jobs = (unsigned)n;
    return 0;
}

static int take_limit(struct run_args *a, const char *text, struct err *e)
{
    char *end;
    a->policy_limit_s = strtod(text, &end);
    if (*end || end == text || !(a->policy_limit_s > 0 && a->policy_limit_s <= 86400))
        return err_set(e, ERR_EUSAGE, "--policy-limit: got \"%s\", want seconds, above 0 to 86400",
                       text);
    return 0;
}

static int take(struct run_args *a, int option, struct err *e)
{
    switch (option) {
    case 'o':
        a->out = optarg;
        return 0;
    case 'j':
        return take_jobs(a, optarg, e);
    case OPT_SET:
        return take_set(a, optarg, e);
    case OPT_SEED:
        a->edits.seed = optarg;
        return 0;
    case OPT_TRIALS:
        a->edits.trials = optarg;
        return 0;
    case OPT_BACKEND:
        return infer_host_backend(optarg, &a->backend, e);
    case OPT_SPANS:
        a->spans = optarg;
        return 0;
    case OPT_EXPLAIN:
        a->explain = optarg;
        return 0;
    case OPT_LIMIT:
        return take_limit(a, optarg, e);
    case OPT_LIVE:
        return err_set(e, ERR_EUSAGE,
                       "--live: this version does not charge measured times; what inference costs "
                       "comes from the machine profile");
    case OPT_JSON:
        a->json = true;
        return 0;
    case 'q':
        a->quiet = true;
        return 0;
    default:
        a->help = true;
        return 0;
    }
}

int run_args_parse(struct run_args *a, int argc, char **argv, bool sweep, struct err *e)
{
    int c, rc = 0;
    *a = (struct run_args){.backend = INFER_AUTO};
    a->set = calloc((size_t)argc, sizeof *a->set);
    a->set_path = calloc((size_t)argc, sizeof *a->set_path);
    if (!a->set || !a->set_path)
        return err_set(e, ERR_ENOMEM, "out of memory");
    args_begin();
    while (!rc && (c = getopt_long(argc, argv, "o:j:qh", options, NULL)) != -1) {
        if (c == '?')
            return args_refuse(argv[0], argv, options, e);
        if (c == 'j' && !sweep)
            return err_set(e, ERR_EUSAGE, "-j: malv run has one worker; malv sweep takes -j");
        rc = take(a, c, e);
    }
    a->edits.set = a->set;
    if (rc || a->help)
        return rc;
    if (argc - optind > 1 || (argc == optind && !a->explain))
        return err_set(e, ERR_EUSAGE, "got %d experiment files, want one; see malv %s --help",
                       argc - optind, argv[0]);
    a->file = argv[optind];
    return 0;
}

void run_args_free(struct run_args *a)
{
    for (size_t i = 0; i < a->edits.n_set; i++)
        free(a->set_path[i]);
    free(a->set_path);
    free(a->set);
}
