/* malv compare - two results, or the settings of one, pair by pair. */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/args.h"
#include "harness/commands.h"
#include "harness/report/compare.h"

static const char help[] =
    "usage: malv compare A.h5 B.h5 [OPTIONS]\n"
    "       malv compare OUT.h5 [--by AXIS] [OPTIONS]\n"
    "\n"
    "Compares B with A, or every value of one axis of the sweep with its first value.\n"
    "Trials are paired by seed and by everything else that was swept.\n"
    "\n"
    "  --by AXIS        the swept parameter to compare along (default: policy, else the first)\n"
    "  --base VALUE     what the others are compared with (default: the axis's first value)\n"
    "  --measure NAME   only this measure: a number, or ttft.mean, ttft.p99, ... (repeatable)\n"
    "  --json           machine-readable output\n"
    "  -q, --quiet      no warnings on standard error\n"
    "  -h, --help       this text\n"
    "\n"
    "example: malv compare out/demo.h5 --by policy --measure e2e.mean --measure ttft.p99\n";

enum { OPT_BY = 256, OPT_BASE, OPT_MEASURE, OPT_JSON };
static const struct option options[] = {{"by", required_argument, NULL, OPT_BY},
                                        {"base", required_argument, NULL, OPT_BASE},
                                        {"measure", required_argument, NULL, OPT_MEASURE},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int parse(int argc, char **argv, struct compare_options *o, bool *help_wanted, struct err *e)
{
    int c;
    args_begin();
    while ((c = getopt_long(argc, argv, "qh", options, NULL)) != -1) {
        switch (c) {
        case OPT_BY:
            o->by = optarg;
            break;
        case OPT_BASE:
            o->base = optarg;
            break;
        case OPT_MEASURE:
            o->measure[o->n_measure++] = optarg;
            break;
        case OPT_JSON:
            o->json = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            *help_wanted = true;
            return 0;
        default:
            return args_refuse("compare", argv, options, e);
        }
    }
    if (argc - optind < 1 || argc - optind > 2)
        return err_set(e, ERR_EUSAGE, "got %d files, want one or two; see malv compare --help",
                       argc - optind);
    if (argc - optind == 2 && o->by)
        return err_set(e, ERR_EUSAGE, "--by compares within one file; two were given");
    return 0;
}

static int compare_files(char **file, int n, const struct compare_options *o, struct err *e)
{
    struct result_set *set[2] = {NULL, NULL};
    struct comparison cmp = {0};
    int rc = 0;
    for (int i = 0; !rc && i < n; i++)
        rc = results_load(&set[i], file[i], e);
    if (!rc)
        rc = n == 2 ? compare_two(&cmp, set[0], file[0], set[1], file[1], o, e)
                    : compare_along(&cmp, set[0], file[0], o, e);
    if (!rc && o->json)
        compare_json(&cmp, stdout);
    else if (!rc)
        compare_text(&cmp, stdout);
    for (size_t i = 0; !rc && !o->quiet && i < cmp.n_warning; i++)
        fprintf(stderr, "malv compare: warning: %s\n", cmp.warning[i]);
    comparison_free(&cmp);
    for (int i = 0; i < n; i++)
        results_free(set[i]);
    return rc;
}

int cmd_compare(int argc, char **argv, struct err *e)
{
    bool help_wanted = false;
    struct compare_options o = {.measure = calloc((size_t)argc + 1, sizeof *o.measure)};
    if (!o.measure)
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = parse(argc, argv, &o, &help_wanted, e);
    if (help_wanted)
        fputs(help, stdout);
    else if (!rc)
        rc = compare_files(argv + optind, argc - optind, &o, e);
    free(o.measure);
    return rc;
}
