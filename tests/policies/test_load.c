/* What the loader says to each kind of wrong object, word for word. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "harness/policy/policy_load.h"

#define ABI POLICY_STR(POLICY_ABI)
#define BAD BUILD "/tests/policies/"

static const struct {
    const char *path;
    int code;
    const char *want;
} cases[] = {
    {"nosuch", ERR_ENAME, "no policy \"nosuch\"; known: "},
    {"", ERR_ENAME, "no policy \"\"; known: "},
    {"a/b.so", ERR_ENAME, "a/b.so: no such file, want a policy's .so"},
    {"tests/policies/test_load.c", ERR_EABI,
     "tests/policies/test_load.c: does not load as a shared object: invalid ELF header"},
    {BAD "no_symbol.so", ERR_EABI,
     BAD "no_symbol.so: exports no malv_policy_v" ABI "; end the file with POLICY(...)"},
    {BAD "stale_abi.so", ERR_EABI,
     BAD "stale_abi.so: exports malv_policy_v0, this tree wants malv_policy_v" ABI
         "; rebuild it against "
         "this policy.h"},
    {BAD "stale_sizes.so", ERR_EABI,
     BAD "stale_sizes.so: built for abi " ABI " (ops 8, host 16, observations 24 bytes), this tree "
         "has abi " ABI " ("},
    {BAD "no_destroy.so", ERR_EABI,
     BAD "no_destroy.so: no-destroy lacks .destroy, which every policy must have"},
    {BAD "no_hook.so", ERR_EABI, BAD "no_hook.so: no-hook decides nothing: no hook that answers"},
    {BAD "bad_name.so", ERR_EABI,
     BAD "bad_name.so: .name is missing or not a word of [A-Za-z0-9._-]"},
};

ParameterizedTestParameters(policy_load, refuses_with_a_sentence)
{
    static int row[sizeof cases / sizeof *cases];
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        row[i] = (int)i;
    return cr_make_param_array(int, row, sizeof row / sizeof *row);
}

ParameterizedTest(int *row, policy_load, refuses_with_a_sentence)
{
    struct policy *p;
    struct err e = {0};
    cr_expect_eq(policy_load(&p, cases[*row].path, &e), cases[*row].code);
    cr_expect_null(p);
    cr_expect(!strncmp(e.msg, cases[*row].want, strlen(cases[*row].want)), "%s: said \"%s\"",
              cases[*row].path, e.msg);
}

Test(policy_load, an_unknown_name_lists_the_known_ones)
{
    struct policy *p;
    struct err e = {0};
    cr_expect_eq(policy_load(&p, "youngest-first", &e), ERR_ENAME);
    const char *arc = strstr(e.msg, "arc, "), *fifo = strstr(e.msg, "fifo, ");
    cr_expect(arc && fifo && arc < fifo && strstr(e.msg, " more (see "), "sorted: %s", e.msg);
}

Test(policy_load, finds_by_name_with_dashes_or_underscores_and_by_path)
{
    static const char *const ways[] = {"shortest-prompt", "shortest_prompt",
                                       BUILD "/policies/shortest_prompt.so"};
    for (size_t i = 0; i < 3; i++) {
        struct policy *p;
        struct err e = {0};
        cr_assert_eq(policy_load(&p, ways[i], &e), 0, "%s", e.msg);
        cr_expect_str_eq(policy_ops(p)->name, "shortest-prompt");
        policy_unload(p);
    }
}

Test(policy_load, every_shipped_policy_loads_under_its_own_name)
{
    struct policy_names known;
    struct err e = {0};
    cr_assert_eq(policy_names(&known, &e), 0);
    cr_expect_geq(known.n, 4);
    for (size_t i = 0; i < known.n; i++) {
        struct policy *p;
        cr_assert_eq(policy_load(&p, known.name[i], &e), 0, "%s", e.msg);
        cr_expect_str_eq(policy_ops(p)->name, known.name[i]);
        cr_expect(policy_ops(p)->summary && *policy_ops(p)->summary);
        policy_unload(p);
    }
    policy_names_free(&known);
}
