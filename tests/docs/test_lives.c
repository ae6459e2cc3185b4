/* The table of docs/policy-life.md says where policies can change in mid-run, and the models agree:
 * each pair of a model and a hook it asks at stands in one row, or the model is said to keep its
 * policy. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "models/model.h"
#include "models/policy_slot.h"

#define PAGE "docs/policy-life.md"
#define KEEP " know no time, and keep their policy"

static const struct model_ops *const models[] = {
#define X(m) &m,
    MODELS(X)
#undef X
};

struct row {
    char hooks[200], models[200], bindings[40];
};

static size_t read_page(struct row *row, size_t room, char *keep, size_t size)
{
    char line[2000];
    size_t n = 0;
    FILE *f = fopen(PAGE, "r");
    cr_assert_not_null(f, PAGE);
    keep[0] = '\0';
    while (fgets(line, sizeof line, f)) {
        if (n < room && sscanf(line, "| %199[^|] | %199[^|] | %39[^|] |", row[n].hooks,
                               row[n].models, row[n].bindings) == 3)
            n += strstr(row[n].bindings, "each VM") || strstr(row[n].bindings, "one for all");
        char *end = strstr(line, KEEP);
        if (end)
            snprintf(keep, size, "%.1900s", line);
    }
    fclose(f);
    return n;
}

static bool names(const char *list, const char *name)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "`%s`", name);
    return strstr(list, quoted) != NULL;
}

/* "`a` and `b` know no time, and keep their policy, and so does `c` at `hook`". */
static bool keeps(const char *line, const char *model, const char *hook)
{
    char at[100], quoted[64];
    const char *end = strstr(line, KEEP);
    snprintf(at, sizeof at, "`%s` at `%s`", model, hook);
    snprintf(quoted, sizeof quoted, "`%s`", model);
    const char *found = strstr(line, quoted);
    return (found && found < end) || strstr(end, at);
}

Test(docs_lives, the_table_is_what_the_models_do)
{
    struct row row[40];
    char keep[2000];
    const size_t n = read_page(row, 40, keep, sizeof keep);
    size_t pairs = 0;
    cr_assert(n >= 10 && keep[0]);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (unsigned h = 0; h < POLICY_HOOKS_N; h++) {
            const struct model_ops *m = models[i];
            const char *hook = policy_hook_name((enum policy_hook)h);
            const bool asks = m->hooks >> h & 1, lives = m->lives >> h & 1;
            size_t found = 0;
            for (size_t k = 0; k < n; k++) {
                if (!names(row[k].hooks, hook) || !names(row[k].models, m->name))
                    continue;
                found++;
                cr_expect_eq(!!strstr(row[k].bindings, "one for all"), m->lives_one >> h & 1,
                             "%s at %s: bindings", m->name, hook);
            }
            cr_expect_eq(found, lives, "%s at %s: %zu rows", m->name, hook, found);
            if (asks)
                cr_expect_eq(keeps(keep, m->name, hook), !lives, "%s at %s", m->name, hook);
            pairs += lives;
        }
    cr_expect_geq(pairs, 21);
}
