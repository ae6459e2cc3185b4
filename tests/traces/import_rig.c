#include "tests/traces/import_rig.h"

#include <string.h>

struct importer *import_text(const char *format, const char *text, uint64_t skip, int *rc,
                             struct err *e)
{
    struct input *in;
    struct importer *im = NULL;
    *rc = input_open_memory(&in, "t", text, strlen(text), e);
    if (!*rc)
        *rc = import_open_input(&im, in, import_format(format), skip, e);
    return im;
}
