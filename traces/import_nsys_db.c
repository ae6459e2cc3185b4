/* import_nsys_db.c - SQLite, read only, from bytes of anybody. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces/import_nsys.h"

#define CHUNK     ((size_t)1 << 20)
#define SQL_MAX   4096
#define NAME_MOST 65536 /* bytes of a kernel's name */
#define ROW_BYTES 4     /* no row takes fewer: more rows than that are a loop in a damaged file */
#define WAL       2     /* of the format versions in the header: as kept in memory it cannot be */
#define FORMATS   18

struct nsys_db {
    sqlite3 *lite;
    sqlite3_stmt *rows;
    const char *file;
    const struct nsys_query *query;
    uint64_t row, bytes, value[NSYS_COLUMNS];
    bool said[NSYS_COLUMNS];
    int columns;
};

static int no_memory(struct err *e)
{
    return err_set(e, ERR_ENOMEM, "out of memory");
}

static int damaged(const struct nsys_db *db, struct err *e)
{
    int code = sqlite3_errcode(db->lite);
    if (code == SQLITE_NOMEM)
        return no_memory(e);
    return err_set(e, code == SQLITE_FULL || code == SQLITE_IOERR ? ERR_EIO : ERR_EPARSE,
                   "%s: the database cannot be read: %s", db->file, sqlite3_errmsg(db->lite));
}

static int read_some(struct input *in, unsigned char **v, size_t *n, struct err *e)
{
    size_t room = 0;
    long got = 1;
    for (*n = 0; *n < NSYS_MEMORY && got > 0; *n += got > 0 ? (size_t)got : 0) {
        if (*n == room) {
            room = room ? 2 * room : CHUNK;
            unsigned char *more = sqlite3_realloc64(*v, room);
            if (!more)
                return no_memory(e);
            *v = more;
        }
        got = input_read(in, *v + *n, room - *n, e);
    }
    return got < 0 ? (int)got : 0;
}

static int open_memory(struct nsys_db *db, unsigned char *v, size_t n, struct err *e)
{
    if (n > FORMATS + 1 && v[FORMATS] == WAL && v[FORMATS + 1] == WAL)
        v[FORMATS] = v[FORMATS + 1] = 1;
    if (sqlite3_open_v2(":memory:", &db->lite, SQLITE_OPEN_READWRITE, NULL)) {
        sqlite3_free(v);
        return db->lite ? damaged(db, e) : no_memory(e);
    }
    return sqlite3_deserialize(db->lite, "main", v, (sqlite3_int64)n, (sqlite3_int64)n,
                               SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY)
               ? damaged(db, e)
               : 0;
}

