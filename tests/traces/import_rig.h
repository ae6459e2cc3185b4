/* import_rig.h - an importer over a text of the test's own. */
#ifndef TESTS_TRACES_IMPORT_RIG_H
#define TESTS_TRACES_IMPORT_RIG_H

#include "traces/import.h"

/* Of the text, which is called "t"; up to `skip` bad rows are passed over; to be closed.
 * NULL: see *rc and *e. */
struct importer *import_text(const char *format, const char *text, uint64_t skip, int *rc,
                             struct err *e);

#endif
