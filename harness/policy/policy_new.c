#include "harness/policy/policy_new.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/files.h"
#include "harness/base/places.h"
#include "models/policy_slot.h"

static int check_word(const char *name, struct err *e)
{
    bool good = islower((unsigned char)*name) && strlen(name) <= 40;
    for (const char *c = name; *c; c++)
        good = good &&
               (islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '-' || *c == '_');
    return good ? 0
                : err_set(e, ERR_EUSAGE,
                          "new: \"%.64s\" is no name for a policy, want [a-z][a-z0-9-]*", name);
}

static void spell(char *to, const char *name, char from, char into)
{
    do
        *to++ = *name == from ? into : *name;
    while (*name++);
}

/* The template without its head, with the new name wherever its own stood: "template-mem" as a
 * word, template_mem as an identifier. */
static void fill_in(FILE *f, const char *text, const char *stem, const char *file, const char *word)
{
    char quoted[64];
    int n = snprintf(quoted, sizeof quoted, "\"%s\"", stem);
    spell(quoted, quoted, '_', '-');
    fprintf(f,
            "/* %s.c - say in one line what it does.\n *\n"
            " * Say when it is good, and where it fails.                                  */\n",
            file);
    text = strstr(text, "*/\n");
    for (text = text ? text + 3 : ""; *text;) {
        if (!strncmp(text, quoted, (size_t)n)) {
            fprintf(f, "\"%s\"", word);
            text += n;
        } else if (!strncmp(text, stem, (size_t)n - 2)) {
            fputs(file, f);
            text += n - 2;
        } else {
            fputc(*text++, f);
        }
    }
}

static int write_new(const char *text, const char *stem, const char *name, const char *dir,
                     struct err *e)
{
    char file[64], word[64], *out = NULL, *path = NULL;
    size_t n = 0;
    spell(file, name, '-', '_');
    spell(word, name, '_', '-');
    FILE *f = open_memstream(&out, &n);
    if (f) {
        fill_in(f, text, stem, file, word);
        fclose(f);
    }
    if (!f || asprintf(&path, "%s/%s.c", dir, file) < 0) {
        free(out);
        return err_set(e, ERR_ENOMEM, "out of memory");
    }
    FILE *old = fopen(path, "r");
    int rc = old ? err_set(e, ERR_EUSAGE, "new: %s is already there", path)
                 : files_write(path, out, n, e);
    if (old)
        fclose(old);
    if (!rc)
        printf("wrote %s; in policies/ `make` builds it, then: malv policy check %s\n", path, word);
    free(path);
    free(out);
    return rc;
}

/* serve's is the plain one, but for many engines; the others are called after their family. */
static int find_template(const char *hook, char *stem, size_t n, struct err *e)
{
    char list[512] = "";
    size_t family = hook ? strcspn(hook, ".") : 0;
    for (int h = 0, at = 0; h < POLICY_HOOK_POLICY_SELECT; h++) {
        const char *name = policy_hook_name((enum policy_hook)h);
        at += snprintf(list + at, sizeof list - (size_t)at, "%s%s", h ? ", " : "", name);
        bool is_family =
            hook && !hook[family] && !strncmp(name, hook, family) && name[family] == '.';
        if (hook && strcmp(name, hook) && !is_family)
            continue;
        int len = (int)strcspn(name, ".");
        if (h == POLICY_HOOK_SERVE_ROUTE || h == POLICY_HOOK_SERVE_SCALE)
            snprintf(stem, n, "template_route");
        else
            snprintf(stem, n, h < POLICY_HOOK_CPU_PICK ? "template" : "template_%.*s", len, name);
        return 0;
    }
    return err_set(e, ERR_ENAME, "new: no hook \"%.40s\", want one of %s", hook, list);
}

int policy_new(const char *name, const char *dir, const char *hook, struct err *e)
{
    char stem[32], relative[64];
    unsigned char *text;
    size_t n;
    int rc = check_word(name, e);
    if (!rc)
        rc = find_template(hook, stem, sizeof stem, e);
    if (rc)
        return rc;
    snprintf(relative, sizeof relative, "policies/%s.c", stem);
    char *from = places_root(relative);
    rc = from ? files_read(from, 1u << 20, &text, &n, e) : err_set(e, ERR_ENOMEM, "out of memory");
    free(from);
    if (rc)
        return rc;
    rc = write_new((const char *)text, stem, name, dir, e);
    free(text);
    return rc;
}
