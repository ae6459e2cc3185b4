/* test_baselines.c - every hook has a trivial policy, what is practised, and an oracle: the list
 * policies/baselines.json, the table of docs/learned-policies.md and the policies themselves agree.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/policy/policy_load.h"
#include "models/policy_slot.h"
#include "sim/config.h"

enum { TRIVIAL, PRACTICE, LEARNED, ORACLE, ROLES };
static const char *const roles[ROLES] = {"trivial", "practice", "learned", "oracle"};

static struct config *opened(void)
{
    struct config *doc;
    struct err e = {0};
    cr_assert_eq(config_load(&doc, "policies/baselines.json", &e), 0, "%s", e.msg);
    return doc;
}

static const struct config *row_of(const struct config *doc, int hook)
{
    const struct config *row =
        config_get(config_get(doc, "hooks"), policy_hook_name((enum policy_hook)hook));
    cr_assert_not_null(row, "%s", policy_hook_name((enum policy_hook)hook));
    return row;
}

static const char *text_at(const struct config *list, size_t i)
{
    const char *s = NULL;
    struct err e = {0};
    cr_assert_eq(config_str(config_at(list, i), &s, &e), 0, "%s", e.msg);
    return s;
}

/* Asks for networks. */
static bool asks_networks(const char *name)
{
    char path[128], *text = calloc(1, 1 << 17);
    snprintf(path, sizeof path, "policies/%s.c", name);
    for (char *c = path; *c; c++)
        *c = *c == '-' ? '_' : *c;
    FILE *f = fopen(path, "r");
    cr_assert(f && text, "%s", path);
    cr_assert(fread(text, 1, (1 << 17) - 1, f));
    fclose(f);
    const bool asks = strstr(text, "h->infer(") || strstr(text, "_net_open(") ||
                      strstr(text, "model_open(") || strstr(text, "open_net(") ||
                      strstr(text, "open_named_net(");
    free(text);
    return asks;
}

static void expect_plays(const char *name, int hook, int role, bool all_told)
{
    struct policy *p;
    struct err e = {0};
    cr_assert_eq(policy_load(&p, name, &e), 0, "%s", e.msg);
    const struct policy_ops *o = policy_ops(p);
    cr_expect(policy_has_hook(o, (enum policy_hook)hook), "%s at %s", name,
              policy_hook_name((enum policy_hook)hook));
    cr_expect(all_told || o->oracle == (role == ORACLE), "%s: oracle %u among %s", name, o->oracle,
              roles[role]);
    cr_expect(role == LEARNED ? asks_networks(name) || strstr(o->summary, "learned")
                              : !asks_networks(name),
              "%s is %s", name, roles[role]);
    policy_unload(p);
}

Test(baselines, every_hook_has_all_three_and_each_is_what_it_is_said_to_be)
{
    struct config *doc = opened();
    cr_expect_eq(config_count(config_get(doc, "hooks")), POLICY_HOOKS_N);
    for (int h = 0; h < POLICY_HOOKS_N; h++) {
        const struct config *row = row_of(doc, h);
        for (int r = 0; r < ROLES; r++) {
            const struct config *list = config_get(row, roles[r]);
            cr_assert_eq(config_kind(list), CONFIG_ARRAY);
            cr_expect(r == LEARNED || config_count(list) > 0, "%s has no %s",
                      policy_hook_name((enum policy_hook)h), roles[r]);
            for (size_t i = 0; i < config_count(list); i++)
                expect_plays(text_at(list, i), h, r, config_get(row, "everybody_is_told") != NULL);
        }
    }
    config_free(doc);
}

static unsigned listed(const struct config *row, const char *name)
{
    unsigned n = 0;
    for (int r = 0; r < ROLES; r++)
        for (size_t i = 0; i < config_count(config_get(row, roles[r])); i++)
            n += !strcmp(text_at(config_get(row, roles[r]), i), name);
    return n;
}

Test(baselines, every_policy_is_listed_once_at_each_of_its_hooks)
{
    struct config *doc = opened();
    struct policy_names known;
    struct err e = {0};
    cr_assert_eq(policy_names(&known, &e), 0, "%s", e.msg);
    cr_assert_gt(known.n, 60);
    for (size_t i = 0; i < known.n; i++) {
        struct policy *p;
        cr_assert_eq(policy_load(&p, known.name[i], &e), 0, "%s", e.msg);
        const bool template = !strncmp(known.name[i], "template", 8);
        for (int h = 0; h < POLICY_HOOKS_N && !template; h++)
            cr_expect_eq(listed(row_of(doc, h), known.name[i]),
                         policy_has_hook(policy_ops(p), (enum policy_hook)h), "%s at %s",
                         known.name[i], policy_hook_name((enum policy_hook)h));
        policy_unload(p);
    }
    policy_names_free(&known);
    config_free(doc);
}

/* "| `hook` | `a`, `b` | `c` | | `d` |" */
static void table_row(const struct config *doc, int h, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "| `%s` |", policy_hook_name((enum policy_hook)h));
    for (int r = 0; r < ROLES; r++) {
        const struct config *list = config_get(row_of(doc, h), roles[r]);
        for (size_t i = 0; i < config_count(list); i++)
            at += (size_t)snprintf(out + at, size - at, "%s `%s`", i ? "," : "", text_at(list, i));
        at += (size_t)snprintf(out + at, size - at, "%s |", config_count(list) ? "" : " ");
    }
}

Test(baselines, the_table_in_the_docs_is_the_list)
{
    enum { SIZE = 1 << 17 };
    struct config *doc = opened();
    char *page = calloc(1, SIZE);
    FILE *f = fopen("docs/learned-policies.md", "r");
    cr_assert(f && page);
    cr_assert(fread(page, 1, SIZE - 1, f));
    fclose(f);
    for (int h = 0; h < POLICY_HOOKS_N; h++) {
        char want[512];
        table_row(doc, h, want, sizeof want);
        cr_expect_not_null(strstr(page, want), "no row %s", want);
    }
    free(page);
    config_free(doc);
}