/* A path as a URI has it. */
static int open_file(struct nsys_db *db, const char *path, struct err *e)
{
    size_t n = strlen(path), at = 5;
    char *uri = malloc(3 * n + 32);
    if (!uri)
        return no_memory(e);
    memcpy(uri, "file:", 5);
    for (const char *p = path; *p; p++)
        at += (size_t)snprintf(uri + at, 4, strchr("%?#", *p) ? "%%%02x" : "%c", (unsigned char)*p);
    memcpy(uri + at, "?immutable=1", 13);
    int bad = sqlite3_open_v2(uri, &db->lite, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    free(uri);
    return !bad ? 0 : db->lite ? damaged(db, e) : no_memory(e);
}

static int copy_rest(struct input *in, FILE *to, struct err *e)
{
    char *v = malloc(CHUNK);
    long got = 1;
    if (!v)
        return no_memory(e);
    while (got > 0 && (got = input_read(in, v, CHUNK, e)) > 0)
        if (to && fwrite(v, 1, (size_t)got, to) != (size_t)got)
            got = err_set(e, ERR_EIO, "%s: writing the unpacked database failed: is $TMPDIR full?",
                          input_name(in));
    free(v);
    return got < 0 ? (int)got : 0;
}

/* The name goes as soon as SQLite has the file open. */
static int open_copy(struct nsys_db *db, struct input *in, const unsigned char *v, size_t n,
                     struct err *e)
{
    char path[512];
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/malv-nsys-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    int fd = mkstemp(path);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (!to)
        return err_set(e, ERR_EIO, "%s: cannot be made, to unpack %s", path, db->file);
    int rc = fwrite(v, 1, n, to) == n ? copy_rest(in, to, e)
                                      : err_set(e, ERR_EIO, "%s: writing failed", path);
    if (fclose(to) && !rc)
        rc = err_set(e, ERR_EIO, "%s: writing failed", path);
    if (!rc && !(rc = open_file(db, path, e)) &&
        sqlite3_exec(db->lite, "SELECT 1 FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        rc = damaged(db, e);
    unlink(path);
    return rc;
}

static int open_any(struct nsys_db *db, struct input *in, struct err *e)
{
    unsigned char *v = NULL;
    size_t n = 0;
    int rc = read_some(in, &v, &n, e);
    if (!rc && n < NSYS_MEMORY) {
        rc = open_memory(db, v, n, e);
        v = NULL;
    } else if (!rc && !strcmp(input_packing(in), "plain")) {
        rc = copy_rest(in, NULL, e); /* for the digest */
        rc = rc ? rc : open_file(db, db->file, e);
    } else if (!rc) {
        rc = open_copy(db, in, v, n, e);
    }
    sqlite3_free(v);
    return rc;
}

int nsys_db_open(struct nsys_db **out, struct input *in, struct err *e)
{
    struct nsys_db *db = *out = calloc(1, sizeof *db);
    if (!db)
        return no_memory(e);
    db->file = input_name(in);
    int rc = open_any(db, in, e);
    db->bytes = input_bytes(in);
    if (!rc) { /* nothing that a schema says is to be run */
        sqlite3_db_config(db->lite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(db->lite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        if (sqlite3_exec(db->lite, "PRAGMA cell_size_check=ON; SELECT 1 FROM sqlite_master", NULL,
                         NULL, NULL) != SQLITE_OK)
            rc = damaged(db, e);
    }
    if (rc) {
        nsys_db_close(db);
        *out = NULL;
    }
    return rc;
}

void nsys_db_close(struct nsys_db *db)
{
    if (!db)
        return;
    sqlite3_finalize(db->rows);
    sqlite3_close(db->lite);
    free(db);
}

/* A view could be any program at all. */
bool nsys_db_has(struct nsys_db *db, const char *table, const char *column)
{
    sqlite3_stmt *s = NULL;
    bool has = sqlite3_prepare_v2(db->lite,
                                  "SELECT 1 FROM sqlite_master WHERE type='table' AND name=?1 AND "
                                  "sql NOT LIKE 'CREATE VIRTUAL%'",
                                  -1, &s, NULL) == SQLITE_OK &&
               sqlite3_bind_text(s, 1, table, -1, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(s) == SQLITE_ROW;
    sqlite3_finalize(s);
    return has && (!column || sqlite3_table_column_metadata(db->lite, "main", table, column, NULL,
                                                            NULL, NULL, NULL, NULL) == SQLITE_OK);
}

int nsys_db_rows(struct nsys_db *db, const char *table, uint64_t *n, struct err *e)
{
    char sql[SQL_MAX];
    sqlite3_stmt *s = NULL;
    *n = 0;
    snprintf(sql, sizeof sql, "SELECT count(*) FROM main.\"%s\"", table);
    bool ok = sqlite3_prepare_v2(db->lite, sql, -1, &s, NULL) == SQLITE_OK &&
              sqlite3_step(s) == SQLITE_ROW;
    if (ok)
        *n = (uint64_t)sqlite3_column_int64(s, 0);
    int rc = ok ? 0 : damaged(db, e);
    sqlite3_finalize(s);
    return rc;
}

static const char *name_column(struct nsys_db *db, const struct nsys_query *q)
{
    for (int i = 0; i < 2; i++)
        if (q->named_by[i] && nsys_db_has(db, q->table, q->named_by[i]))
            return nsys_db_has(db, "StringIds", "value") ? q->named_by[i] : NULL;
    return NULL;
}

static bool can_join(struct nsys_db *db, const struct nsys_query *q)
{
    bool can = q->joins && nsys_db_has(db, q->joins, NULL);
    for (int i = 0; i < 2 && can; i++)
        can = !q->by[i] ||
              (nsys_db_has(db, q->joins, q->by[i]) && nsys_db_has(db, q->table, q->by[i]));
    return can;
}

/* SELECT a.c, .., j.c, .., n.value FROM table a LEFT JOIN StringIds n .. LEFT JOIN other j .. */
static int compose(struct nsys_db *db, const struct nsys_query *q, char sql[SQL_MAX], struct err *e)
{
    const char *named = name_column(db, q);
    bool joined = can_join(db, q);
    size_t at = (size_t)snprintf(sql, SQL_MAX, "SELECT ");
    for (db->columns = 0; q->columns[db->columns].name; db->columns++) {
        const struct nsys_column *c = &q->columns[db->columns];
        bool is = c->joined ? joined && nsys_db_has(db, q->joins, c->name)
                            : nsys_db_has(db, q->table, c->name);
        if (!is && c->required)
            return err_set(e, ERR_EPARSE, "%s: table %s: want a column \"%s\"", db->file, q->table,
                           c->name);
        at += is ? (size_t)snprintf(sql + at, SQL_MAX - at, "%s.\"%s\",", c->joined ? "j" : "a",
                                    c->name)
                 : (size_t)snprintf(sql + at, SQL_MAX - at, "NULL,");
    }
    at += (size_t)snprintf(sql + at, SQL_MAX - at, "%s FROM main.\"%s\" a",
                           named ? "n.value" : "NULL", q->table);
    if (named)
        at += (size_t)snprintf(sql + at, SQL_MAX - at,
                               " LEFT JOIN main.StringIds n ON n.id=a.\"%s\"", named);
    if (joined)
        at += (size_t)snprintf(sql + at, SQL_MAX - at,
                               " LEFT JOIN main.\"%s\" j ON j.\"%s\"=a.\"%s\"", q->joins, q->by[0],
                               q->by[0]);
    if (joined && q->by[1])
        snprintf(sql + at, SQL_MAX - at, " AND j.\"%s\"=a.\"%s\"", q->by[1], q->by[1]);
    return 0;
}

int nsys_db_select(struct nsys_db *db, const struct nsys_query *q, struct err *e)
{
    char sql[SQL_MAX];
    int rc = compose(db, q, sql, e);
    if (rc)
        return rc;
    db->query = q;
    db->row = 0;
    sqlite3_finalize(db->rows);
    db->rows = NULL;
    return sqlite3_prepare_v2(db->lite, sql, -1, &db->rows, NULL) == SQLITE_OK ? 0 : damaged(db, e);
}

int nsys_db_complain(const struct nsys_db *db, const char *column, const char *want, struct err *e)
{
    char got[64] = "NULL";
    for (int i = 0; i < db->columns; i++) {
        const unsigned char *text = sqlite3_column_text(db->rows, i);
        if (!strcmp(db->query->columns[i].name, column) && text)
            snprintf(got, sizeof got, "%s", (const char *)text);
    }
    for (char *p = got; *p; p++)
        *p = *p < ' ' ? '?' : *p;
    return err_set(e, ERR_EPARSE, "%s: table %s, row %llu: %s: got %s, want %s", db->file,
                   db->query->table, (unsigned long long)db->row, column, got, want);
}

static int fetch(struct nsys_db *db, int i, struct err *e)
{
    const struct nsys_column *c = &db->query->columns[i];
    int type = sqlite3_column_type(db->rows, i);
    sqlite3_int64 v = sqlite3_column_int64(db->rows, i);
    char want[64];
    db->said[i] = type == SQLITE_INTEGER;
    db->value[i] = db->said[i] ? (uint64_t)v : 0;
    if (type == SQLITE_NULL && !c->required)
        return 0;
    if (type == SQLITE_INTEGER && v >= 0 && (uint64_t)v <= c->max)
        return 0;
    snprintf(want, sizeof want, "an integer 0..%llu", (unsigned long long)c->max);
    return nsys_db_complain(db, c->name, want, e);
}

int nsys_db_next(struct nsys_db *db, bool *bad, struct err *e)
{
    int step = sqlite3_step(db->rows);
    *bad = false;
    if (step == SQLITE_DONE)
        return 0;
    if (step != SQLITE_ROW)
        return damaged(db, e);
    if (++db->row > db->bytes / ROW_BYTES)
        return err_set(e, ERR_EPARSE, "%s: table %s has more rows than fit into the file", db->file,
                       db->query->table);
    for (int i = 0; i < db->columns; i++) {
        int rc = fetch(db, i, e);
        if (rc) {
            *bad = true;
            return rc;
        }
    }
    return 1;
}

bool nsys_db_get(const struct nsys_db *db, int column, uint64_t *v)
{
    *v = db->value[column];
    return db->said[column];
}

const char *nsys_db_name(const struct nsys_db *db)
{
    const char *text = (const char *)sqlite3_column_text(db->rows, db->columns);
    return text && strlen(text) <= NAME_MOST ? text : NULL;
}
