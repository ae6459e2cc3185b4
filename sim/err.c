#include "sim/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set_(struct err *e, int code, const char *file, int line, const char *fmt, ...)
{
    if (!e || e->code) /* the first cause wins */
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    e->code = code;
    e->file = file;
    e->line = line;
    return code;
}

int err_wrap(struct err *e, int code, const char *fmt, ...)
{
    if (!e)
        return code;
    char inner[sizeof e->msg];
    memcpy(inner, e->msg, sizeof inner);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof e->msg)
        snprintf(e->msg + n, sizeof e->msg - (size_t)n, ": %s", inner);
    return code;
}

const char *err_name(int code)
{
    switch (code) {
#define X(id, text, status)                                                                        \
    case ERR_##id:                                                                                 \
        return text;
        ERR_MAP(X)
#undef X
    }
    return "no error";
}

int err_status(int code)
{
    switch (code) {
#define X(id, text, status)                                                                        \
    case ERR_##id:                                                                                 \
        return status;
        ERR_MAP(X)
#undef X
    }
    return 0;
}
