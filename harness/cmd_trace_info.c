/* cmd_trace_info.c - malv trace info and verify: reading a trace through. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cmd_trace.h"
#include "harness/base/fmt.h"
#include "traces/convert.h"
#include "traces/facts.h"
#include "traces/schema.h"

static const char info_help[] =
    "usage: malv trace info FILE [-f FORMAT] [--skip-bad N] [--json] [-q]\n\n"
    "Reads a canonical or published trace through and says what is in it.  Medians and p99 are\n"
    "exact (nearest rank).  Columns have the names of the published format.\n\n"
    "example: malv trace info conversation_trace.jsonl.xz --json\n";

static void print_value(const struct fact *f, bool json)
{
    switch (f->kind) {
    case FACT_INTEGER:
        printf("%llu", (unsigned long long)f->integer);
        break;
    case FACT_NUMBER:
        printf(fabs(f->number) < 9e15 && floor(f->number) == f->number ? "%.0f" : "%.10g",
               f->number);
        break;
    case FACT_BOOL:
        printf("%s", f->integer ? "true" : "false");
        break;
    case FACT_TEXT:
        if (json)
            json_string(stdout, f->text);
        else
            printf("%s", f->text);
    }
}

static bool met(const struct facts *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (!strcmp(f->fact[k].group, f->fact[i].group))
            return true;
    return false;
}

/* A group's facts in order: one JSON object, or one line of "key value" pairs. */
static void print_group(const struct facts *f, const char *group, bool json)
{
    bool first = true;
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->fact[i].group, group))
            continue;
        if (json) {
            printf("%s", first ? "" : ", ");
            json_string(stdout, f->fact[i].key);
            printf(": ");
        } else {
            printf("%s%s ", first ? "" : ", ", f->fact[i].key);
        }
        print_value(&f->fact[i], json);
        first = false;
    }
}

static void print_json(const char *path, const struct trace_meta *m, const struct facts *f)
{
    printf("{\"file\": ");
    json_string(stdout, path);
#define X(name, what)                                                                              \
    printf(", \"%s\": ", #name);                                                                   \
    json_string(stdout, m->name);
    META_TEXTS(X)
    META_LATER_TEXTS(X)
#undef X
    printf(",\n \"facts\": {\n  ");
    print_group(f, "", true);
    for (size_t i = 0; i < f->n; i++) {
        if (!*f->fact[i].group || met(f, i))
            continue;
        printf(",\n  ");
        json_string(stdout, f->fact[i].group);
        printf(": {");
        print_group(f, f->fact[i].group, true);
        printf("}");
    }
    printf("}}\n");
}

static void print_text(const char *path, const struct trace_meta *m, const struct facts *f)
{
    printf("%s\n  format   %s\n  source   %s\n  licence  %s\n", path, m->format, m->source,
           m->licence);
    if (*m->digest)
        printf("  digest   %s\n", m->digest);
    for (size_t i = 0; i < f->n; i++) {
        if (!*f->fact[i].group) {
            printf("  %s: ", f->fact[i].key);
            print_value(&f->fact[i], false);
            printf("\n");
        } else if (!met(f, i)) {
            printf("  %s: ", f->fact[i].group);
            print_group(f, f->fact[i].group, false);
            printf("\n");
        }
    }
}

static int gather_file(struct trace_file *f, struct facts *out, bool quiet, struct err *e)
{
    struct gather *g = gather_new(trace_file_table(f), trace_file_format(f));
    struct progress p;
    union trace_row row;
    uint64_t n = 0;
    int rc = g ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    progress_begin(&p, "rows", trace_file_expected(f), quiet);
    while (!rc && (rc = trace_file_next(f, &row, e)) == 1) {
        rc = gather_row(g, &row, e);
        if (++n % 8192 == 0)
            progress_at(&p, n);
    }
    progress_end(&p);
    if (!rc)
        rc = gather_end(g, trace_file_meta(f), trace_file_names(f), out, e);
    gather_free(g);
    return rc;
}

int trace_info(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    const struct import_format *format = NULL;
    struct column_map map;
    struct trace_file *f;
    struct facts facts = {0};
    int rc = trace_options(&argc, &argv, "fmkjq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(info_help, stdout);
        return 0;
    }
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, argc ? "want one file" : "want a file");
    if ((rc = trace_format(&o, &map, &format, e)))
        return rc;
    if ((rc = trace_file_open(&f, argv[0], format, o.skip_bad, e)))
        return rc;
    rc = gather_file(f, &facts, o.quiet, e);
    if (!rc)
        (o.json ? print_json : print_text)(argv[0], trace_file_meta(f), &facts);
    facts_free(&facts);
    trace_file_close(f);
    return rc;
}

static const char verify_help[] =
    "usage: malv trace verify FILE.h5 [--json] [-q]\n\n"
    "Reads a canonical trace through and holds it against its own attributes: digest, counts, "
    "order\n"
    "of times, names.  Exit status 3 when something is not as it says.\n\n"
    "example: malv trace verify code.h5\n";

int trace_verify(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    struct trace_meta m;
    struct progress p;
    int rc = trace_options(&argc, &argv, "jq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(verify_help, stdout);
        return 0;
    }
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, argc ? "want one file" : "want a file");
    progress_begin(&p, "rows", 0, o.quiet);
    rc = convert_verify(argv[0], &m, trace_tick, &p, e);
    progress_end(&p);
    if (rc)
        return rc;
    if (o.json) {
        printf("{\"file\": ");
        json_string(stdout, argv[0]);
        printf(", \"pass\": true, \"rows\": %llu, \"digest\": \"%s\"}\n",
               (unsigned long long)schema_meta_rows(&m), m.digest);
    } else if (!o.quiet) {
        printf("%s: %llu rows as their digest says (%.16s)\n", argv[0],
               (unsigned long long)schema_meta_rows(&m), m.digest);
    }
    return 0;
}
