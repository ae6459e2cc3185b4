/* import_kineto_json.c - Chrome trace JSON as it streams by: one event is held at a time. */
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "traces/kineto.h"
#include "traces/parse.h"

#define CHUNK     65536
#define NAME_MOST 65536u

enum where { /* in the file's tree */
             OUTSIDE,
             TOP,
             EVENTS,
             EVENT,
             ARGS,
             GRID,
             BLOCK,
             DEPENDS,
             DEVICES,
             A_DEVICE,
             ELSEWHERE
};

enum key { /* the last one met, where it matters */
           OTHER,
           KEY_EVENTS,
           KEY_DEVICES,
           KEY_BASE,
           KEY_OURS,
           KEY_PH,
           KEY_CAT,
           KEY_NAME,
           KEY_TS,
           KEY_DUR,
           KEY_PID,
           KEY_TID,
           KEY_ARGS,
           KEY_GRID,
           KEY_BLOCK,
           KEY_DEPENDS,
           KEY_DTYPE,
           KEY_NUMBER /* and those of KINETO_ARGS behind it */
};

static int give_up(struct kineto *k, int rc)
{
    k->rc = rc;
    return 0;
}

/* Where the token is that yajl has just read: of `len` bytes. */
static struct kineto_place place(struct kineto *k, size_t len)
{
    size_t at = yajl_get_bytes_consumed(k->json);
    const unsigned char *p = k->chunk + k->counted, *end = k->chunk + at, *eol;
    while (p < end && (eol = memchr(p, '\n', (size_t)(end - p)))) {
        p = eol + 1;
        k->line++;
        k->line_at = k->before + (size_t)(p - k->chunk);
    }
    k->counted = at;
    uint64_t column = k->before + at - k->line_at;
    return (struct kineto_place){k->line, column >= len ? column - len + 1 : 1};
}

static enum where here(const struct kineto *k)
{
    return k->depth ? (enum where)k->at[k->depth - 1] : OUTSIDE;
}

static int enter(struct kineto *k, enum where w)
{
    if (k->depth == KINETO_DEPTH) {
        struct kineto_place p = place(k, 1);
        return give_up(k, err_set(k->e, ERR_EPARSE,
                                  "%s:%llu:%llu: got more than %d levels, want "
                                  "a Chrome trace",
                                  k->im->path, (unsigned long long)p.line,
                                  (unsigned long long)p.column, KINETO_DEPTH));
    }
    k->at[k->depth++] = (int)w;
    k->key = OTHER;
    return 1;
}

static void begin_event(struct kineto *k)
{
    struct kineto_event *ev = &k->ev;
    *ev = (struct kineto_event){.at = place(k, 1),
                                .name = ev->name,
                                .name_cap = ev->name_cap,
                                .depends = ev->depends,
                                .depends_cap = ev->depends_cap};
}

static int on_map(void *ctx)
{
    struct kineto *k = ctx;
    enum where w = here(k), next = ELSEWHERE;
    if (w == OUTSIDE)
        next = TOP;
    else if (w == EVENTS)
        next = EVENT;
    else if (w == EVENT && k->key == KEY_ARGS)
        next = ARGS;
    else if (w == DEVICES)
        next = A_DEVICE;
    if (next == EVENT)
        begin_event(k);
    return enter(k, next);
}

static int on_array(void *ctx)
{
    struct kineto *k = ctx;
    enum where w = here(k), next = ELSEWHERE;
    if (w == OUTSIDE || (w == TOP && k->key == KEY_EVENTS))
        next = EVENTS;
    else if (w == TOP && k->key == KEY_DEVICES)
        next = DEVICES;
    else if (w == ARGS && (k->key == KEY_GRID || k->key == KEY_BLOCK)) {
        next = k->key == KEY_GRID ? GRID : BLOCK;
        k->ev.seen_dims |= next == GRID ? 1 : 2;
        k->ev.dims[next == BLOCK] = 1;
    } else if (w == ARGS && k->key == KEY_DEPENDS)
        next = DEPENDS;
    k->has_events |= next == EVENTS;
    return enter(k, next);
}

static int on_end(void *ctx)
{
    struct kineto *k = ctx;
    enum where left = here(k);
    k->depth--;
    k->key = OTHER;
    if (left != EVENT)
        return 1;
    int rc = kineto_add_event(k, k->e);
    return rc ? give_up(k, rc) : 1;
}

