/* capture_raw.c - see capture_raw.h */
#include "traces/capture_raw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TIME_MAX (UINT64_C(1) << 62)

static int complain(const struct capture_raw *r, struct err *e, uint64_t got, const char *want)
{
    return err_set(e, ERR_EPARSE, "%s: byte %" PRIu64 ": got %" PRIu64 ", want %s",
                   input_name(r->in), r->at, got, want);
}

/* ---- small tables ---- */

static int grow(void **at, uint32_t n, uint32_t *cap, size_t size, uint32_t most)
{
    if (n < *cap)
        return 0;
    uint32_t more = *cap ? 2 * *cap : 64;
    void *p = n < most ? realloc(*at, more * size) : NULL;
    if (!p)
        return -1;
    *at = p;
    *cap = more;
    return 0;
}

uint32_t capture_lane(struct capture_raw *r, uint32_t context, uint32_t stream)
{
    uint32_t tenant = r->processes - 1, number = 0;
    for (uint32_t i = r->lanes; i-- > 0 && r->lane[i].tenant == tenant; number++)
        if (r->lane[i].context == context && r->lane[i].stream == stream)
            return i;
    if (grow((void **)&r->lane, r->lanes, &r->cap_lanes, sizeof *r->lane, CAPTURE_LANES))
        return CAPTURE_NO_LANE;
    r->lane[r->lanes] = (struct capture_lane){
        .tenant = tenant, .context = context, .stream = stream, .number = number};
    return r->lanes++;
}

static uint32_t thread_number(struct capture_raw *r, uint32_t id)
{
    uint32_t tenant = r->processes - 1, number = 0;
    for (uint32_t i = r->threads; i-- > 0 && r->thread[i].tenant == tenant; number++)
        if (r->thread[i].id == id)
            return r->thread[i].number;
    if (grow((void **)&r->thread, r->threads, &r->cap_threads, sizeof *r->thread, CAPTURE_LANES))
        return CAPTURE_NO_LANE;
    r->thread[r->threads++] = (struct capture_thread){tenant, id, number};
    return number;
}

static int put_name(struct capture_raw *r, struct err *e)
{
    const struct raw_name *n = (const void *)r->record;
    if (n->id != r->n_name)
        return complain(r, e, n->id, "the names of a process numbered in order");
    if (n->length > n->head.size - sizeof *n)
        return complain(r, e, n->length, "a name within its record");
    if (grow((void **)&r->name, r->n_name, &r->cap_name, sizeof *r->name, UINT32_MAX))
        return err_set(e, ERR_ENOMEM, "%s: out of memory", input_name(r->in));
    uint32_t id = names_id(r->names, (const char *)(n + 1), n->length);
    r->name[r->n_name++] = id;
    return id == TRACE_NAME_NONE ? err_set(e, ERR_ENOMEM, "%s: out of memory", input_name(r->in))
                                 : 0;
}

/* ---- items ---- */

static int set_name(struct capture_raw *r, uint32_t id, struct capture_item *it, struct err *e)
{
    if (id >= r->n_name)
        return complain(r, e, id, "the number of a name that came before");
    it->name = r->name[id];
    return 0;
}

static int set_lane(struct capture_raw *r, uint32_t context, uint32_t stream,
                    struct capture_item *it, struct err *e)
{
    it->context = context;
    it->lane = capture_lane(r, context, stream);
    return it->lane != CAPTURE_NO_LANE
               ? 0
               : err_set(e, ERR_ERANGE, "%s: byte %" PRIu64 ": more than %d streams",
                         input_name(r->in), r->at, CAPTURE_LANES);
}

/* CUPTI's time on the monotonic clock. */
static int set_times(const struct capture_raw *r, uint64_t begin, uint64_t end,
                     struct capture_item *it, struct err *e)
{
    uint64_t zero = r->begin.cupti_ns - r->begin.mono_ns;
    if (begin < zero || begin >= TIME_MAX)
        return complain(r, e, begin, "a time since the machine started");
    if (end < begin || end >= TIME_MAX)
        return complain(r, e, end, "an end that is not before its beginning");
    it->begin = begin - zero;
    it->end = end - zero;
    return 0;
}

static struct capture_item item(const struct capture_raw *r, enum capture_what what)
{
    const struct raw_head *h = (const void *)r->record;
    static const uint64_t order[] = {[CAPTURE_CALL] = 0, 1, 1, 2};
    uint64_t tenant = r->processes - 1;
    return (struct capture_item){.key = tenant << 48 | (uint64_t)h->correlation << 16 | order[what],
                                 .correlation = h->correlation,
                                 .tenant = (uint32_t)tenant,
                                 .device = TRACE_NAME_NONE,
                                 .lane = CAPTURE_NO_LANE,
                                 .name = TRACE_NAME_NONE,
                                 .what = (uint8_t)what};
}

