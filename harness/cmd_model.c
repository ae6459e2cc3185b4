/* cmd_model.c - malv model: trains, imports, shows and scores the networks of
 * learned policies. */
#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/commands.h"
#include "harness/base/fmt.h"
#include "harness/policy/infer_host.h"
#include "harness/learn/model_data.h"
#include "harness/learn/model_file.h"
#include "harness/learn/model_import.h"
#include "harness/learn/model_info.h"
#include "harness/learn/model_trainer.h"
#include "harness/learn/model_score.h"
#include "harness/learn/model_train.h"
#include "harness/base/places.h"

static const char help[] =
    "usage: malv model train  NAME [--KIND] [--trace TRACE].. [--eval TRACE].. [--machine FILE]\n"
    "                              [--requests N] [--seed N] [--hidden N] [--epochs N] [--batch "
    "N]\n"
    "                              [--patience N] [--rate R] [--quantile Q] [--int8] [-o DIR]\n"
    "                              [--json] [-q]\n"
    "       malv model eval   NAME|FILE [--trace TRACE] [--requests N] [--seed N]\n"
    "                              [--backend B] [--json]\n"
    "       malv model info   NAME|FILE [--json]\n"
    "       malv model cost   NAME|FILE (its own --help)\n"
    "       malv model import FILE NAME [-o DIR]\n\n"
    "train   writes NAME.safetensors and NAME.json into policies/weights. Kinds:\n";

static const char help_rest[] =
    "eval    scores a network of answer lengths beside trivial baselines\n"
    "import  takes a perceptron from safetensors written elsewhere, the trees of an XGBoost\n"
    "        model that was saved as .json, or a perceptron or a tree ensemble from .onnx\n"
    "TRACE   synth:PRESET, a published file (data:..), an .h5, or a section as in experiments\n\n"
    "example: malv model train my_lengths --trace synth:mixed --requests 20000 -o out\n";

static void print_help(void)
{
    const struct model_trainer *k;
    fputs(help, stdout);
    for (size_t i = 0; (k = model_trainer_at(i)); i++) {
        printf("        --%s: ", k->option);
        fputs(k->help, stdout);
    }
    fputs(help_rest, stdout);
}

struct options {
    struct model_train_want train;
    enum infer_backend backend;
    const struct model_trainer *kind;
    bool trace_given, help;
};

/* ---- train ----------------------------------------------------------------------- */

static int is_word(const char *name)
{
    return *name && strlen(name) <= 48 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static int check_name(const char *name, struct err *e)
{
    return is_word(name)
               ? 0
               : err_set(e, ERR_EUSAGE, "\"%.64s\" is no name for a model, want [a-z0-9_]+", name);
}

/* What this kind of network has no use for. */
static int check_kind(const struct options *o, struct err *e)
{
    const struct model_trainer *k = o->kind;
    const char *bad = o->train.n_eval && !k->evals      ? "--eval"
                      : o->train.int8 && !k->int8       ? "--int8"
                      : o->trace_given && !k->traces    ? "--trace"
                      : o->train.machine && !k->machine ? "--machine"
                                                        : NULL;
    if (!bad)
        return 0;
    return err_set(e, ERR_EUSAGE, "%s: not with --%s", bad, k->option);
}

static int train(int argc, char **argv, struct options *o, struct err *e)
{
    struct model_train_want *w = &o->train;
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, "train: want one name");
    int rc = check_name(argv[0], e);
    if (rc)
        return rc;
    char *dir = w->dir ? strdup(w->dir) : places_root("policies/weights");
    if (!dir)
        return err_set(e, ERR_ENOMEM, "out of memory");
    w->name = argv[0];
    w->dir = dir;
    const struct model_trainer *k = o->kind;
    for (size_t i = 0; k->traces && !o->trace_given && k->traces[i]; i++)
        w->trace[w->n_trace++] = k->traces[i];
    rc = check_kind(o, e);
    rc = rc ? rc : k->train(w, e);
    free(dir);
    return rc;
}

/* ---- eval ------------------------------------------------------------------------- */

static int score(const struct infer_mlp *mlp, const struct model_data *d, const struct options *o,
                 struct model_score *s, struct err *e)
{
    char why[256];
    struct infer *runtime;
    struct infer_model *net;
    struct model_known known;
    int rc = model_known(&known, &d->rows, d->rows.n, e);
    if (rc)
        return rc;
    if (infer_open(&runtime, o->backend, why, sizeof why))
        return err_set(e, ERR_EFAIL, "inference: %s", why);
    if (infer_load_mlp(runtime, mlp, &net, why, sizeof why)) {
        rc = err_set(e, ERR_EFAIL, "inference: %s", why);
    } else {
        rc = model_score(s, net, &d->rows, 0, d->rows.n, &known, o->train.o.seed, e);
        infer_unload(net);
    }
    infer_close(runtime);
    return rc;
}

