/* malv capture - runs a program and keeps what it did on the GPU. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu-kernels/beside.h"
#include "gpu-kernels/cudrv.h"
#include "harness/base/args.h"
#include "harness/capture_files.h"
#include "harness/commands.h"
#include "traces/convert.h"

static const char help[] =
    "usage: malv capture [-o OUT.h5] [OPTIONS] [--] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs COMMAND and records its kernels, copies, memsets, launches and synchronizations, of all\n"
    "its processes, into a canonical trace (HDF5, malv-trace/1, table ops).  Ends with COMMAND's\n"
    "exit status.  A command that is killed still leaves what it did up to a fifth of a second\n"
    "before.\n"
    "\n"
    "  -o OUT.h5      the trace (default: capture.h5)\n"
    "  --keep-raw     leave OUT.h5.raw, what was recorded before it became a trace\n"
    "  --preload      load the recorder by LD_PRELOAD, where the driver does not load it\n"
    "  -q, --quiet    say nothing but errors\n"
    "  -h, --help     this text\n"
    "\n"
    "example: malv capture -o train.h5 -- python train.py --steps 20\n";

struct options {
    const char *out;
    bool keep_raw, preload, quiet, help;
    char **command;
};

enum { OPT_KEEP = 256, OPT_PRELOAD };
static const struct option longs[] = {{"keep-raw", no_argument, NULL, OPT_KEEP},
                                      {"preload", no_argument, NULL, OPT_PRELOAD},
                                      {"quiet", no_argument, NULL, 'q'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

static int parse_option(struct options *o, int c, char **argv, struct err *e)
{
    switch (c) {
    case 'o':
        o->out = optarg;
        return 0;
    case OPT_KEEP:
        o->keep_raw = true;
        return 0;
    case OPT_PRELOAD:
        o->preload = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case 'h':
        o->help = true;
        return 0;
    }
    return args_refuse("capture", argv, longs, e);
}

static int parse(struct options *o, int argc, char **argv, struct err *e)
{
    int c, rc = 0;
    args_begin();
    while (!rc && !o->help && (c = getopt_long(argc, argv, "+o:qh", longs, NULL)) != -1)
        rc = parse_option(o, c, argv, e);
    o->command = argv + optind;
    if (!rc && !o->help && !*o->command)
        rc = err_set(e, ERR_EUSAGE, "want a COMMAND to capture");
    return rc;
}

/* ---- what must be there ---- */

static int find_recorder(char *path, size_t n, struct err *e)
{
    if (beside_path("libmalv-capture.so", path, n) || access(path, R_OK))
        return err_set(e, ERR_EFAIL, "no libmalv-capture.so beside the program: make builds it");
    return 0;
}

static int find_gpu(struct err *e)
{
    struct cudrv d;
    char why[256];
    if (cudrv_any(&d, why, sizeof why))
        return err_set(e, ERR_EFAIL, "no GPU to capture on: %s", why);
    cudrv_close(&d);
    return 0;
}

/* ---- the command ---- */

static volatile sig_atomic_t running; /* process that signals are passed on to */

static void pass_on(int number)
{
    if (running > 0)
        kill((pid_t)running, number);
}

static void become(const struct options *o, const char *dir, const char *recorder, int told)
{
    const char *variable = o->preload ? "LD_PRELOAD" : "CUDA_INJECTION64_PATH";
    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    if (setenv("MALV_CAPTURE_DIR", dir, 1) || setenv(variable, recorder, 1) ||
        setenv("MALV_CAPTURE_PRELOAD", o->preload ? "1" : "0", 1) ||
        execvp(o->command[0], o->command)) {
        int why = errno;
        (void)!write(told, &why, sizeof why);
    }
    _exit(127);
}

