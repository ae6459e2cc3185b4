/* config.h - JSON text into plain structs, with exact complaints.
 *
 * The only host of cJSON.  A config is a parsed JSON value and its path in
 * the document ("policies.serve.batch"); every complaint starts with the file
 * and that path.  Unknown keys, duplicate keys, wrong types and values out of
 * range are errors; text that does not parse is file:line:column.
 *
 * Ownership: config_parse/load give a root to free; children are borrowed
 * from it and live as long as it does.                                      */
#ifndef SIM_CONFIG_H
#define SIM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/err.h"

struct config;

int config_load(struct config **c, const char *path, struct err *e) MUST_CHECK;
int config_parse(struct config **c, const char *name, const char *text, size_t len,
                 struct err *e) MUST_CHECK;
void config_free(struct config *root);

enum config_kind {
    CONFIG_NULL,
    CONFIG_BOOL,
    CONFIG_NUMBER,
    CONFIG_STRING,
    CONFIG_ARRAY,
    CONFIG_OBJECT
};
enum config_kind config_kind(const struct config *c);
const char *config_path(const struct config *c); /* "FILE: a.b[2]" */
const char *config_key(const struct config *c);  /* NULL for a root or an array element */

/* Children; NULL when absent (get) or past the end (at). */
const struct config *config_get(const struct config *obj, const char *key);
const struct config *config_at(const struct config *arr_or_obj, size_t i);
size_t config_count(const struct config *arr_or_obj);

/* Scalars with a complaint when c is of another kind or out of [lo, hi]. */
int config_f64(const struct config *c, double lo, double hi, double *out, struct err *e) MUST_CHECK;
int config_u64(const struct config *c, uint64_t lo, uint64_t hi, uint64_t *out,
               struct err *e) MUST_CHECK;
int config_bool(const struct config *c, bool *out, struct err *e) MUST_CHECK;
int config_str(const struct config *c, const char **out, struct err *e) MUST_CHECK; /* borrowed */
/* One of a NULL-terminated list of names; the complaint lists them all. */
int config_choice(const struct config *c, const char *const *names, int *out,
                  struct err *e) MUST_CHECK;

/* Whole objects by table: straight into a struct; unknown keys refused. */
enum config_type {
    CONFIG_T_U64,
    CONFIG_T_U32,
    CONFIG_T_F64,
    CONFIG_T_BOOL,
    CONFIG_T_STR,
    CONFIG_T_ANY
};
struct config_field {
    const char *key;
    enum config_type type;
    size_t offset; /* T_STR: a const char * (borrowed); T_ANY: a const struct config * */
    double min, max;
    bool required; /* else the struct keeps what it had: its default */
};
/* clang-format off */
#define CONFIG_U64(S, f, lo, hi, req)  {#f, CONFIG_T_U64, offsetof(S, f), lo, hi, req}
#define CONFIG_U32(S, f, lo, hi, req)  {#f, CONFIG_T_U32, offsetof(S, f), lo, hi, req}
#define CONFIG_F64(S, f, lo, hi, req)  {#f, CONFIG_T_F64, offsetof(S, f), lo, hi, req}
#define CONFIG_BOOL(S, f, req)         {#f, CONFIG_T_BOOL, offsetof(S, f), 0, 0, req}
#define CONFIG_STR(S, f, req)          {#f, CONFIG_T_STR, offsetof(S, f), 0, 0, req}
#define CONFIG_ANY(S, f, req)          {#f, CONFIG_T_ANY, offsetof(S, f), 0, 0, req}
#define CONFIG_END                     {0}
/* clang-format on */
int config_fill(const struct config *obj, const struct config_field *fields, void *out,
                struct err *e) MUST_CHECK;
/* The complaint on its own, for checks that a table can't say: "FILE: a.b: got X, want Y". */
int config_complain(const struct config *c, struct err *e, const char *want_fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Editing, for --set and sweeps: replaces (or adds) the value at a dotted path
 * by the JSON text given (a bare word is taken as a string). */
int config_set(struct config *root, const char *path, const char *json, struct err *e) MUST_CHECK;
struct config *config_copy(const struct config *c); /* deep; a root of its own, to config_free */
char *config_text(
    const struct config *c); /* canonical: no spaces, keys in order of appearance; malloc'd */

#endif
