/* cmd_model_cost.c - malv model cost: what a network's batches cost on a machine and a stack, where
 * the GPU begins to pay, and (--measure) what they take on this computer. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gpu-kernels/infer.h"
#include "harness/base/fmt.h"
#include "harness/base/places.h"
#include "harness/base/profile.h"
#include "harness/base/thismachine.h"
#include "harness/commands.h"
#include "harness/learn/model_file.h"
#include "models/mlaas/mlaas.h"

static const char help[] =
    "usage: malv model cost NAME|FILE [--machine FILE] [--stack STACK]\n"
    "                       [--submit launch|graph|mailbox] [--measure] [--json]\n\n"
    "Prints what a batch of a network's questions takes on a core and on the GPU when it meets\n"
    "nobody, crossings of the stack included, and the crossover of \"place\": \"table\".\n"
    "--measure  times the network's CPU twin on one core of this computer instead, as a table for\n"
    "           a profile's infer.net\n\n"
    "example: malv model cost linnos --machine machines/h100-server.json --stack malv\n";

enum { ROWS = 7 };
static const uint32_t rows_at[ROWS] = {1, 8, 16, 64, 256, 1024, 4096};

struct cost {
    const char *name, *machine_path, *stack_name;
    enum mlaas_submit submit;
    bool measure, json, help;

    struct model_file *file;
    const struct infer_net *net;
    struct machine *machine;
    const struct stack *stack;
    struct mlaas_ways ways;
    struct mlaas_net_cost of;
    double core_us[ROWS], gpu_us[ROWS];
    uint32_t crossover;
};

/* ---- by the profile ----------------------------------------------------------------- */

static int load_machine(struct cost *c, struct err *e)
{
    struct config *json;
    const bool here = !access(c->machine_path, R_OK);
    char *ours = here ? NULL : places_root(c->machine_path);
    int rc = profile_load(&json, ours && !access(ours, R_OK) ? ours : c->machine_path, e);
    free(ours);
    if (rc)
        return rc;
    rc = machine_load(&c->machine, json, e);
    config_free(json);
    return rc;
}

static int by_profile(struct cost *c, struct err *e)
{
    struct machine_use use;
    int rc = load_machine(c, e);
    if (!rc && !(c->stack = stack_find(c->stack_name, e)))
        rc = ERR_ENAME;
    if (rc || (rc = machine_use_begin(&use, c->machine, e)))
        return rc;
    rc = mlaas_ways(&c->ways, c->stack, true, c->submit, &use, e);
    if (!rc)
        rc = mlaas_net_cost(&c->of, infer_kind(c->net), infer_flops(c->net), c->ways.has_gpu,
                            c->machine, e);
    machine_use_end(&use);
    if (rc)
        return rc;
    for (int i = 0; i < ROWS; i++) {
        c->core_us[i] = (double)mlaas_alone_core(&c->ways, &c->of, rows_at[i]) / 1e6;
        c->gpu_us[i] =
            c->ways.has_gpu ? (double)mlaas_alone_gpu(&c->ways, &c->of, rows_at[i]) / 1e6 : 0;
    }
    c->crossover = mlaas_crossover(&c->ways, &c->of);
    return 0;
}

static void print_source(const char *what, const struct mlaas_curve *v)
{
    if (!v->lo)
        return;
    printf("%s from %s (%s)", what, v->lo->name, evidence_name(v->lo->evidence));
    if (v->hi)
        printf(" and %s (%s)", v->hi->name, evidence_name(v->hi->evidence));
    printf("\n");
}

static void print_profile(const struct cost *c)
{
    printf("%s: %s, %llu operations a row, %llu bytes of weights; on %s, stack %s\n\n", c->name,
           infer_kind(c->net), (unsigned long long)infer_flops(c->net),
           (unsigned long long)infer_bytes(c->net), c->machine->name, c->stack->name);
    printf("%6s %12s %12s   us, from question to answer, alone\n", "rows", "core", "GPU");
    for (int i = 0; i < ROWS; i++) {
        printf("%6u %12.2f ", rows_at[i], c->core_us[i]);
        if (c->ways.has_gpu)
            printf("%12.2f\n", c->gpu_us[i]);
        else
            printf("%12s\n", "-");
    }
    if (!c->ways.has_gpu)
        printf("\nthis stack has no way to the GPU\n");
    else if (c->crossover)
        printf("\nthe GPU is no slower from %u rows on\n", c->crossover);
    else
        printf("\na core is faster up to %d rows\n", MLAAS_BATCH_MOST);
    print_source("core:", &c->of.cpu);
    print_source("GPU: ", &c->of.gpu);
}

static void json_list(const char *key, const double *v)
{
    printf("\"%s\": [", key);
    for (int i = 0; i < ROWS; i++) {
        printf(i ? ", " : "");
        json_number(stdout, v[i]);
    }
    printf("]");
}

static void json_head(const struct cost *c)
{
    printf("{\"model\": ");
    json_string(stdout, c->name);
    printf(", \"kind\": \"%s\", \"flops\": %llu, \"bytes\": %llu,\n \"rows\": [",
           infer_kind(c->net), (unsigned long long)infer_flops(c->net),
           (unsigned long long)infer_bytes(c->net));
    for (int i = 0; i < ROWS; i++)
        printf(i ? ", %u" : "%u", rows_at[i]);
    printf("],\n ");
}

