/* lsan.c - the process that only runs the others is not searched for leaks.
 *
 * Criterion 2.4 runs each test in a process of its own and sometimes loses 48
 * bytes in the one that started them, which would fail a run in which every
 * test passed.  Tests are searched as ever.                                 */
#include <stdlib.h>

int __lsan_is_turned_off(void); /* LeakSanitizer's own name for the question */

static int in_a_test;

__attribute__((constructor)) static void look(void)
{
    in_a_test =
        getenv("BXFI_MAP") != NULL; /* boxfort, beneath Criterion, sets it for its children */
}

int __lsan_is_turned_off(void)
{
    return !in_a_test;
}
