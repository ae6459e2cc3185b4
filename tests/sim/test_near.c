#include <criterion/criterion.h>
#include <string.h>

#include "sim/near.h"

static const char *const known[] = {"fifo", "shortest-prompt", "oracle-sjf", "sjf-mlp", "lru",
                                    "lfu"};

static const struct {
    const char *said, *meant;
} cases[] = {
    {"sfj-mlp", "sjf-mlp"},                  /* two letters swapped are one mistake */
    {"sjf_mlp", "sjf-mlp"},                  /* one exchanged */
    {"fif", "fifo"},                         /* one left out */
    {"shortest-promptt", "shortest-prompt"}, /* one too many */
    {"shrtst-prmpt", "shortest-prompt"},     /* three of twelve */
    {"shrtst-prmp", NULL},                   /* four */
    {"lxu", "lru"},                          /* both are one away: the first */
    {"lr", NULL},                            /* of two letters none may be wrong */
    {"", NULL},
    {"belady", NULL},
};

Test(near, the_name_that_was_meant)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct near n;
        near_begin(&n, cases[i].said);
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            near_offer(&n, known[k]);
        if (!cases[i].meant) {
            cr_expect_str_empty(near_words(&n), "%s: %s", cases[i].said, near_words(&n));
            continue;
        }
        cr_assert_not_null(n.best, "%s", cases[i].said);
        cr_expect_str_eq(n.best, cases[i].meant, "%s", cases[i].said);
    }
}

Test(near, says_it_as_the_end_of_a_sentence)
{
    struct near n;
    near_begin(&n, "coers");
    near_offer(&n, "cores");
    cr_expect_str_eq(near_words(&n), "; did you mean \"cores\"?");
}

Test(near, a_name_too_long_to_compare_is_nobody_s_neighbour)
{
    char said[NEAR_MAX + 2];
    memset(said, 'a', sizeof said - 1);
    said[NEAR_MAX + 1] = 0;
    struct near n;
    near_begin(&n, said);
    near_offer(&n, said + 1);
    cr_expect_null(n.best);
    near_begin(&n, said + 1); /* as long as may be */
    near_offer(&n, said + 2);
    cr_expect_str_eq(n.best, said + 2);
}
