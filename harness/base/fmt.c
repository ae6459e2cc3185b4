#include "harness/base/fmt.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NBSP "\xc2\xa0"
#define THIN "\xe2\x80\xaf" /* U+202F, narrow no-break space */

/* Digits in front of the point, without asking libm for a logarithm. */
static int whole_digits(double v)
{
    int n = 1;
    for (v = fabs(v); v >= 10 && n < 16; v /= 10)
        n++;
    return n;
}

static struct fmt group_thousands(const char *plain)
{
    struct fmt out = {""};
    const char *start = plain + (*plain == '-');
    const size_t whole = strspn(start, "0123456789");
    size_t at = 0;
    if (*plain == '-')
        out.s[at++] = '-';
    for (size_t i = 0; start[i] && at + 4 < sizeof out.s; i++) {
        if (i && i < whole && whole > 4 && (whole - i) % 3 == 0) {
            memcpy(out.s + at, THIN, 3);
            at += 3;
        }
        out.s[at++] = start[i];
    }
    out.s[at] = 0;
    return out;
}

struct fmt fmt_number(double v, int digits)
{
    struct fmt out = {"\xe2\x80\x93"}; /* en dash */
    if (!isfinite(v))
        return out;
    if (v != 0 && (fabs(v) < 1e-4 || fabs(v) >= 1e12)) {
        snprintf(out.s, sizeof out.s, "%.*e", digits - 1, v);
        return out;
    }
    int places = digits - whole_digits(v);
    for (double small = fabs(v); small > 0 && small < 1; small *= 10)
        places++; /* zeros behind the point are not significant */
    char plain[40];
    snprintf(plain, sizeof plain, "%.*f", v == 0 || places < 0 ? 0 : places, v);
    if (fabs(v) < 1e15 && v == floor(v) && strchr(plain, '.')) /* 5.000 is 5 */
        *strchr(plain, '.') = 0;
    return group_thousands(plain);
}

struct fmt fmt_p(double p)
{
    struct fmt out = {""};
    if (p < 0.0001)
        snprintf(out.s, sizeof out.s, "p" NBSP "<" NBSP "0.0001");
    else if (!isnan(p))
        snprintf(out.s, sizeof out.s, "p" NBSP "=" NBSP "%.*f", p < 0.1 ? 4 : 2, p);
    return out;
}

void json_number(FILE *f, double v)
{
    char s[40];
    if (!isfinite(v)) {
        fputs("null", f);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(s, sizeof s, "%.*g", digits, v);
        if (strtod(s, NULL) == v)
            break;
    }
    fputs(s, f);
}

/* Length of the UTF-8 character at s; 0 when it is none. */
static size_t utf8_len(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    const size_t n = u[0] < 0x80         ? 1
                     : (u[0] >> 5) == 6  ? 2
                     : (u[0] >> 4) == 14 ? 3
                     : (u[0] >> 3) == 30 ? 4
                                         : 0;
    uint32_t code = n == 1 ? u[0] : u[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (u[i] & 0x3f);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const int surrogate = code >= 0xd800 && code < 0xe000;
    return n && code >= least[n] && code < 0x110000 && !surrogate ? n : 0;
}

#define NOT_UTF8 "\xef\xbf\xbd"

void json_string(FILE *f, const char *s)
{
    fputc('"', f);
    while (*s) {
        const size_t n = utf8_len(s);
        if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            fprintf(f, "\\u%04x", (unsigned)*s);
        else if (n)
            fwrite(s, 1, n, f);
        else
            fputs(NOT_UTF8, f);
        s += n ? n : 1;
    }
    fputc('"', f);
}

void csv_text(FILE *f, const char *s)
{
    if (!s[strcspn(s, ",\"\r\n")]) {
        fputs(s, f);
        return;
    }
    fputc('"', f);
    for (; *s; s++) {
        if (*s == '"')
            fputc('"', f);
        fputc(*s, f);
    }
    fputc('"', f);
}

void html_text(FILE *f, const char *s)
{
    static const struct {
        char c;
        const char *as;
    } escape[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    while (*s) {
        const size_t n = utf8_len(s);
        const char *as = NULL;
        for (size_t i = 0; i < sizeof escape / sizeof *escape; i++)
            if (*s == escape[i].c)
                as = escape[i].as;
        const int control = (unsigned char)*s < 0x20 && !strchr("\t\n", *s);
        if (as || !n || control || *s == 0x7f)
            fputs(as ? as : NOT_UTF8, f);
        else
            fwrite(s, 1, n, f);
        s += n ? n : 1;
    }
}
