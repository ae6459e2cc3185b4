/* malv figure - what others published, beside what we get. */
#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/commands.h"
#include "harness/base/args.h"
#include "harness/base/files.h"
#include "harness/base/fmt.h"
#include "harness/base/outfile.h"
#include "harness/base/places.h"
#include "harness/report/figure.h"
#include "harness/report/matrix.h"
#include "harness/report/study.h"

static const char help[] =
    "usage: malv figure NAME|PATH.json|all|list [OPTIONS]\n"
    "\n"
    "Runs the experiment behind a published figure and prints published, ours and error for\n"
    "every point.  Exit status 3 when the figure's stated tolerance is missed.  A figure whose "
    "public\n"
    "data is absent is skipped.  NAME is one of\n"
    "experiments/figures (malv figure list); a path runs a figure of your own from anywhere.\n"
    "NAME of experiments/matrices, where nothing is published: policies beside their baselines.\n"
    "\n"
    "  -o, --out DIR        write the figure (SVG, PNG, CSV, gnuplot script) into DIR\n"
    "  -j, --jobs N         worker processes (default: 1)\n"
    "      --markdown FILE  write the tables as Markdown (docs/validation.md is made so)\n"
    "      --json           machine-readable output; an array for all\n"
    "  -q, --quiet          no progress\n"
    "  -h, --help           this text\n"
    "\n"
    "example: malv figure queueing -j 2 -o out/figures\n";

struct wanted {
    const char *what, *out, *markdown;
    unsigned jobs;
    bool json, quiet, help;
};

enum { OPT_JSON = 256, OPT_MARKDOWN };
static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                        {"jobs", required_argument, NULL, 'j'},
                                        {"markdown", required_argument, NULL, OPT_MARKDOWN},
                                        {"json", no_argument, NULL, OPT_JSON},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int parse_jobs(const char *s, unsigned *jobs, struct err *e)
{
    char *end;
    const long n = strtol(s, &end, 10);
    if (end == s || *end || n < 1 || n > 4096)
        return err_set(e, ERR_EUSAGE,
                       "-j: got \"%.40s\", want a number of processes from 1 to 4096", s);
    *jobs = (unsigned)n;
    return 0;
}

static int parse(int argc, char **argv, struct wanted *w, struct err *e)
{
    int c, rc = 0;
    args_begin();
    while (!rc && (c = getopt_long(argc, argv, "o:j:qh", options, NULL)) != -1) {
        switch (c) {
        case 'o':
            w->out = optarg;
            break;
        case 'j':
            rc = parse_jobs(optarg, &w->jobs, e);
            break;
        case OPT_MARKDOWN:
            w->markdown = optarg;
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
            return args_refuse("figure", argv, options, e);
        }
    }
    if (!rc && argc - optind != 1)
        rc = err_set(e, ERR_EUSAGE,
                     "got %d figures, want one, or all, or list; see malv figure --help",
                     argc - optind);
    w->what = rc ? NULL : argv[optind];
    return rc;
}

/* The files of experiments/figures, in order of name. */
static int shipped(glob_t *g, struct err *e)
{
    char *pattern = places_root("experiments/figures/*.json");
    if (!pattern)
        return err_set(e, ERR_ENOMEM, "out of memory");
    const int rc = glob(pattern, 0, NULL, g);
    free(pattern);
    if (rc == GLOB_NOMATCH)
        return err_set(e, ERR_EIO, "experiments/figures holds no figure");
    return rc ? err_set(e, ERR_EIO, "cannot list experiments/figures") : 0;
}

static int path_of(const char *what, char *path, size_t size, struct err *e)
{
    const size_t len = strlen(what);
    if (strchr(what, '/') || (len > 5 && !strcmp(what + len - 5, ".json"))) {
        snprintf(path, size, "%s", what);
        return 0;
    }
    static const char *const folders[] = {"figures", "matrices"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char name[256];
        snprintf(name, sizeof name, "experiments/%s/%s.json", folders[i], what);
        char *found = places_root(name);
        snprintf(path, size, "%s", found ? found : "");
        free(found);
        if (*path && !access(path, R_OK))
            return 0;
    }
    return err_set(e, ERR_ENAME, "no figure \"%.120s\"; malv figure list names them", what);
}

static void list_one(const struct wanted *w, bool first, const char *name, const char *title,
                     const char *source)
{
    if (!w->json) {
        printf("%-20s %s\n", name, title);
        return;
    }
    fputs(first ? "[{\"name\":" : ",\n{\"name\":", stdout);
    json_string(stdout, name);
    fputs(",\"title\":", stdout);
    json_string(stdout, title);
    fputs(",\"source\":", stdout);
    json_string(stdout, source);
    fputs("}", stdout);
}

