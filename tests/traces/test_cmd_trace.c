/* What malv trace prints for programs is JSON, and its exit status is what it says. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/config.h"

static char path[64];

static void begin(void)
{
    snprintf(path, sizeof path, "/tmp/malv-cmd-%ld.h5", (long)getpid());
}

static void end(void)
{
    unlink(path);
}

TestSuite(cmd_trace, .init = begin, .fini = end);

/* Runs BUILD/malv trace ARGS with FILE for %s; returns its exit status. */
static int run(const char *args, char *out, size_t n)
{
    char line[512], cmd[600];
    snprintf(line, sizeof line, args, path);
    snprintf(cmd, sizeof cmd, "%s/malv trace %s 2>&1", BUILD, line);
    FILE *f = popen(cmd, "r");
    cr_assert(f);
    size_t len = fread(out, 1, n - 1, f);
    out[len] = 0;
    int status = pclose(f);
    cr_assert(WIFEXITED(status), "%s", cmd);
    return WEXITSTATUS(status);
}

static struct config *json(const char *args)
{
    static char out[65536];
    struct err e = {0};
    struct config *c = NULL;
    cr_assert_eq(run(args, out, sizeof out), 0, "%s: %s", args, out);
    cr_assert_eq(config_parse(&c, "out", out, strlen(out), &e), 0, "%s: %s", args, e.msg);
    return c;
}

static double number(const struct config *c, const char *a, const char *b)
{
    struct err e = {0};
    double v = -1;
    const struct config *at = config_get(c, a);
    if (b)
        at = at ? config_get(at, b) : NULL;
    cr_assert(at, "%s / %s is missing", a, b ? b : "");
    cr_assert_eq(config_f64(at, -1e18, 1e18, &v, &e), 0, "%s", e.msg);
    return v;
}

Test(cmd_trace, prints_json)
{
    struct config *c = json("synth --preset mooncake -n 500 --seed 3 -o %s --json");
    cr_expect_eq(number(c, "rows", NULL), 500);
    config_free(c);
    c = json("info %s --json");
    cr_expect_eq(number(c, "facts", "rows"), 500);
    cr_expect_gt(number(config_get(c, "facts"), "prefix_block_hit_ratio LRU cap=inf", "ratio"),
                 0.05);
    config_free(c);
    c = json("verify %s --json");
    cr_expect_eq(number(c, "rows", NULL), 500);
    config_free(c);
    c = json("list --json");
    cr_expect_geq(config_count(c), 5);
    config_free(c);
}

/* Another digest in place of the one that the file says. */
static void tamper(const char *digest)
{
    FILE *f = fopen(path, "r+b");
    static char all[1 << 20];
    size_t n = fread(all, 1, sizeof all, f);
    char *at = memmem(all, n, digest, 64);
    cr_assert(at, "the digest is not in the file");
    fseek(f, at - all, SEEK_SET);
    fputc(*digest == '0' ? '1' : '0', f);
    fclose(f);
}

Test(cmd_trace, verify_says_three_when_a_file_is_not_what_it_says)
{
    char out[4096];
    const char *digest;
    struct err e = {0};
    struct config *c = json("synth -n 300 -o %s --json");
    cr_assert_eq(config_str(config_get(c, "digest"), &digest, &e), 0);
    tamper(digest);
    config_free(c);
    cr_expect_eq(run("verify %s", out, sizeof out), 3);
    cr_expect(strstr(out, "attribute digest says "), "%s", out);
}

Test(cmd_trace, every_verb_has_help_with_an_example)
{
    static const char *const verbs[] = {"import", "info", "verify", "synth",
                                        "export", "list", "get"};
    char out[8192], args[64];
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        snprintf(args, sizeof args, "%s --help", verbs[i]);
        cr_assert_eq(run(args, out, sizeof out), 0, "%s", out);
        cr_expect(strstr(out, "usage: malv trace ") && strstr(out, "example: malv trace "), "%s",
                  out);
    }
}

Test(cmd_trace, quiet_is_quiet)
{
    char out[4096];
    cr_assert_eq(run("synth -n 10 -q -o %s", out, sizeof out), 0);
    cr_expect_str_eq(out, "");
    cr_assert_eq(run("verify -q %s", out, sizeof out), 0);
    cr_expect_str_eq(out, "");
}

/* Of one's own data in a published format: the trace does not say that it is the publisher's. */
Test(cmd_trace, a_source_of_ones_own)
{
    static const struct {
        const char *options, *says[2];
    } cases[] = {{"", {"Azure LLM inference traces", "CC-BY-4.0"}},
                 {"--source 'our gateway'", {"our gateway", "not said"}},
                 {"--source 'our gateway' --licence internal", {"our gateway", "internal"}},
                 {"--licence internal", {"Azure LLM inference traces", "internal"}}};
    char args[256], out[8192];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(args, sizeof args,
                 "import tests/traces/files/azure-own.csv %s -o %%s -q && %s/malv trace info %%s",
                 cases[i].options, BUILD);
        char line[512];
        snprintf(line, sizeof line, args, path, path);
        cr_assert_eq(run(line, out, sizeof out), 0, "%s", out);
        for (int k = 0; k < 2; k++)
            cr_expect(strstr(out, cases[i].says[k]), "%s: no \"%s\" in %s", cases[i].options,
                      cases[i].says[k], out);
        unlink(path);
    }
}