static int usable(const struct infer_mlp *mlp, const char *path, struct err *e)
{
    if (!mlp)
        return err_set(e, ERR_ENAME, "%s: no perceptron, which is what length policies want", path);
    if (mlp->n_in == LENGTH_N && mlp->n_out == 2)
        return 0;
    return err_set(e, ERR_ERANGE,
                   "%s: a %u-%u-%u network, length policies want %d inputs, 2 outputs", path,
                   mlp->n_in, mlp->n_hidden, mlp->n_out, LENGTH_N);
}

static int eval(int argc, char **argv, struct options *o, struct err *e)
{
    struct model_file *m = NULL;
    struct model_data d = {0};
    struct model_score s;
    struct model_train_want *w = &o->train;
    if (argc != 1 || w->n_trace > 1)
        return err_set(e, ERR_EUSAGE, "eval: want one model and one --trace");
    const char *trace = w->n_trace ? w->trace[0] : "synth:mixed";
    int rc = model_file_open(&m, argv[0], e);
    rc = rc ? rc : usable(model_file_mlp(m), model_file_path(m), e);
    rc = rc ? rc : model_data_load(&d, trace, w->o.seed, w->requests, false, e);
    rc = rc ? rc : score(model_file_mlp(m), &d, o, &s, e);
    if (!rc && w->json) {
        printf("{\"model\": ");
        json_string(stdout, argv[0]);
        printf(", \"trace\": %s,\n \"accuracy\": ", d.about);
        model_score_json(stdout, &s);
        printf("}\n");
    } else if (!rc) {
        model_score_print(stdout, &s);
    }
    model_data_free(&d);
    model_file_free(m);
    return rc;
}

/* ---- info, import -------------------------------------------------------------------- */

static int info(int argc, char **argv, struct options *o, struct err *e)
{
    struct model_file *m;
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, "info: want one model");
    int rc = model_file_open(&m, argv[0], e);
    if (rc)
        return rc;
    model_info(stdout, m, o->train.json);
    model_file_free(m);
    return 0;
}

static int import(int argc, char **argv, struct options *o, struct err *e)
{
    if (argc != 2)
        return err_set(e, ERR_EUSAGE, "import: want a file and a name");
    int rc = check_name(argv[1], e);
    if (rc)
        return rc;
    char *from, *to = NULL, *weights = places_root("policies/weights");
    /* A bare file name is a path here, not one of our models. */
    bool bare = !strchr(argv[0], '/');
    if (asprintf(&from, "%s%s", bare ? "./" : "", argv[0]) < 0 || !weights ||
        asprintf(&to, "%s/%s.safetensors", o->train.dir ? o->train.dir : weights, argv[1]) < 0)
        return err_set(e, ERR_ENOMEM, "out of memory");
    rc = model_import(from, to, argv[0], o->train.quiet ? NULL : stdout, e);
    free(from);
    free(to);
    free(weights);
    return rc;
}

/* ---- the command ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, struct options *o, struct err *e);
} actions[] = {{"train", train}, {"eval", eval}, {"info", info}, {"import", import}};

enum {
    O_TRACE = 256,
    O_EVAL,
    O_REQUESTS,
    O_SEED,
    O_HIDDEN,
    O_EPOCHS,
    O_BATCH,
    O_PATIENCE,
    O_RATE,
    O_QUANTILE,
    O_INT8,
    O_KIND,
    O_MACHINE,
    O_JSON,
    O_BACKEND
};

static const struct option longs[] = {{"trace", required_argument, NULL, O_TRACE},
                                      {"eval", required_argument, NULL, O_EVAL},
                                      {"requests", required_argument, NULL, O_REQUESTS},
                                      {"seed", required_argument, NULL, O_SEED},
                                      {"hidden", required_argument, NULL, O_HIDDEN},
                                      {"epochs", required_argument, NULL, O_EPOCHS},
                                      {"batch", required_argument, NULL, O_BATCH},
                                      {"patience", required_argument, NULL, O_PATIENCE},
                                      {"rate", required_argument, NULL, O_RATE},
                                      {"quantile", required_argument, NULL, O_QUANTILE},
                                      {"int8", no_argument, NULL, O_INT8},
                                      {"machine", required_argument, NULL, O_MACHINE},
                                      {"json", no_argument, NULL, O_JSON},
                                      {"backend", required_argument, NULL, O_BACKEND},
                                      {"help", no_argument, NULL, 'h'},
                                      {"quiet", no_argument, NULL, 'q'},
                                      {0}};

/* Those, and each kind of network that can be trained. */
enum { LONGS = sizeof longs / sizeof *longs, KINDS = 16 };
static void all_options(struct option to[LONGS + KINDS])
{
    const struct model_trainer *k;
    size_t n = 0;
    while ((k = model_trainer_at(n)) && n < KINDS)
        to[n++] = (struct option){k->option, no_argument, NULL, O_KIND};
    memcpy(to + n, longs, sizeof longs);
}

