/* cmd_policy.c - malv policy: what there is, what it wants, whether it behaves,
 * and a first file for a new one. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/commands.h"
#include "harness/base/fmt.h"
#include "harness/policy/policy_check.h"
#include "harness/policy/policy_listen.h"
#include "harness/policy/policy_load.h"
#include "harness/policy/policy_new.h"
#include "models/policy_slot.h"

#define INFO_LIMIT_S 5

static const char help[] =
    "usage: malv policy list [--hook HOOK] [--json]\n"
    "       malv policy info  NAME|FILE.so [--json]\n"
    "       malv policy check NAME|FILE.so [--params JSON] [--limit S] [--json] [-q]\n"
    "       malv policy new   NAME [DIR] [--hook HOOK]\n\n"
    "list   policies beside the program, and the hooks that they answer at\n"
    "info   one policy: its hooks, and what it asks for (parameters, models) on creation\n"
    "check  drives all its hooks in a child process; exit status 3 when it misbehaves\n"
    "new    writes NAME.c into DIR (default: here), from the commented template for a hook:\n"
    "       serve.batch (default), cpu.pick, mem.evict, io.steer, or any other of these "
    "families\n\n"
    "example: malv policy new my-cache policies --hook mem.evict && make &&\n"
    "         malv policy check my-cache\n";

struct options {
    const char *params, *hook;
    double limit_s;
    bool json, quiet, help;
};

/* ---- list ----------------------------------------------------------------------- */

/* "mem.evict mem.place", or the same as a JSON array. */
static void print_hooks(const struct policy_ops *o, bool json)
{
    const char *between = json ? ", " : " ";
    unsigned set = policy_hooks(o), seen = 0;
    printf(json ? "[" : "");
    for (int h = 0; h < POLICY_HOOKS_N; h++)
        if (set & 1u << h)
            printf(json ? "%s\"%s\"" : "%s%s", seen++ ? between : "",
                   policy_hook_name((enum policy_hook)h));
    printf(json ? "]" : "");
}

/* "mem.evict", or a family: "mem".  An empty set: there is no such hook. */
static unsigned hooks_named(const char *text)
{
    unsigned set = 0;
    size_t n = strlen(text);
    for (int h = 0; h < POLICY_HOOKS_N; h++) {
        const char *name = policy_hook_name((enum policy_hook)h);
        if (n && !strncmp(name, text, n) && (!name[n] || name[n] == '.'))
            set |= 1u << h;
    }
    return set;
}

static void print_row(const struct policy_ops *o, bool json, bool first)
{
    if (json) {
        printf("%s\n {\"name\": \"%s\", \"oracle\": %s, \"hooks\": ", first ? "" : ",", o->name,
               o->oracle ? "true" : "false");
        print_hooks(o, true);
        printf(", \"summary\": ");
        json_string(stdout, o->summary ? o->summary : "");
        printf("}");
    } else {
        printf("%-18s %s\n%-18s at ", o->name, o->summary ? o->summary : "", "");
        print_hooks(o, false);
        printf("\n");
    }
}

/* Whether it was printed: it has one of the wanted hooks. */
static bool list_row(const char *name, bool json, unsigned wanted, bool first)
{
    struct policy *p;
    struct err e = {0};
    if (policy_load(&p, name, &e)) {
        fprintf(stderr, "malv policy: %s\n", e.msg);
        return false;
    }
    bool shown = policy_hooks(policy_ops(p)) & wanted;
    if (shown)
        print_row(policy_ops(p), json, first);
    policy_unload(p);
    return shown;
}

static int list(int argc, char **argv, const struct options *o, struct err *e)
{
    struct policy_names known;
    if (argc)
        return err_set(e, ERR_EUSAGE, "list: no use for \"%s\"", argv[0]);
    unsigned wanted = o->hook ? hooks_named(o->hook) : ~0u;
    if (!wanted)
        return err_set(e, ERR_ENAME, "list: no hook \"%.40s\"", o->hook);
    bool first = true;
    int rc = policy_names(&known, e);
    if (o->json)
        printf("[");
    for (size_t i = 0; !rc && i < known.n; i++)
        first = !list_row(known.name[i], o->json, wanted, first) && first;
    if (o->json)
        printf("\n]\n");
    policy_names_free(&known);
    return rc;
}

/* ---- info ------------------------------------------------------------------------- */

