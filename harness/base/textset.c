#include "harness/base/textset.h"

#include <stdlib.h>
#include <string.h>

int textset_add(struct textset *s, char *text, bool *is_new, struct err *e)
{
    *is_new = false;
    for (size_t i = 0; text && i < s->n; i++)
        if (!strcmp(s->text[i], text)) {
            free(text);
            return 0;
        }
    char **grown = text ? realloc(s->text, (s->n + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(text);
        return err_set(e, ERR_ENOMEM, "out of memory for the experiment");
    }
    s->text = grown;
    s->text[s->n++] = text;
    *is_new = true;
    return 0;
}

void textset_free(struct textset *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->text[i]);
    free(s->text);
    *s = (struct textset){0};
}
