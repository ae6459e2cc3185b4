/* test_bad.c - runs every case of tests/bad/ *.cases against the program. */
#include "tests/bad/cases.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *dir, const struct bad_file *file, const char *root)
{
    char path[1024], cmd[4096];
    snprintf(path, sizeof path, "%s/%s", dir, file->name);
    if (!file->text) {
        snprintf(cmd, sizeof cmd, "cp %s/tests/bad/files/%s %s", root, file->name, path);
        cr_assert_eq(system(cmd), 0, "%s", cmd);
        return;
    }
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f, "%s", path);
    fputs(file->text, f);
    cr_assert_eq(fclose(f), 0);
}

/* "name size\n" of every entry, sorted: equal before and after means that nothing was left. */
static void listing(const char *dir, char *out, size_t n)
{
    struct dirent **entry;
    int count = scandir(dir, &entry, NULL, alphasort);
    cr_assert_geq(count, 0);
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        char path[1024];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", dir, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.' && !stat(path, &st) && at < n)
            at += (size_t)snprintf(out + at, n - at, "%s %lld\n", entry[i]->d_name,
                                   (long long)st.st_size);
        free(entry[i]);
    }
    free(entry);
}

static void read_text(const char *path, char *out, size_t n)
{
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f, "%s", path);
    size_t len = fread(out, 1, n - 1, f);
    fclose(f);
    while (len && out[len - 1] == '\n')
        len--;
    out[len] = 0;
}

static void remove_all(const char *dir)
{
    char cmd[64];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    cr_expect_eq(system(cmd), 0);
}

/* $BUILD in a sentence stands for the folder of the program, wherever that is. */
static void with_build(const char *says, const char *build, char *out, size_t n)
{
    size_t at = 0;
    out[0] = 0;
    for (; *says && at + 1 < n; says++) {
        if (!strncmp(says, "$BUILD", 6)) {
            at += (size_t)snprintf(out + at, n - at, "%s", build);
            says += 5;
        } else {
            out[at++] = *says;
            out[at] = 0;
        }
    }
}

static void check(const struct bad_case *c, const char *root, const char *build)
{
    char dir[] = "/tmp/malv-bad-XXXXXX", before[4096] = "", after[4096] = "";
    char cmd[4096], want[2048], got[2048], err[sizeof dir + 8];
    cr_assert_not_null(mkdtemp(dir));
    for (size_t i = 0; i < c->n_file; i++)
        write_file(dir, &c->file[i], root);
    listing(dir, before, sizeof before);

    snprintf(err, sizeof err, "%s.err", dir);
    snprintf(cmd, sizeof cmd, "cd %s && (%s) 2>%s >/dev/null </dev/null", dir, c->run, err);
    int rc = system(cmd);
    cr_expect(WIFEXITED(rc) && WEXITSTATUS(rc) == c->status, "%s: %s: exit %d, want %d", c->where,
              c->title, WIFEXITED(rc) ? WEXITSTATUS(rc) : -WTERMSIG(rc), c->status);
    read_text(err, got, sizeof got);
    with_build(c->says, build, want, sizeof want);
    cr_expect_str_eq(got, want, "%s: %s:\n  got  %s\n  want %s", c->where, c->title, got, want);
    listing(dir, after, sizeof after);
    cr_expect_str_eq(after, before, "%s: %s: left files behind:\n%s", c->where, c->title, after);
    remove_all(dir);
    cr_expect_eq(remove(err), 0);
}

ParameterizedTestParameters(bad, each_wrong_input_earns_its_sentence)
{
    static int row[BAD_LISTS];
    size_t n = bad_lists();
    for (size_t i = 0; i < n; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, n);
}

/* A process of its own for each file of cases, not for each case: starting one takes longer. */
ParameterizedTest(int *row, bad, each_wrong_input_earns_its_sentence, .timeout = 300)
{
    const struct bad_case *c;
    const size_t n = bad_cases((size_t)*row, &c);
    char root[512], build[600], path[4096];
    cr_assert_not_null(getcwd(root, sizeof root));
    snprintf(build, sizeof build, "%s/%s", root, BUILD);
    snprintf(path, sizeof path, "%s:%s", build, getenv("PATH"));
    setenv("PATH", path, 1);
    setenv("BUILD", build, 1);
    unsetenv("MALV_DATA"); /* sentences must not depend on it */
    cr_assert_gt(n, 0);
    for (size_t i = 0; i < n; i++)
        check(&c[i], root, build);
}