static int list(const struct wanted *w, struct err *e)
{
    glob_t g = {0};
    int rc = shipped(&g, e);
    for (size_t i = 0; !rc && i < g.gl_pathc; i++) {
        struct figure *f = NULL;
        struct study *s = NULL;
        rc = study_is(g.gl_pathv[i]) ? study_load(&s, g.gl_pathv[i], e)
                                     : figure_load(&f, g.gl_pathv[i], e);
        if (!rc && s)
            list_one(w, !i, s->name, s->title, s->source);
        else if (!rc)
            list_one(w, !i, f->name, f->title, f->source);
        figure_free(f);
        study_free(s);
    }
    if (!rc && w->json)
        fputs("]\n", stdout);
    globfree(&g);
    return rc;
}

static void say_undrawn(const struct wanted *w)
{
    if (!w->quiet)
        fprintf(stderr,
                "malv figure: gnuplot is not installed: wrote the data and the script only\n");
}

/* A study is judged by nobody: it says who wins. */
static int one_study(const char *path, const struct wanted *w, FILE *markdown, struct err *e)
{
    struct study *s;
    bool drawn = true;
    int rc = study_load(&s, path, e);
    if (rc)
        return rc;
    rc = study_run(s, w->jobs, w->quiet, e);
    if (!rc && w->json)
        study_json(s, stdout);
    else if (!rc)
        study_text(s, stdout);
    if (!rc && markdown)
        study_markdown(s, markdown);
    if (!rc && w->out)
        rc = study_draw(s, w->out, &drawn, e);
    if (!rc && !drawn)
        say_undrawn(w);
    study_free(s);
    return rc;
}

static int one_matrix(const char *path, const struct wanted *w, FILE *markdown, struct err *e)
{
    struct matrix *m;
    int rc = matrix_load(&m, path, e);
    if (rc)
        return rc;
    rc = matrix_run(m, w->jobs, w->quiet, e);
    if (!rc)
        (w->json ? matrix_json : matrix_text)(m, stdout);
    if (!rc && markdown)
        matrix_markdown(m, markdown);
    if (!rc && w->out)
        rc = matrix_csv(m, w->out, e);
    matrix_free(m);
    return rc;
}

/* One figure; *missed remembers the first that missed its tolerance. */
static int one(const char *path, const struct wanted *w, FILE *markdown, struct err *missed,
               struct err *e)
{
    struct figure *f;
    bool drawn = true;
    if (matrix_is(path))
        return one_matrix(path, w, markdown, e);
    int rc = figure_load(&f, path, e);
    if (rc)
        return rc;
    if (!f->absent)
        rc = figure_run(f, w->jobs, w->quiet, e);
    if (!rc && w->json)
        figure_json(f, stdout);
    else if (!rc)
        figure_text(f, stdout);
    if (!rc && markdown)
        figure_markdown(f, markdown);
    if (!rc && w->out && !f->absent)
        rc = figure_draw(f, w->out, &drawn, e);
    if (!rc && !drawn)
        say_undrawn(w);
    if (!rc && !f->absent && !f->pass)
        err_set(missed, ERR_ETOL, "%s: the tolerance of %g is missed: largest error %.4g", f->name,
                f->tolerance, f->max_error);
    figure_free(f);
    return rc;
}

static int run_figures(char *const *path, size_t n, const struct wanted *w, struct err *e)
{
    struct outtext page = {0};
    struct err missed = {0};
    const bool array = w->json && !strcmp(w->what, "all");
    int rc = w->markdown ? outtext_open(&page, e) : 0;
    if (!rc && w->markdown)
        figure_markdown_head(page.f);
    for (size_t i = 0; !rc && i < n; i++) {
        fputs(array ? i ? ",\n" : "[" : i ? "\n" : "", stdout);
        rc = study_is(path[i]) ? one_study(path[i], w, page.f, e)
                               : one(path[i], w, page.f, &missed, e);
    }
    fputs(array ? "]\n" : w->json ? "\n" : "", stdout);
    if (!rc && w->markdown)
        rc = outtext_close(&page, e);
    if (!rc && w->markdown)
        rc = files_write(w->markdown, page.data, page.len, e);
    outtext_free(&page);
    if (!rc && missed.code)
        rc = err_set(e, ERR_ETOL, "%s", missed.msg);
    return rc;
}

int cmd_figure(int argc, char **argv, struct err *e)
{
    struct wanted w = {.jobs = 1};
    char path[PATH_MAX], *const only[] = {path};
    int rc = parse(argc, argv, &w, e);
    if (rc)
        return rc;
    if (w.help) {
        fputs(help, stdout);
        return 0;
    }
    if (!strcmp(w.what, "list"))
        return list(&w, e);
    if (!strcmp(w.what, "all")) {
        glob_t g = {0};
        rc = shipped(&g, e);
        if (!rc)
            rc = run_figures(g.gl_pathv, g.gl_pathc, &w, e);
        globfree(&g);
        return rc;
    }
    rc = path_of(w.what, path, sizeof path, e);
    return rc ? rc : run_figures(only, 1, &w, e);
}