static void json_profile(const struct cost *c)
{
    json_head(c);
    printf("\"machine\": \"%s\", \"stack\": \"%s\", ", c->machine->name, c->stack->name);
    json_list("core_us", c->core_us);
    if (c->ways.has_gpu) {
        printf(", ");
        json_list("gpu_us", c->gpu_us);
        printf(", \"crossover\": ");
        if (c->crossover)
            printf("%u", c->crossover);
        else
            printf("null");
    }
    printf("}\n");
}

/* ---- by the clock ---------------------------------------------------------------------- */

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* us of a batch: the best of bursts, since what is asked is not the neighbours. */
static double best_us(struct infer_model *m, uint32_t rows, const float *x, float *y)
{
    const int calls = 1 + (int)(512 / rows);
    double best = INFINITY;
    for (double until = cpu_s() + 0.15; cpu_s() < until;) {
        const double begin = cpu_s();
        for (int i = 0; i < calls; i++)
            (void)infer_run(m, rows, x, y, NULL, 0);
        best = fmin(best, (cpu_s() - begin) / calls * 1e6);
    }
    return best;
}

static int time_twin(struct cost *c, struct infer *r, struct err *e)
{
    char why[256];
    uint32_t n_in, n_out;
    struct infer_model *m;
    infer_shape(c->net, &n_in, &n_out);
    if (infer_load(r, c->net, &m, why, sizeof why))
        return err_set(e, ERR_EFAIL, "%s", why);
    float *x = malloc((size_t)rows_at[ROWS - 1] * n_in * sizeof *x),
          *y = malloc((size_t)rows_at[ROWS - 1] * n_out * sizeof *y);
    for (size_t i = 0; x && i < (size_t)rows_at[ROWS - 1] * n_in; i++)
        x[i] = (float)(i * 7 % 10);
    for (int i = 0; x && y && i < ROWS; i++)
        c->core_us[i] = best_us(m, rows_at[i], x, y);
    int rc = x && y ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    free(x);
    free(y);
    infer_unload(m);
    return rc;
}

static int by_clock(struct cost *c, struct err *e)
{
    char why[256], cpu[128];
    struct infer *r;
    if (infer_open(&r, INFER_CPU, why, sizeof why))
        return err_set(e, ERR_EFAIL, "%s", why);
    int rc = time_twin(c, r, e);
    thismachine_cpu(cpu, sizeof cpu);
    if (!rc && c->json) {
        json_head(c);
        json_list("core_us", c->core_us);
        printf(", \"cpu\": ");
        json_string(stdout, cpu);
        printf(", \"backend\": ");
        json_string(stdout, infer_name(r));
        printf("}\n");
    } else if (!rc) {
        printf("%s: %s, %llu operations a row; %s on one core of %s\n\n%6s %12s   us\n", c->name,
               infer_kind(c->net), (unsigned long long)infer_flops(c->net), infer_name(r), cpu,
               "rows", "core");
        for (int i = 0; i < ROWS; i++)
            printf("%6u %12.3f\n", rows_at[i], c->core_us[i]);
    }
    infer_close(r);
    return rc;
}

/* ---- the command ------------------------------------------------------------------------ */

static int set_submit(struct cost *c, const char *text, struct err *e)
{
    static const char *const names[] = {"launch", "graph", "mailbox"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, names[i])) {
            c->submit = (enum mlaas_submit)i;
            return 0;
        }
    return err_set(e, ERR_EUSAGE, "--submit: got \"%.32s\", want launch, graph or mailbox", text);
}

static int options(struct cost *c, int argc, char **argv, struct err *e)
{
    static const struct option longs[] = {{"machine", required_argument, NULL, 'm'},
                                          {"stack", required_argument, NULL, 's'},
                                          {"submit", required_argument, NULL, 'u'},
                                          {"measure", no_argument, NULL, 'M'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int rc = 0;
    optind = 0;
    opterr = 0;
    for (int o; !rc && (o = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        if (o == '?')
            return err_set(e, ERR_EUSAGE,
                           "no option \"%.64s\", or its value is missing; see --help",
                           argv[optind - 1]);
        if (o == 'm')
            c->machine_path = optarg;
        else if (o == 's')
            c->stack_name = optarg;
        else if (o == 'u')
            rc = set_submit(c, optarg, e);
        c->measure |= o == 'M';
        c->json |= o == 'j';
        c->help |= o == 'h';
    }
    if (!rc && !c->help && optind + 1 != argc)
        rc = err_set(e, ERR_EUSAGE, "cost: want one model");
    c->name = argv[optind];
    return rc;
}

int cmd_model_cost(int argc, char **argv, struct err *e)
{
    struct cost c = {.machine_path = "machines/h100-server.json", .stack_name = "malv"};
    int rc = options(&c, argc, argv, e);
    if (rc || c.help) {
        printf("%s", rc ? "" : help);
        return rc;
    }
    rc = model_file_open(&c.file, c.name, e);
    if (rc)
        return rc;
    c.net = model_file_net(c.file);
    rc = c.measure ? by_clock(&c, e) : by_profile(&c, e);
    if (!rc && !c.measure)
        (c.json ? json_profile : print_profile)(&c);
    machine_free(c.machine);
    model_file_free(c.file);
    return rc;
}
