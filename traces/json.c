/* json.c - a pull reader over one line. */
#include "traces/json.h"

#include <string.h>

#include "traces/parse.h"

#define DEPTH_MAX 64

void json_begin(struct json *j, const char *text, size_t len)
{
    *j = (struct json){.text = text, .len = len};
}

void json_fail(struct json *j, const char *want)
{
    if (!j->wrong)
        j->wrong = want;
}

static inline bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void space(struct json *j)
{
    while (j->at < j->len && is_space(j->text[j->at]))
        j->at++;
}

bool json_take(struct json *j, char c)
{
    space(j);
    if (j->wrong || j->at == j->len || j->text[j->at] != c)
        return false;
    j->at++;
    return true;
}

bool json_expect(struct json *j, char c, const char *want)
{
    if (json_take(j, c))
        return true;
    json_fail(j, want);
    return false;
}

bool json_key(struct json *j, const char **key, size_t *len)
{
    if (!json_expect(j, '"', "a key in quotes"))
        return false;
    size_t from = j->at;
    while (j->at < j->len && j->text[j->at] != '"' && j->text[j->at] != '\\')
        j->at++;
    *key = j->text + from;
    *len = j->at - from;
    return json_expect(j, '"', "the end of a plain key") && json_expect(j, ':', "a colon");
}

static size_t digits(const struct json *j)
{
    size_t n = 0;
    while (j->at + n < j->len && j->text[j->at + n] >= '0' && j->text[j->at + n] <= '9')
        n++;
    return n;
}

bool json_u64(struct json *j, uint64_t max, uint64_t *out)
{
    space(j);
    size_t n = digits(j);
    char after = j->at + n < j->len ? j->text[j->at + n] : 0;
    bool plain =
        n > 0 && !(n > 1 && j->text[j->at] == '0') && after != '.' && after != 'e' && after != 'E';
    if (j->wrong || !plain || !parse_u64(j->text + j->at, n, max, out)) {
        json_fail(j, "an integer in range");
        return false;
    }
    j->at += n;
    return true;
}

static void skip_string(struct json *j)
{
    while (j->at < j->len && j->text[j->at] != '"')
        j->at += j->text[j->at] == '\\' ? 2 : 1;
    if (j->at > j->len)
        j->at = j->len;
    json_expect(j, '"', "the end of a string");
}

static void skip_scalar(struct json *j)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (j->len - j->at >= n && !memcmp(j->text + j->at, words[i], n)) {
            j->at += n;
            return;
        }
    }
    size_t from = j->at;
    while (j->at < j->len && j->text[j->at] && strchr("+-.0123456789eE", j->text[j->at]))
        j->at++;
    if (j->at == from)
        json_fail(j, "a value");
}

/* The members between the bracket just taken and its closing twin. */
static void skip_members(struct json *j, char close)
{
    if (json_take(j, close))
        return;
    do {
        const char *key;
        size_t len;
        if (close == '}' && !json_key(j, &key, &len))
            return;
        json_skip(j);
    } while (json_take(j, ','));
    json_expect(j, close, "a comma or a closing bracket");
}

void json_skip(struct json *j)
{
    if (++j->depth > DEPTH_MAX)
        json_fail(j, "fewer levels of nesting");
    if (j->wrong)
        return;
    if (json_take(j, '{'))
        skip_members(j, '}');
    else if (json_take(j, '['))
        skip_members(j, ']');
    else if (json_take(j, '"'))
        skip_string(j);
    else
        skip_scalar(j);
    j->depth--;
}

bool json_end(struct json *j)
{
    space(j);
    if (j->at != j->len)
        json_fail(j, "the end of the line");
    return !j->wrong;
}