static int add(struct capture_raw *r, const struct capture_item *it, int rc, struct err *e)
{
    return rc ? rc : spill_add(r->items, it, e);
}

/* Of a collective library, as its authors name its kernels. */
static bool is_collective(const char *name)
{
    return name && (strstr(name, "ncclKernel") || strstr(name, "ncclDevKernel"));
}

static int put_kernel(struct capture_raw *r, struct err *e)
{
    const struct raw_kernel *k = (const void *)r->record;
    struct capture_item it = item(r, CAPTURE_DEVICE);
    int rc = set_times(r, k->begin, k->end, &it, e);
    if (!rc)
        rc = set_lane(r, k->context, k->stream, &it, e);
    if (!rc)
        rc = set_name(r, k->name, &it, e);
    if (rc)
        return rc;
    it.kind = is_collective(names_text(r->names, it.name)) ? TRACE_OP_COMM : TRACE_OP_KERNEL;
    it.device = k->device;
    it.grid = k->grid;
    it.block = k->block;
    it.registers = k->registers;
    it.smem = k->smem;
    return add(r, &it, 0, e);
}

/* By CUpti_ActivityMemcpyKind: H is the host, A an array on the device, D the device. */
static const uint8_t copy_kinds[] = {TRACE_OP_D2D, TRACE_OP_H2D, TRACE_OP_D2H, TRACE_OP_H2D,
                                     TRACE_OP_D2H, TRACE_OP_D2D, TRACE_OP_D2D, TRACE_OP_D2D,
                                     TRACE_OP_D2D, TRACE_OP_CPU, TRACE_OP_P2P};
enum { COPY_KINDS = sizeof copy_kinds };

static int put_copy(struct capture_raw *r, struct err *e)
{
    const struct raw_copy *c = (const void *)r->record;
    struct capture_item it = item(r, CAPTURE_DEVICE);
    if (c->kind >= COPY_KINDS)
        return complain(r, e, c->kind, "a kind of copy, 0..10");
    it.kind = c->head.type == RAW_SET ? TRACE_OP_MEMSET : copy_kinds[c->kind];
    if (it.kind == TRACE_OP_CPU) /* from host to host: no device has a part in it */
        return 0;
    static const char *const names[] = {[TRACE_OP_H2D] = "memcpy HtoD",
                                        [TRACE_OP_D2H] = "memcpy DtoH",
                                        [TRACE_OP_D2D] = "memcpy DtoD",
                                        [TRACE_OP_P2P] = "memcpy PtoP",
                                        [TRACE_OP_MEMSET] = "memset"};
    it.name = names_id(r->names, names[it.kind], strlen(names[it.kind]));
    it.device = c->device;
    it.bytes = c->bytes;
    int rc = set_times(r, c->begin, c->end, &it, e);
    return add(r, &it, rc ? rc : set_lane(r, c->context, c->stream, &it, e), e);
}

static int put_call(struct capture_raw *r, struct err *e)
{
    const struct raw_call *c = (const void *)r->record;
    struct capture_item it = item(r, CAPTURE_CALL);
    int rc = set_times(r, c->begin, c->end, &it, e);
    it.thread = thread_number(r, c->thread);
    return add(r, &it, rc ? rc : set_name(r, c->name, &it, e), e);
}

static int put_sync(struct capture_raw *r, struct err *e)
{
    const struct raw_sync *s = (const void *)r->record;
    struct capture_item it = item(r, CAPTURE_SYNC);
    if (s->kind < RAW_SYNC_EVENT || s->kind > RAW_SYNC_CONTEXT)
        return complain(r, e, s->kind, "a kind of synchronization, 1..4");
    it.kind = (uint8_t)s->kind;
    it.event = s->event;
    it.context = s->context;
    int rc = set_times(r, s->begin, s->end, &it, e);
    if (!rc && (s->kind == RAW_SYNC_WAIT_EVENT || s->kind == RAW_SYNC_STREAM))
        rc = set_lane(r, s->context, s->stream, &it, e);
    return add(r, &it, rc, e);
}

static int put_event(struct capture_raw *r, struct err *e)
{
    const struct raw_event *v = (const void *)r->record;
    struct capture_item it = item(r, CAPTURE_EVENT);
    it.event = v->event;
    return add(r, &it, set_lane(r, v->context, v->stream, &it, e), e);
}

