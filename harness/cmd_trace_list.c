/* cmd_trace_list.c - malv trace list and get: the catalogue of public traces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cmd_trace.h"
#include "harness/base/fmt.h"
#include "traces/catalog.h"

static const char list_help[] =
    "usage: malv trace list [--json]\n\n"
    "Public traces that malv knows, and which files of them are in $MALV_DATA (or in\n"
    "../shared/traces beside the repository).\n\n"
    "example: malv trace list\n";

/* DIR/ENTRY/FILE, plain or packed: which of them is there; malloc'd, NULL when none is. */
static char *find_file(const char *dir, const char *entry, const char *file)
{
    static const char *const packed[] = {"", ".gz", ".xz", ".zst"};
    for (size_t i = 0; dir && i < sizeof packed / sizeof *packed; i++) {
        char *path;
        if (asprintf(&path, "%s/%s/%s%s", dir, entry, file, packed[i]) < 0)
            return NULL;
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static int count_here(const char *dir, const struct catalog_entry *c, int *of)
{
    int here = 0;
    for (*of = 0; c->files[*of]; ++*of) {
        char *path = find_file(dir, c->name, c->files[*of]);
        here += path != NULL;
        free(path);
    }
    return here;
}

static void list_row(const struct catalog_entry *c, const char *dir, bool json, bool first)
{
    int of, here = count_here(dir, c, &of);
    if (!json) {
        printf("%-24s %d of %d here  %s (%s)\n", c->name, here, of, c->title, c->licence);
        return;
    }
    printf("%s\n {\"name\": \"%s\", \"title\": ", first ? "" : ",", c->name);
    json_string(stdout, c->title);
    printf(", \"format\": \"%s\", \"licence\": \"%s\", \"repository\": \"%s\", \"files\": %d, "
           "\"here\": %d}",
           c->format ? c->format : "", c->licence, c->repository, of, here);
}

int trace_list(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    const struct catalog_entry *c;
    int rc = trace_options(&argc, &argv, "jq", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(list_help, stdout);
        return 0;
    }
    if (argc)
        return err_set(e, ERR_EUSAGE, "no use for \"%s\"", argv[0]);
    char *dir = trace_data_dir();
    printf("%s", o.json ? "[" : "");
    for (size_t i = 0; (c = catalog_at(i)); i++)
        list_row(c, dir, o.json, i == 0);
    if (o.json)
        printf("\n]\n");
    else if (!o.quiet)
        printf("\nmalv trace get NAME says how to obtain one.\n");
    free(dir);
    return 0;
}

static const char get_help[] =
    "usage: malv trace get NAME\n\n"
    "Says where a public trace is published, under which licence, and where its files belong.\n"
    "Nothing is downloaded: the licences are yours to accept.\n\n"
    "example: malv trace get mooncake-fast25\n";

static void say_how(const struct catalog_entry *c, const char *dir)
{
    printf("%s: %s\nlicence     %s\npublished   %s\n", c->name, c->title, c->licence,
           c->repository);
    if (c->paths)
        printf("in there    %s\n", c->paths);
    if (c->note)
        printf("note        %s\n", c->note);
    printf("put it in   %s/%s/\n", getenv("MALV_DATA") && dir ? dir : "$MALV_DATA", c->name);
    for (int i = 0; c->files[i]; i++) {
        char *path = find_file(dir, c->name, c->files[i]);
        printf("  %-42s %s\n", c->files[i],
               path ? "is there" : "is not there (.gz, .xz, .zst are fine)");
        free(path);
    }
    if (c->format)
        printf("then        malv trace import $MALV_DATA/%s/%s -o trace.h5\n", c->name,
               c->files[0]);
}

int trace_get(int argc, char **argv, struct err *e)
{
    struct trace_options o = {0};
    int rc = trace_options(&argc, &argv, "q", &o, e);
    if (rc)
        return rc;
    if (o.help) {
        fputs(get_help, stdout);
        return 0;
    }
    if (argc != 1)
        return err_set(e, ERR_EUSAGE, "want one name; malv trace list has them");
    const struct catalog_entry *c = catalog_find(argv[0]);
    if (!c)
        return err_set(e, ERR_ENAME, "no trace \"%s\"; malv trace list has them", argv[0]);
    char *dir = trace_data_dir();
    say_how(c, dir);
    free(dir);
    return 0;
}
