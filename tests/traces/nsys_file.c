/* nsys_file.c - serialized databases. */
#include "tests/traces/nsys_file.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

unsigned char *nsys_bytes(const char *sql, size_t *len)
{
    sqlite3 *db;
    char *why = NULL;
    sqlite3_int64 n = 0;
    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &why), SQLITE_OK, "%s: %s", sql, why);
    unsigned char *v = sqlite3_serialize(db, "main", &n, 0), *copy = malloc((size_t)n + 1);
    cr_assert(v && copy);
    memcpy(copy, v, (size_t)n);
    sqlite3_free(v);
    sqlite3_close(db);
    *len = (size_t)n;
    return copy;
}