static int put_lost(struct capture_raw *r, struct err *e)
{
    (void)e;
    r->lost += ((const struct raw_lost *)(const void *)r->record)->records;
    return 0;
}

static int put_end(struct capture_raw *r, struct err *e)
{
    (void)r, (void)e;
    return 0;
}

/* ---- records ---- */

static const struct {
    uint16_t least, most; /* bytes */
    int (*put)(struct capture_raw *r, struct err *e);
} types[RAW_TYPES] = {
    [RAW_NAME] = {sizeof(struct raw_name), sizeof(struct raw_name) + RAW_TEXT, put_name},
    [RAW_KERNEL] = {sizeof(struct raw_kernel), sizeof(struct raw_kernel), put_kernel},
    [RAW_COPY] = {sizeof(struct raw_copy), sizeof(struct raw_copy), put_copy},
    [RAW_SET] = {sizeof(struct raw_copy), sizeof(struct raw_copy), put_copy},
    [RAW_CALL] = {sizeof(struct raw_call), sizeof(struct raw_call), put_call},
    [RAW_SYNC] = {sizeof(struct raw_sync), sizeof(struct raw_sync), put_sync},
    [RAW_EVENT] = {sizeof(struct raw_event), sizeof(struct raw_event), put_event},
    [RAW_LOST] = {sizeof(struct raw_lost), sizeof(struct raw_lost), put_lost},
    [RAW_END] = {sizeof(struct raw_head), sizeof(struct raw_head), put_end},
};

/* n bytes into the record, from `have` on: 1 they are there, 0 the input ends before, or -err. */
static int fill(struct capture_raw *r, size_t have, size_t n, struct err *e)
{
    while (have < n) {
        long got = input_read(r->in, r->record + have, n - have, e);
        if (got <= 0)
            return (int)got;
        have += (size_t)got;
    }
    return 1;
}

static int begin_process(struct capture_raw *r, struct err *e)
{
    int rc = fill(r, sizeof(struct raw_head), sizeof r->begin, e);
    if (rc < 0)
        return rc;
    memcpy(&r->begin, r->record, sizeof r->begin);
    if (!rc || memcmp(r->begin.magic, RAW_MAGIC, sizeof r->begin.magic))
        return err_set(e, ERR_EPARSE, "%s: byte %" PRIu64 ": want a whole beginning of a process",
                       input_name(r->in), r->at);
    if (r->begin.version != RAW_VERSION)
        return complain(r, e, r->begin.version, "version 1 of the raw format");
    if (r->begin.cupti_ns < r->begin.mono_ns || r->begin.cupti_ns >= TIME_MAX)
        return complain(r, e, r->begin.cupti_ns, "a clock that began before the machine");
    if (r->processes == CAPTURE_PROCESSES)
        return complain(r, e, r->processes, "fewer processes");
    r->processes++;
    r->n_name = 0;
    r->at += sizeof r->begin;
    return 1;
}

/* 1 a record, 0 the end, also one in the middle of a record. */
static int next_record(struct capture_raw *r, struct err *e)
{
    const struct raw_head *h = (const void *)r->record;
    int rc = fill(r, 0, sizeof *h, e);
    if (rc <= 0)
        return rc;
    if (!memcmp(r->record, RAW_MAGIC, sizeof *h))
        return begin_process(r, e);
    if (!r->processes || !h->type || h->type >= RAW_TYPES)
        return complain(r, e, h->type, "a type of record, 1..9, after the beginning of a process");
    if (h->size < types[h->type].least || h->size > types[h->type].most || h->size % 8)
        return complain(r, e, h->size, "the size that a record of its type has");
    rc = fill(r, sizeof *h, h->size, e);
    if (rc <= 0) {
        r->cut = !rc;
        return rc;
    }
    if ((rc = types[h->type].put(r, e)))
        return rc;
    r->at += h->size;
    return 1;
}

int capture_raw_read(struct capture_raw *r, struct err *e)
{
    int rc = spill_new(&r->items, sizeof(struct capture_item), SPILL_BYTES, e);
    if (rc)
        return rc;
    while ((rc = next_record(r, e)) == 1)
        ;
    if (!rc && !r->processes)
        rc = err_set(e, ERR_EPARSE, "%s: byte 0: want the beginning of a process",
                     input_name(r->in));
    return rc ? rc : spill_sort(r->items, e);
}

void capture_raw_free(struct capture_raw *r)
{
    spill_free(r->items);
    free(r->lane);
    free(r->thread);
    free(r->name);
}