/* In a child, with an alarm: it is the policy's code that runs. */
static int print_asked(const struct policy_ops *o, bool json, struct err *e)
{
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return err_set(e, ERR_EFAIL, "no process to create the policy in");
    if (pid == 0) {
        alarm(INFO_LIMIT_S);
        policy_listen(o, json);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
        return 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        return err_set(e, ERR_ETOL, "%s misbehaves: create did not return within %d s", o->name,
                       INFO_LIMIT_S);
    return err_set(e, ERR_ETOL, "%s misbehaves: create ended the process: %s", o->name,
                   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it exited");
}

static int info(int argc, char **argv, const struct options *opt, struct err *e)
{
    struct policy *p;
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, "info: want one policy");
    int rc = policy_load(&p, argv[0], e);
    if (rc)
        return rc;
    const struct policy_ops *o = policy_ops(p);
    if (opt->json) {
        printf("{\"name\": \"%s\", \"abi\": %u, \"oracle\": %s, \"summary\": ", o->name, o->abi,
               o->oracle ? "true" : "false");
        json_string(stdout, o->summary ? o->summary : "");
        printf(", \"file\": ");
        json_string(stdout, policy_path(p));
        printf(", \"hooks\": ");
        print_hooks(o, true);
        printf(", \"parameters\": [");
    } else {
        printf("%s: %s\nfile        %s\nabi         %u\nhooks       ", o->name,
               o->summary ? o->summary : "", policy_path(p), o->abi);
        print_hooks(o, false);
        printf("\noracle      %s\nparameters\n", o->oracle ? "yes: is told the truth" : "no");
    }
    rc = print_asked(o, opt->json, e);
    if (opt->json)
        printf("]}\n");
    policy_unload(p);
    return rc;
}

/* ---- check ------------------------------------------------------------------------ */

static void print_check(const struct policy_ops *o, const struct policy_check *r,
                        const struct options *opt)
{
    if (opt->json) {
        printf("{\"policy\": \"%s\", \"fine\": %s, \"calls\": %llu, \"decisions\": %llu, \"why\": ",
               o->name, r->fine ? "true" : "false", (unsigned long long)r->calls,
               (unsigned long long)r->decisions);
        json_string(stdout, r->fine ? "" : r->why);
        printf("}\n");
    } else if (r->fine && !opt->quiet) {
        printf("%s behaves: %llu decisions in range, the same twice\n", o->name,
               (unsigned long long)r->decisions);
    }
}

static int check(int argc, char **argv, const struct options *opt, struct err *e)
{
    struct policy *p = NULL;
    struct config *params = NULL;
    struct policy_check r;
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, "check: want one policy");
    int rc =
        opt->params ? config_parse(&params, "--params", opt->params, strlen(opt->params), e) : 0;
    if (!rc && params && config_kind(params) != CONFIG_OBJECT)
        rc = config_complain(params, e, "an object of parameters");
    rc = rc ? rc : policy_load(&p, argv[0], e);
    if (!rc) {
        struct policy_check_want want = {.params = params, .limit_s = opt->limit_s};
        rc = policy_check(&r, policy_ops(p), &want, e);
    }
    if (!rc) {
        print_check(policy_ops(p), &r, opt);
        if (!r.fine)
            rc = err_set(e, ERR_ETOL, "%s misbehaves: %s", policy_ops(p)->name, r.why);
    }
    policy_unload(p);
    config_free(params);
    return rc;
}

static int new (int argc, char **argv, const struct options *opt, struct err *e)
{
    if (argc < 1 || argc > 2)
        return err_set(e, ERR_EUSAGE, "new: want a name and perhaps a folder");
    return policy_new(argv[0], argc == 2 ? argv[1] : ".", opt->hook, e);
}

/* ---- the command -------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, const struct options *o, struct err *e);
} actions[] = {{"list", list}, {"info", info}, {"check", check}, {"new", new}};

static int parse(int argc, char **argv, struct options *o, struct err *e)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"params", required_argument, NULL, 'p'},
                                          {"limit", required_argument, NULL, 'l'},
                                          {"hook", required_argument, NULL, 'k'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {0}};
    char *end;
    optind = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, "hq", longs, NULL)) != -1;)
        switch (c) {
        case 'j':
            o->json = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            o->help = true;
            break;
        case 'p':
            o->params = optarg;
            break;
        case 'k':
            o->hook = optarg;
            break;
        case 'l':
            o->limit_s = strtod(optarg, &end);
            if (*end || !(o->limit_s > 0 && o->limit_s <= 3600))
                return err_set(e, ERR_EUSAGE, "--limit: got \"%.32s\", want seconds 0..3600",
                               optarg);
            break;
        default:
            return err_set(e, ERR_EUSAGE,
                           "no option \"%.64s\", or its value is missing; see --help",
                           argv[optind - 1]);
        }
    return 0;
}

int cmd_policy(int argc, char **argv, struct err *e)
{
    struct options o = {0};
    int rc = parse(argc, argv, &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(help, stdout);
        return 0;
    }
    if (optind == argc)
        return err_set(e, ERR_EUSAGE, "want one of list, info, check, new; see --help");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (!strcmp(argv[optind], actions[i].name))
            return actions[i].run(argc - optind - 1, argv + optind + 1, &o, e);
    return err_set(e, ERR_EUSAGE, "no \"%.64s\"; want one of list, info, check, new", argv[optind]);
}
