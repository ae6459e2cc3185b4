/* A policy written from docs/policies.md by someone who has that page and policies/policy.h, built
 * outside the tree, loads and runs: the page's own example is taken from it, word by word. */
#include <criterion/criterion.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE "docs/policies.md"

static const char *page(void)
{
    static char text[1 << 18];
    FILE *f = fopen(PAGE, "r");
    cr_assert_not_null(f, PAGE);
    const size_t n = fread(text, 1, sizeof text - 1, f);
    cr_assert(n && n < sizeof text - 1);
    fclose(f);
    return text;
}

/* What the page writes by `cat >NAME <<'END'` goes to DIR/NAME. */
static void take(const char *text, const char *name, const char *dir)
{
    char head[128], path[PATH_MAX];
    snprintf(head, sizeof head, "cat >%s <<'END'\n", name);
    const char *from = strstr(text, head), *to = from ? strstr(from, "\nEND\n") : NULL;
    cr_assert(from && to, "%s does not write %s", PAGE, name);
    from += strlen(head);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(from, 1, (size_t)(to + 1 - from), f), (size_t)(to + 1 - from));
    cr_assert_eq(fclose(f), 0);
}

/* The one line of the page that begins so, without its -I: the header lies beside the file. */
static void line_of(const char *text, const char *begin, char *out, size_t n)
{
    char head[64];
    snprintf(head, sizeof head, "\n%s", begin);
    const char *at = strstr(text, head);
    cr_assert_not_null(at, "%s has no line \"%s..\"", PAGE, begin);
    snprintf(out, n, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    char *option = strstr(out, "-Ipolicies ");
    if (option)
        memmove(option, option + 11, strlen(option + 11) + 1);
}

static void sh(const char *dir, const char *command)
{
    char line[5 * PATH_MAX];
    snprintf(line, sizeof line, "cd %s && { %s; } >log 2>&1 || { cat log; false; }", dir, command);
    cr_assert_eq(system(line), 0, "%s", command);
}

Test(outside, a_policy_from_the_page_and_the_header_alone_loads_and_runs, .timeout = 120)
{
    char dir[] = "/tmp/malv-outside-XXXXXX", command[3 * PATH_MAX], build[PATH_MAX], cc[512];
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_not_null(realpath(BUILD, build));
    const char *text = page();
    take(text, "sampled_lru.c", dir);
    take(text, "cache.json", dir);
    line_of(text, "cc -std=c11", cc, sizeof cc);
    snprintf(command, sizeof command, "cp policies/policy.h %s", dir);
    cr_assert_eq(system(command), 0);
    sh(dir, "test $(ls | wc -l) -le 4"); /* with the log: nothing else of the tree */
    sh(dir, cc);
    snprintf(command, sizeof command, "%s/malv policy check ./sampled_lru.so", build);
    sh(dir, command);
    snprintf(
        command, sizeof command,
        "%s/malv sweep cache.json -q -o cache.h5 && %s/malv compare cache.h5 | grep '5 samples'",
        build, build);
    sh(dir, command);
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_expect_eq(system(command), 0);
}
