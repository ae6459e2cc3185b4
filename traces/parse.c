/* parse.c - numbers and calendar times, by hand: strtoull takes signs, spaces
 * and locales, and wants a NUL; strptime knows no fractions.                */
#include "traces/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool parse_u64(const char *s, size_t len, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned d = (unsigned)(s[i] - '0');
        if (d > 9 || v > (UINT64_MAX - d) / 10)
            return false;
        v = 10 * v + d;
    }
    *out = v;
    return v <= max;
}

/* The fraction's digits in units of 1/`unit`, rounded half up. */
static bool fraction(const char *s, size_t len, uint64_t unit, uint64_t *out)
{
    uint64_t v = 0, place = unit;
    bool round = false, first_below = true;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(s[i]))
            return false;
        if (place >= 10) {
            place /= 10;
            v += (uint64_t)(s[i] - '0') * place;
        } else if (first_below) {
            round = s[i] >= '5';
            first_below = false;
        }
    }
    *out = v + round;
    return true;
}

bool parse_decimal_ns(const char *s, size_t len, uint64_t unit, uint64_t *out)
{
    const char *dot = len ? memchr(s, '.', len) : NULL;
    size_t whole_len = dot ? (size_t)(dot - s) : len;
    uint64_t whole, part = 0;
    if (!parse_u64(s, whole_len, UINT64_MAX / unit - 1, &whole))
        return false;
    if (dot && !fraction(dot + 1, len - whole_len - 1, unit, &part))
        return false;
    *out = whole * unit + part;
    return true;
}

int format_decimal_ns(char out[40], uint64_t v, uint64_t unit)
{
    uint64_t part = v % unit;
    int n = snprintf(out, 40, "%llu", (unsigned long long)(v / unit));
    if (!part)
        return n;
    out[n++] = '.';
    for (uint64_t place = unit / 10; part; part %= place, place /= 10)
        out[n++] = (char)('0' + part / place);
    out[n] = 0;
    return n;
}

/* Days since 1970-01-01 of a Gregorian date, and back (H. Hinnant's algorithm). */
static uint64_t days_from_civil(unsigned y, unsigned m, unsigned d)
{
    y -= m <= 2;
    unsigned era = y / 400, yoe = y % 400;
    unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return (uint64_t)era * 146097 + doe - 719468;
}

static void civil_from_days(uint64_t days, unsigned *y, unsigned *m, unsigned *d)
{
    uint64_t z = days + 719468;
    unsigned era = (unsigned)(z / 146097), doe = (unsigned)(z % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = yoe + era * 400 + (*m <= 2);
}

static bool month_has(unsigned y, unsigned m, unsigned d)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100) || y % 400 == 0;
    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap ? 1u : 0u);
}

/* Fixed-width digits after an expected separator. */
static bool part(const char *s, size_t at, int width, const char *seps, unsigned *out)
{
    uint64_t v;
    if (seps && (!s[at - 1] || !strchr(seps, s[at - 1])))
        return false;
    if (!parse_u64(s + at, (size_t)width, 9999, &v))
        return false;
    *out = (unsigned)v;
    return true;
}

static bool zone_ok(const char *s, size_t len)
{
    unsigned h, m;
    if (len == 0 || (len == 1 && s[0] == 'Z'))
        return true;
    return len == 6 && (s[0] == '+' || s[0] == '-') && part(s, 1, 2, NULL, &h) &&
           part(s, 4, 2, ":", &m) && h <= 14 && m <= 59;
}

bool parse_stamp(const char *s, size_t len, struct stamp *out)
{
    unsigned y, mo, d, h, mi, sec;
    uint64_t frac = 0;
    size_t at = 19;
    if (len < 19 || !part(s, 0, 4, NULL, &y) || !part(s, 5, 2, "-", &mo) ||
        !part(s, 8, 2, "-", &d) || !part(s, 11, 2, " T", &h) || !part(s, 14, 2, ":", &mi) ||
        !part(s, 17, 2, ":", &sec))
        return false;
    if (y < 1970 || y > 2500 || !month_has(y, mo, d) || h > 23 || mi > 59 || sec > 59)
        return false;
    if (at < len && s[at] == '.') {
        size_t from = ++at;
        while (at < len && is_digit(s[at]))
            at++;
        if (at - from > 9 || !fraction(s + from, at - from, NS_PER_S, &frac))
            return false;
        out->fraction_digits = (int)(at - from);
    } else {
        out->fraction_digits = 0;
    }
    if (!zone_ok(s + at, len - at))
        return false;
    memcpy(out->zone, s + at, len - at);
    out->zone[len - at] = 0;
    out->ns = (((days_from_civil(y, mo, d) * 24 + h) * 60 + mi) * 60 + sec) * NS_PER_S + frac;
    return true;
}

int format_stamp(char out[64], uint64_t ns, int fraction_digits)
{
    unsigned y, m, d;
    uint64_t s = ns / NS_PER_S, part_ns = ns % NS_PER_S;
    assert(fraction_digits >= 0 && fraction_digits <= 9);
    civil_from_days(s / 86400, &y, &m, &d);
    int n = snprintf(out, 64, "%04u-%02u-%02u %02u:%02u:%02u", y, m, d, (unsigned)(s / 3600 % 24),
                     (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    if (!fraction_digits)
        return n;
    char digits[24];
    snprintf(digits, sizeof digits, "%09llu", (unsigned long long)part_ns);
    digits[fraction_digits] = 0;
    return n + snprintf(out + n, 64 - (size_t)n, ".%s", digits);
}