/* The terminal's signals reach the command by themselves; what is sent to us alone is passed on. */
static void mind_signals(void)
{
    struct sigaction act = {.sa_handler = pass_on};
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

/* *status: as a shell has it, 128 + N for a signal. */
static int run(const struct options *o, const char *dir, const char *recorder, int *status,
               struct err *e)
{
    int tell[2], how, why = 0;
    if (pipe2(tell, O_CLOEXEC))
        return err_set(e, ERR_EFAIL, "no pipe: %s", strerror(errno));
    mind_signals();
    pid_t pid = fork();
    if (pid == 0)
        become(o, dir, recorder, tell[1]);
    running = pid;
    close(tell[1]);
    if (pid > 0 && read(tell[0], &why, sizeof why) < 0)
        why = 0;
    close(tell[0]);
    if (pid < 0)
        return err_set(e, ERR_EFAIL, "no process: %s", strerror(errno));
    while (waitpid(pid, &how, 0) < 0)
        if (errno != EINTR)
            return err_set(e, ERR_EFAIL, "%s: %s", o->command[0], strerror(errno));
    running = 0;
    if (why)
        return err_set(e, ERR_EUSAGE, "%s: %s", o->command[0], strerror(why));
    *status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return 0;
}

/* ---- from raw to a trace ---- */

static int convert(const struct options *o, const char *raw, struct trace_meta *meta, struct err *e)
{
    struct trace_file *f;
    int rc = trace_file_open(&f, raw, &import_malv_raw, 0, e);
    if (rc)
        return rc;
    rc = convert_to_store(f, o->out, STORE_DEFLATE, meta, NULL, NULL, e);
    trace_file_close(f);
    return rc;
}

static void say(const struct options *o, const struct trace_meta *m, int processes)
{
    char lost[64];
    if (style_get(m->style, "flags", lost) && strcmp(lost, "0"))
        fprintf(stderr, "malv capture: %s records were lost: the program outran its recorder\n",
                lost);
    if (!o->quiet)
        fprintf(stderr, "malv capture: wrote %s: %llu operations of %d process%s, %.3f s\n", o->out,
                (unsigned long long)m->ops, processes, processes == 1 ? "" : "es",
                (double)m->span_ns * 1e-9);
}

static int keep(const struct options *o, const char *dir, struct err *e)
{
    char raw[PATH_MAX];
    struct trace_meta meta;
    int processes = 0;
    if (snprintf(raw, sizeof raw, "%s.raw", o->out) >= (int)sizeof raw)
        return err_set(e, ERR_EUSAGE, "%s: too long a name", o->out);
    int rc = capture_files_gather(dir, raw, &processes, e);
    if (rc)
        return rc;
    if (!processes)
        return err_set(e, ERR_EFAIL,
                       "nothing was captured: %s did not start CUDA, or the recorder could not "
                       "start (it would have said so above)",
                       o->command[0]);
    if ((rc = convert(o, raw, &meta, e)))
        return err_wrap(e, rc, "what was recorded is in %s", raw);
    if (!o->keep_raw)
        unlink(raw);
    if (meta.ops) {
        say(o, &meta, processes);
        return 0;
    }
    unlink(o->out);
    return err_set(e, ERR_EFAIL, "%s started CUDA, but ran nothing on a GPU", o->command[0]);
}

static int capture(const struct options *o, struct err *e)
{
    char recorder[PATH_MAX], dir[PATH_MAX];
    int status = 0, rc = find_recorder(recorder, sizeof recorder, e);
    if (!rc)
        rc = find_gpu(e);
    if (!rc)
        rc = capture_files_begin(o->out, dir, sizeof dir, e);
    if (rc)
        return rc;
    rc = run(o, dir, recorder, &status, e);
    if (rc)
        rmdir(dir);
    else
        rc = keep(o, dir, e);
    return status ? status : rc;
}

int cmd_capture(int argc, char **argv, struct err *e)
{
    struct options o = {.out = "capture.h5"};
    int rc = parse(&o, argc, argv, e);
    if (!rc && o.help) {
        fputs(help, stdout);
        return 0;
    }
    return rc ? rc : capture(&o, e);
}