static const struct {
    enum where in;
    const char *text;
    unsigned key;
} keys[] = {{TOP, "traceEvents", KEY_EVENTS},
            {TOP, "deviceProperties", KEY_DEVICES},
            {TOP, "baseTimeNanoseconds", KEY_BASE},
            {TOP, "malvTrace", KEY_OURS},
            {EVENT, "ph", KEY_PH},
            {EVENT, "cat", KEY_CAT},
            {EVENT, "name", KEY_NAME},
            {EVENT, "ts", KEY_TS},
            {EVENT, "dur", KEY_DUR},
            {EVENT, "pid", KEY_PID},
            {EVENT, "tid", KEY_TID},
            {EVENT, "args", KEY_ARGS},
            {ARGS, "grid", KEY_GRID},
            {ARGS, "block", KEY_BLOCK},
            {ARGS, "malv_depends", KEY_DEPENDS},
            {ARGS, "dtype", KEY_DTYPE},
            {A_DEVICE, "name", KEY_NAME},
#define X(id, text, max) {ARGS, text, KEY_NUMBER + KINETO_##id},
            KINETO_ARGS(X)
#undef X
};

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct kineto *k = ctx;
    enum where w = here(k);
    k->key = OTHER;
    for (size_t i = 0; w != ELSEWHERE && i < sizeof keys / sizeof *keys; i++)
        if (keys[i].in == w && !strncmp(keys[i].text, (const char *)text, len) &&
            !keys[i].text[len]) {
            k->key = keys[i].key;
            break;
        }
    return 1;
}

static void note_text(struct kineto *k, struct kineto_text *t, const void *text, size_t len)
{
    t->at = place(k, len + 2 * k->quoted);
    t->len = len < sizeof t->v ? len : sizeof t->v - 1;
    memcpy(t->v, text, t->len);
    t->v[t->len] = 0;
}

static void note_wrong(struct kineto *k, const void *text, size_t len, const char *want)
{
    if (k->ev.wrong.is)
        return;
    k->ev.wrong.is = true;
    k->ev.wrong.want = want;
    note_text(k, &k->ev.wrong.got, text, len);
}

static void note_time(struct kineto *k, struct kineto_text *t, const char *s, size_t len)
{
    note_text(k, t, s, len);
    if (len >= sizeof t->v)
        note_wrong(k, s, len, "a number of fewer than 64 digits");
}

/* Threads may have negative numbers, and -1 is all streams: kept as 32 bits. */
static bool parse_id(const char *s, size_t len, uint64_t max, uint64_t *out)
{
    bool negative = len && *s == '-';
    if (!parse_u64(s + negative, len - negative, negative ? UINT32_MAX : max, out))
        return false;
    if (negative)
        *out = (uint32_t) - *out;
    return true;
}

static void take_number(struct kineto *k, unsigned which, const char *s, size_t len)
{
    static const uint64_t max[KINETO_NUMBERS] = {
#define X(id, text, most) [KINETO_##id] = most,
        KINETO_ARGS(X)
#undef X
            [KINETO_PID] = UINT64_MAX,
        [KINETO_TID] = UINT64_MAX};
    struct kineto_event *ev = &k->ev;
    bool is_id = which == KINETO_STREAM || which == KINETO_PID || which == KINETO_TID ||
                 which == KINETO_EVENT_STREAM || which == KINETO_RECORD;
    if (is_id ? parse_id(s, len, max[which], &ev->number[which])
              : parse_u64(s, len, max[which], &ev->number[which]))
        ev->seen |= 1u << which;
    else
        note_wrong(k, s, len,
                   max[which] == UINT64_MAX ? "a whole number" : "a smaller whole number");
}

static void take_dim(struct kineto *k, int which, const char *s, size_t len)
{
    uint64_t v, *product = &k->ev.dims[which], most = which ? UINT32_MAX : UINT64_MAX;
    if (!parse_u64(s, len, UINT64_MAX, &v) || (v && *product > most / v))
        note_wrong(k, s, len, "a size of a grid or a block");
    else
        *product *= v;
}

static int take_depend(struct kineto *k, const char *s, size_t len)
{
    struct kineto_event *ev = &k->ev;
    if (ev->n_depends == ev->depends_cap) {
        uint32_t cap = ev->depends_cap ? 2 * ev->depends_cap : 16;
        uint64_t *more = realloc(ev->depends, cap * sizeof *more);
        if (!more)
            return give_up(k, err_set(k->e, ERR_ENOMEM, "out of memory"));
        ev->depends = more;
        ev->depends_cap = cap;
    }
    if (ev->n_depends == 1u << 16 || !parse_u64(s, len, UINT64_MAX, &ev->depends[ev->n_depends]))
        note_wrong(k, s, len, "a correlation, at most 65536 of them");
    else
        ev->n_depends++;
    return 1;
}

static int on_number(void *ctx, const char *s, size_t len)
{
    struct kineto *k = ctx;
    enum where w = here(k);
    k->quoted = false;
    if (w == GRID || w == BLOCK)
        take_dim(k, w == BLOCK, s, len);
    else if (w == DEPENDS)
        return take_depend(k, s, len);
    else if (k->key >= KEY_NUMBER)
        take_number(k, k->key - KEY_NUMBER, s, len);
    else if (w == EVENT && (k->key == KEY_TS || k->key == KEY_DUR))
        note_time(k, k->key == KEY_TS ? &k->ev.ts : &k->ev.dur, s, len);
    else if (w == EVENT && (k->key == KEY_PID || k->key == KEY_TID))
        take_number(k, k->key == KEY_PID ? KINETO_PID : KINETO_TID, s, len);
    else if (w == TOP && k->key == KEY_OURS)
        k->as_is = true;
    else if (w == TOP && k->key == KEY_BASE && !parse_u64(s, len, UINT64_MAX / 4, &k->base_ns))
        k->base_ns = 0;
    return 1;
}

