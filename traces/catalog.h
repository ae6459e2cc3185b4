/* catalog.h - public traces worth knowing: where they come from, where they belong.
 *
 * Nothing is fetched here: `malv trace get` says how to obtain a trace and
 * where to put it below $MALV_DATA.                                         */
#ifndef TRACES_CATALOG_H
#define TRACES_CATALOG_H

#include <stddef.h>

struct catalog_entry {
    const char *name; /* of the folder below MALV_DATA */
    const char *title, *repository, *licence;
    const char *format;   /* of the importer; NULL: no importer yet */
    const char *files[6]; /* as they are published; NULL-terminated */
    const char *paths;    /* where the files are in the repository */
    const char *note;
};

const struct catalog_entry *catalog_at(size_t i); /* NULL past the end */
const struct catalog_entry *catalog_find(const char *name);

#endif