/* Options that are numbers: where they go, and between what. */
enum kind { U64, U32, F64 };
#define AT(member) offsetof(struct model_train_want, member)
static const struct {
    int option;
    const char *name;
    enum kind kind;
    size_t at;
    double lo, hi;
} numbers[] = {{O_REQUESTS, "requests", U64, AT(requests), 20, 1e7},
               {O_SEED, "seed", U64, AT(o.seed), 0, 1e15},
               {O_HIDDEN, "hidden", U32, AT(o.hidden), 1, 1024},
               {O_EPOCHS, "epochs", U32, AT(o.epochs), 1, 10000},
               {O_BATCH, "batch", U32, AT(o.batch), 1, 65536},
               {O_PATIENCE, "patience", U32, AT(o.patience), 1, 10000},
               {O_RATE, "rate", F64, AT(o.rate), 1e-9, 1},
               {O_QUANTILE, "quantile", F64, AT(o.quantile), 0.01, 0.99}};

static int set_number(int option, const char *text, struct model_train_want *w, struct err *e)
{
    size_t i = 0;
    while (numbers[i].option != option)
        i++;
    char *end, *to = (char *)w + numbers[i].at;
    bool whole = numbers[i].kind != F64;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= numbers[i].lo && v <= numbers[i].hi) ||
        (whole && v != (double)(uint64_t)v))
        return err_set(e, ERR_EUSAGE, "--%s: got \"%.32s\", want %s %g..%g", numbers[i].name, text,
                       whole ? "a whole number" : "a number", numbers[i].lo, numbers[i].hi);
    if (numbers[i].kind == U64)
        *(uint64_t *)(void *)to = (uint64_t)v;
    else if (numbers[i].kind == U32)
        *(uint32_t *)(void *)to = (uint32_t)v;
    else
        *(double *)(void *)to = v;
    return 0;
}

static int add_trace(const char **list, size_t *n, const char *text, struct err *e)
{
    if (*n == MODEL_TRACES)
        return err_set(e, ERR_EUSAGE, "more than %d traces", MODEL_TRACES);
    list[(*n)++] = text;
    return 0;
}

static int set(int c, const char *text, struct options *o, struct err *e)
{
    struct model_train_want *w = &o->train;
    switch (c) {
    case 'h':
        o->help = true;
        return 0;
    case 'q':
        w->quiet = true;
        return 0;
    case 'o':
        w->dir = text;
        return 0;
    case O_KIND: /* known since before the first option: it has the defaults */
        return 0;
    case O_MACHINE:
        w->machine = text;
        return 0;
    case O_INT8:
        w->int8 = true;
        return 0;
    case O_JSON:
        w->json = true;
        return 0;
    case O_TRACE:
        o->trace_given = true;
        return add_trace(w->trace, &w->n_trace, text, e);
    case O_EVAL:
        return add_trace(w->eval, &w->n_eval, text, e);
    case O_BACKEND:
        return infer_host_backend(text, &o->backend, e);
    default:
        return set_number(c, text, w, e);
    }
}

/* The kind sets the defaults, wherever in the command it stands. */
static void choose_kind(struct options *o, int argc, char **argv)
{
    const struct model_trainer *named = NULL, *said = NULL, *k;
    for (int i = 2; i < argc && !strcmp(argv[1], "train"); i++) {
        if ((k = model_trainer_name(argv[i])))
            named = k;
        if (!strncmp(argv[i], "--", 2) && (k = model_trainer_option(argv[i] + 2)))
            said = k;
    }
    o->kind = said ? said : named ? named : model_trainer_at(0);
    o->train.o = o->kind->o;
    o->train.requests = o->kind->requests;
    o->train.machine = o->kind->machine;
}

int cmd_model(int argc, char **argv, struct err *e)
{
    if (argc > 1 && !strcmp(argv[1], "cost"))
        return cmd_model_cost(argc - 1, argv + 1, e);
    struct options o = {.backend = INFER_AUTO};
    struct option known[LONGS + KINDS];
    all_options(known);
    choose_kind(&o, argc, argv);
    optind = 0;
    opterr = 0;
    for (int c, rc; (c = getopt_long(argc, argv, "hqo:", known, NULL)) != -1;) {
        if (c == '?')
            return err_set(e, ERR_EUSAGE,
                           "no option \"%.64s\", or its value is missing; see --help",
                           argv[optind - 1]);
        if ((rc = set(c, optarg, &o, e)))
            return rc;
    }
    if (o.help) {
        print_help();
        return 0;
    }
    if (optind == argc)
        return err_set(e, ERR_EUSAGE, "want one of train, eval, info, import; see --help");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(argv[optind], actions[i].name))
            return actions[i].run(argc - optind - 1, argv + optind + 1, &o, e);
    return err_set(e, ERR_EUSAGE, "no \"%.64s\"; want one of train, eval, info, import",
                   argv[optind]);
}