static int take_name(struct kineto *k, const unsigned char *text, size_t len)
{
    struct kineto_event *ev = &k->ev;
    if (memchr(text, 0, len) || len > NAME_MOST) {
        note_wrong(k, text, len, "a name without NUL bytes, of at most 65536 bytes");
        return 1;
    }
    if (len >= ev->name_cap) {
        char *more = realloc(ev->name, 2 * len + 64);
        if (!more)
            return give_up(k, err_set(k->e, ERR_ENOMEM, "out of memory"));
        ev->name = more;
        ev->name_cap = 2 * len + 64;
    }
    memcpy(ev->name, text, len);
    ev->name[len] = 0;
    ev->name_len = len;
    ev->named = true;
    return 1;
}

/* Numbers may be written as texts; AMD's calls have addresses there, which say nothing to us. */
static void take_text(struct kineto *k, unsigned which, const char *s, size_t len)
{
    uint64_t v;
    if (parse_u64(s, len, UINT64_MAX, &v) || which == KINETO_CORRELATION)
        take_number(k, which, s, len);
}

static int on_text(void *ctx, const unsigned char *text, size_t len)
{
    struct kineto *k = ctx;
    enum where w = here(k);
    k->quoted = true;
    if (w == EVENT && k->key == KEY_NAME)
        return take_name(k, text, len);
    if (w == EVENT && k->key == KEY_CAT)
        note_text(k, &k->ev.cat, text, len);
    else if (w == EVENT && k->key == KEY_PH)
        k->ev.complete = len == 1 && *text == 'X';
    else if (w == EVENT && (k->key == KEY_TS || k->key == KEY_DUR))
        note_wrong(k, text, len, "a number of microseconds");
    else if (k->key == KEY_DTYPE)
        note_text(k, &k->ev.dtype, text, len);
    else if (k->key >= KEY_NUMBER)
        take_text(k, k->key - KEY_NUMBER, (const char *)text, len);
    else if (w == A_DEVICE && k->key == KEY_NAME && !*k->device)
        snprintf(k->device, sizeof k->device, "%.*s", (int)(len < 63 ? len : 63), text);
    return 1;
}

static const yajl_callbacks callbacks = {NULL,   NULL,   NULL,   NULL,     on_number, on_text,
                                         on_map, on_key, on_end, on_array, on_end};

static int json_wrong(struct kineto *k, struct err *e)
{
    unsigned char *text = yajl_get_error(k->json, 0, NULL, 0);
    struct kineto_place p = place(k, 1);
    int len = text ? (int)strcspn((const char *)text, "\n") : 0;
    int rc = err_set(e, ERR_EPARSE, "%s:%llu:%llu: got no JSON (%.*s), want a Chrome trace",
                     k->im->path, (unsigned long long)p.line, (unsigned long long)p.column, len,
                     text ? (const char *)text : "");
    if (text)
        yajl_free_error(k->json, text);
    return rc;
}

static int check(struct kineto *k, yajl_status s, struct err *e)
{
    if (s == yajl_status_client_canceled && k->rc)
        return k->rc;
    return s == yajl_status_ok ? 0 : json_wrong(k, e);
}

static int parse_all(struct kineto *k, struct err *e)
{
    unsigned char *chunk = malloc(CHUNK);
    long n = 1;
    int rc = chunk ? 0 : err_set(e, ERR_ENOMEM, "out of memory");
    k->chunk = chunk;
    while (!rc && n > 0) {
        n = input_read(k->im->in, chunk, CHUNK, e);
        if (n < 0)
            rc = (int)n;
        else if (n > 0)
            rc = check(k, yajl_parse(k->json, chunk, (size_t)n), e);
        if (rc || n <= 0)
            continue;
        place(k, 0);
        k->before += (uint64_t)n;
        k->counted = 0;
    }
    if (!rc) {
        *chunk = ' '; /* yajl's own last byte */
        rc = check(k, yajl_complete_parse(k->json), e);
    }
    free(chunk);
    return rc;
}

int kineto_parse(struct kineto *k, struct err *e)
{
    k->e = e;
    k->line = 1;
    if (!(k->json = yajl_alloc(&callbacks, NULL, k)))
        return err_set(e, ERR_ENOMEM, "out of memory");
    int rc = parse_all(k, e);
    yajl_free(k->json);
    k->json = NULL;
    if (!rc && !k->has_events)
        rc = err_set(e, ERR_EPARSE, "%s:1:1: key \"traceEvents\" is missing", k->im->path);
    return rc;
}
