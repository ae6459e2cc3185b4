/* malv calibrate - what things cost on this machine, as a machine profile. */
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/args.h"
#include "harness/base/files.h"
#include "harness/base/outfile.h"
#include "harness/base/profile.h"
#include "harness/calibrate/calibrate.h"
#include "harness/calibrate/calibrate_write.h"
#include "harness/commands.h"

static const char help[] = "usage: malv calibrate [OPTIONS]\n"
                           "\n"
                           "Measures this machine and prints what it found:\n"
#define X(name, what) "  " #name ": " what "\n"
    CALIBRATE_PROBES(X)
#undef X
        "What can't be measured here is listed with the reason.\n"
        "\n"
        "  -o MACHINE.json     write a machine profile (schema malv-machine/1)\n"
        "  --base FILE.json    a profile that says what was not measured\n"
        "  --name NAME         of the profile (default: this-machine)\n"
        "  --json              print the profile instead of the table\n"
        "  --only PROBE        one of the probes above; may be given several times\n"
        "  --repeats N         1 to 15 (default 9); a number is the median\n"
        "  --quick             a look, not a measurement\n"
        "  --gpu               measure the GPU as well\n"
        "  -q, --quiet         no progress on standard error\n"
        "  -h, --help          this text\n"
        "\n"
        "example: malv calibrate --base machines/h100-server.json -o mine.json\n";

static const struct {
    const char *name;
    int (*run)(struct calibration *c, struct err *e);
} probes[] = {
#define X(name, what) {#name, calibrate_##name},
    CALIBRATE_PROBES(X)
#undef X
};
enum { N_PROBES = sizeof probes / sizeof *probes };

struct options {
    const char *out, *base, *name;
    bool json, quick, quiet, help, gpu, only[N_PROBES], some;
    int repeats;
};

enum { OPT_BASE = 256, OPT_NAME, OPT_JSON, OPT_ONLY, OPT_REPEATS, OPT_QUICK, OPT_GPU };
static const struct option longs[] = {{"base", required_argument, NULL, OPT_BASE},
                                      {"name", required_argument, NULL, OPT_NAME},
                                      {"json", no_argument, NULL, OPT_JSON},
                                      {"only", required_argument, NULL, OPT_ONLY},
                                      {"repeats", required_argument, NULL, OPT_REPEATS},
                                      {"quick", no_argument, NULL, OPT_QUICK},
                                      {"gpu", no_argument, NULL, OPT_GPU},
                                      {"quiet", no_argument, NULL, 'q'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static int want_probe(struct options *o, const char *name, struct err *e)
{
    for (int i = 0; i < N_PROBES; i++)
        if (!strcmp(name, probes[i].name)) {
            o->only[i] = o->some = true;
            return 0;
        }
    return err_set(e, ERR_EUSAGE, "--only: got \"%s\", want one of those in malv calibrate --help",
                   name);
}

static int parse_option(struct options *o, int c, char **argv, struct err *e)
{
    switch (c) {
    case 'o':
        o->out = optarg;
        return 0;
    case OPT_BASE:
        o->base = optarg;
        return 0;
    case OPT_NAME:
        o->name = optarg;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_ONLY:
        return want_probe(o, optarg, e);
    case OPT_REPEATS:
        return args_repeats(optarg, CALIBRATE_REPEATS, &o->repeats, e);
    case OPT_QUICK:
        o->quick = true;
        return 0;
    case OPT_GPU:
        o->gpu = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case 'h':
        o->help = true;
        return 0;
    }
    return args_refuse("calibrate", argv, longs, e);
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    int c, rc = 0;
    args_begin();
    while (!rc && !o->help && (c = getopt_long(argc, argv, "o:qh", longs, NULL)) != -1)
        rc = parse_option(o, c, argv, e);
    if (!rc && optind < argc)
        rc = err_set(e, ERR_EUSAGE, "got \"%s\", want no argument", argv[optind]);
    return rc;
}

/* The CPU we are on and another one that we may use. */
static void choose_cpus(struct calibration *c)
{
    cpu_set_t may;
    int here = sched_getcpu();
    c->cpu = c->other = here < 0 ? 0 : (unsigned)here;
    if (sched_getaffinity(0, sizeof may, &may))
        return;
    for (unsigned i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &may) && i != c->cpu) {
            c->other = i;
            return;
        }
}

/* The GPU comes first, and only when it is asked for. */
static bool wanted(const struct options *o, int i)
{
    bool gpu = probes[i].run == calibrate_gpu;
    return o->only[i] || (gpu ? o->gpu : !o->some);
}

static int measure(struct calibration *c, const struct options *o, struct err *e)
{
    int rc = 0;
    choose_cpus(c);
    for (int i = 0; i < N_PROBES && !rc; i++) {
        if (!wanted(o, i))
            continue;
        if (!o->quiet && isatty(2))
            fprintf(stderr, "malv calibrate: %s\n", probes[i].name);
        rc = probes[i].run(c, e);
    }
    if (!rc && c->failed)
        rc = err_set(e, ERR_ENOMEM, "out of memory");
    return rc;
}

static int make_folder(const char *path, struct err *e)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *dir = strndup(path, (size_t)(slash - path));
    int rc = dir ? outfile_mkdir(dir, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(dir);
    return rc;
}

static int write_profile(const struct config *profile, const char *path, struct err *e)
{
    struct outtext t;
    int rc = make_folder(path, e);
    if (!rc)
        rc = outtext_open(&t, e);
    if (rc)
        return rc;
    profile_print(profile, t.f);
    rc = outtext_close(&t, e);
    if (!rc)
        rc = files_write(path, t.data, t.len, e);
    outtext_free(&t);
    return rc;
}

static int calibrate(const struct options *o, const struct config *base, struct err *e)
{
    struct calibration c = {.quick = o->quick, .repeats = o->repeats};
    struct config *profile = NULL;
    int rc = measure(&c, o, e);
    if (!rc)
        rc = calibrate_profile(&c, o->name, base, &profile, e);
    if (!rc && o->json)
        profile_print(profile, stdout);
    else if (!rc)
        calibrate_print(&c, stdout);
    if (!rc && o->out && !(rc = write_profile(profile, o->out, e)) && !o->json && !o->quiet)
        printf("wrote %s\n", o->out);
    config_free(profile);
    free(c.row);
    return rc;
}

int cmd_calibrate(int argc, char **argv, struct err *e)
{
    struct options o = {.name = "this-machine", .repeats = 9};
    struct config *base = NULL;
    int rc = parse(&o, argc, argv, e);
    if (!rc && o.help) {
        fputs(help, stdout);
        return 0;
    }
    if (!rc && o.base)
        rc = profile_load(&base, o.base, e);
    if (!rc)
        rc = calibrate(&o, base, e);
    config_free(base);
    return rc;
}
