/* What every model must say of itself. */
#include <criterion/criterion.h>
#include <string.h>

#include "harness/run/setup.h"

/* Reports rank by its first measure, and malv tornado varies constants to see that move. */
Test(models, each_says_what_it_measures_first)
{
    const struct model_ops *m;
    for (size_t i = 0; (m = setup_model(i)); i++)
        cr_expect(m->headline && strcspn(m->headline, ",") > 0, "%s", m->name);
}
