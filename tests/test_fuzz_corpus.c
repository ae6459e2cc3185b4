/* test_fuzz_corpus.c - every input kept from fuzzing, given to its parser again. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TARGETS 64

static glob_t targets;

static size_t find_targets(void)
{
    if (!targets.gl_pathc)
        (void)glob(BUILD "/tests/fuzz/replay-*[a-z0-9]", 0, NULL, &targets);
    return targets.gl_pathc < MAX_TARGETS ? targets.gl_pathc : MAX_TARGETS;
}

ParameterizedTestParameters(fuzz, each_kept_input_is_handled)
{
    static int row[MAX_TARGETS];
    size_t n = find_targets();
    for (size_t i = 0; i < n; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, n);
}

ParameterizedTest(int *row, fuzz, each_kept_input_is_handled, .timeout = 120)
{
    cr_assert_lt((size_t)*row, find_targets());
    const char *target = targets.gl_pathv[*row];
    const char *name = strrchr(target, '-') + 1;
    char cmd[512];
    snprintf(cmd, sizeof cmd, "%s tests/fuzz/corpus/%s/* >/dev/null", target, name);
    cr_expect_eq(system(cmd), 0, "%s", cmd);
}
