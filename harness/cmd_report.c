/* malv report - a page that says what the results say. */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/args.h"
#include "harness/commands.h"
#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/report/report.h"

static const char help[] =
    "usage: malv report OUT.h5 [-o DIR] [OPTIONS]\n"
    "\n"
    "Writes DIR/index.html (one file, no outside references), DIR/figures (SVG, PNG, the data\n"
    "and the gnuplot script of each) and the tables as CSV.  Results that are still being\n"
    "written, or were cut short, give a report of the trials that have finished.\n"
    "\n"
    "  -o, --out DIR        where to (default: OUT-report beside the results)\n"
    "      --measure NAME   choose winners by this measure (default: e2e.mean where there is one)\n"
    "      --json           print what was written as JSON\n"
    "  -q, --quiet          print nothing\n"
    "  -h, --help           this text\n"
    "\n"
    "example: malv report out/demo.h5 -o out/demo-report\n";

struct wanted {
    const char *out, *measure;
    bool json, quiet, help;
};

enum { OPT_MEASURE = 256, OPT_JSON };
static const struct option options[] = {
    {"out", required_argument, NULL, 'o'}, {"measure", required_argument, NULL, OPT_MEASURE},
    {"json", no_argument, NULL, OPT_JSON}, {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};

static int parse(int argc, char **argv, struct wanted *w, struct err *e)
{
    int c;
    args_begin();
    while ((c = getopt_long(argc, argv, "o:qh", options, NULL)) != -1) {
        switch (c) {
        case 'o':
            w->out = optarg;
            break;
        case OPT_MEASURE:
            w->measure = optarg;
            break;
        case OPT_JSON:
            w->json = true;
            break;
        case 'q':
            w->quiet = true;
            break;
        case 'h':
            w->help = true;
            return 0;
        default:
            return args_refuse("report", argv, options, e);
        }
    }
    if (argc - optind != 1)
        return err_set(e, ERR_EUSAGE, "got %d files, want one; see malv report --help",
                       argc - optind);
    return 0;
}

static int default_dir(const char *file, char *dir, size_t size, struct err *e)
{
    size_t len = strlen(file);
    if (len > 3 && !strcmp(file + len - 3, ".h5"))
        len -= 3;
    if (snprintf(dir, size, "%.*s-report", (int)len, file) >= (int)size)
        return err_set(e, ERR_EIO, "%.80s...: the path is too long", file);
    return 0;
}

static int say(const struct report *r, const struct wanted *w, const char *dir, struct err *e)
{
    struct outtext headline = {0};
    char path[PATH_MAX + 16];
    const int rc = report_headline_text(r, &headline, e);
    if (rc)
        return rc;
    snprintf(path, sizeof path, "%s/index.html", dir);
    if (w->json) {
        fputs("{\"headline\":", stdout);
        json_string(stdout, headline.data);
        fputs(",\"page\":", stdout);
        json_string(stdout, path);
        printf(",\"trials\":%zu,\"planned\":%llu,\"failed\":%zu,\"figures\":%zu,\"drawn\":%s}\n",
               r->rs->n_trial, (unsigned long long)r->rs->planned, r->failed, r->n_figure,
               r->drawn ? "true" : "false");
    } else if (!w->quiet) {
        printf("%s.\n%s: %zu of %llu trials, %zu figures\n", headline.data, path, r->rs->n_trial,
               (unsigned long long)r->rs->planned, r->n_figure);
    }
    outtext_free(&headline);
    if (!w->quiet && r->n_figure && !r->drawn)
        fprintf(stderr,
                "malv report: gnuplot is not installed: figures were not drawn, tables were\n");
    return 0;
}

static int write_report(const char *file, const struct wanted *w, struct err *e)
{
    struct result_set *rs = NULL;
    struct report *r = NULL;
    char dir[PATH_MAX];
    int rc = results_load(&rs, file, e);
    if (rc)
        return rc;
    rc = w->out ? 0 : default_dir(file, dir, sizeof dir, e);
    const char *to = w->out ? w->out : dir;
    if (!rc)
        rc = report_new(&r, rs, w->measure, e);
    if (!rc)
        rc = outfile_mkdir(to, e);
    if (!rc)
        rc = report_figures(r, to, e);
    if (!rc)
        rc = report_csv(r, to, e);
    if (!rc)
        rc = report_page(r, to, e);
    if (!rc)
        rc = say(r, w, to, e);
    report_free(r);
    results_free(rs);
    return rc;
}

int cmd_report(int argc, char **argv, struct err *e)
{
    struct wanted w = {0};
    const int rc = parse(argc, argv, &w, e);
    if (rc)
        return rc;
    if (w.help) {
        fputs(help, stdout);
        return 0;
    }
    return write_report(argv[optind], &w, e);
}
