/* ptx_parse.c - PTX text to ptx_ir.h.  Knows the subset that the compilers
 * emit for the kernels; what it does not know, it refuses by line.          */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/gpu-kernels/ptx/ptx_ir.h"

enum { WORD = 192 };

struct parser {
    const char *at;
    int line;
    struct ptx_module *module;
    struct ptx_kernel *kernel; /* being read */
    bool failed;
    char *why;
    size_t why_size;
};

static void refuse(struct parser *p, const char *format, ...)
{
    if (p->failed)
        return;
    p->failed = true;
    int used = snprintf(p->why, p->why_size, "line %d: ", p->line);
    va_list args;
    va_start(args, format);
    if (used > 0 && (size_t)used < p->why_size)
        vsnprintf(p->why + used, p->why_size - (size_t)used, format, args);
    va_end(args);
}

static void skip_space(struct parser *p)
{
    for (; *p->at; p->at++) {
        if (p->at[0] == '/' && p->at[1] == '/')
            p->at += strcspn(p->at, "\n");
        if (*p->at == '\n')
            p->line++;
        else if (!isspace((unsigned char)*p->at))
            return;
        if (!*p->at)
            return;
    }
}

static bool take(struct parser *p, char c)
{
    skip_space(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static void want(struct parser *p, char c)
{
    if (!take(p, c))
        refuse(p, "found \"%.12s\", want '%c'", p->at, c);
}

/* A name, number, register or directive; empty when there is none. */
static void word(struct parser *p, char w[WORD])
{
    size_t n = 0;
    skip_space(p);
    while (n + 1 < WORD && (isalnum((unsigned char)*p->at) || (*p->at && strchr("_$%.", *p->at))))
        w[n++] = *p->at++;
    w[n] = 0;
}

static void skip_to(struct parser *p, const char *ends)
{
    for (; *p->at && !strchr(ends, *p->at); p->at++)
        p->line += *p->at == '\n';
}

/* ---- symbols ------------------------------------------------------------------ */

static void *grown(void *array, int count, size_t size)
{
    return count & (count - 1) ? array : realloc(array, (count ? 2u * (unsigned)count : 1u) * size);
}

static int symbol(struct ptx_kernel *k, const char *name)
{
    for (int i = k->symbol_count - 1; i >= 0; i--)
        if (!strcmp(k->symbols[i].name, name))
            return i;
    return -1;
}

static int add_symbol(struct ptx_kernel *k, const char *name, enum ptx_symbol_kind kind, int64_t v)
{
    k->symbols = grown(k->symbols, k->symbol_count, sizeof *k->symbols);
    k->symbols[k->symbol_count] = (struct ptx_symbol){strdup(name), kind, v};
    return k->symbol_count++;
}

/* Registers are declared by the hundred (%r<120>); they are numbered when met. */
static int reg(struct ptx_kernel *k, const char *name)
{
    int s = symbol(k, name);
    if (s < 0)
        s = add_symbol(k, name, PTX_SYM_REG, k->reg_count++);
    return (int)k->symbols[s].value;
}

/* ---- operands ------------------------------------------------------------------ */

static uint64_t number(const char *w)
{
    if (w[0] == '0' && (w[1] == 'f' || w[1] == 'F')) /* bits of a float */
        return strtoull(w + 2, NULL, 16);
    return strtoull(w, NULL, 0);
}

static void registers(struct parser *p, struct ptx_operand *o)
{
    char w[WORD];
    o->kind = PTX_VECTOR;
    do {
        word(p, w);
        if (w[0] != '%' || o->count == 4)
            refuse(p, "found \"%s\" in a vector, want up to four registers", w);
        else
            o->reg[o->count++] = reg(p->kernel, w);
    } while (take(p, ',') && !p->failed);
    want(p, '}');
}

/* A name that is no register: a variable's offset, or a label maybe still to come. */
static void named(struct parser *p, struct ptx_operand *o, const char *w)
{
    int s = symbol(p->kernel, w);
    if (s < 0)
        s = add_symbol(p->kernel, w, PTX_SYM_LABEL, -1);
    if (p->kernel->symbols[s].kind == PTX_SYM_LABEL)
        o->label = s;
    o->value = (uint64_t)p->kernel->symbols[s].value;
}

static void address(struct parser *p, struct ptx_operand *o)
{
    char w[WORD];
    o->kind = PTX_ADDRESS;
    o->reg[0] = -1;
    word(p, w);
    if (w[0] == '%')
        o->reg[0] = reg(p->kernel, w);
    else
        named(p, o, w);
    if (o->label >= 0)
        refuse(p, "no variable %s", w);
    if (take(p, '+')) {
        bool negative = take(p, '-');
        word(p, w);
        o->value += negative ? -number(w) : number(w);
    }
    want(p, ']');
}

static void register_or_special(struct parser *p, struct ptx_operand *o, const char *w)
{
    static const char *const specials[] = {"%tid.x", "%ctaid.x", "%nctaid.x"};
    char second[WORD];
    for (int i = 0; i < 3; i++)
        if (!strcmp(w, specials[i])) {
            o->kind = PTX_SPECIAL;
            o->value = (uint64_t)i;
            return;
        }
    if (strchr(w, '.'))
        refuse(p, "special register %s has no test", w);
    o->kind = PTX_REG;
    o->reg[o->count++] = reg(p->kernel, w);
    if (take(p, '|')) { /* result|predicate */
        word(p, second);
        o->reg[o->count++] = reg(p->kernel, second);
    }
}

static void operand(struct parser *p, struct ptx_operand *o)
{
    char w[WORD];
    *o = (struct ptx_operand){.kind = PTX_VALUE, .label = -1};
    if (take(p, '{')) {
        registers(p, o);
    } else if (take(p, '[')) {
        address(p, o);
    } else {
        bool negative = take(p, '-');
        word(p, w);
        if (w[0] == '%')
            register_or_special(p, o, w);
        else if (isdigit((unsigned char)w[0]))
            o->value = negative ? -number(w) : number(w);
        else if (w[0])
            named(p, o, w);
        else
            refuse(p, "found \"%.12s\", want an operand", p->at);
    }
}

/* ---- statements ---------------------------------------------------------------- */

static void guard(struct parser *p, struct ptx_ins *in)
{
    char w[WORD];
    in->guard = PTX_NO_GUARD;
    if (!take(p, '@'))
        return;
    in->guard_not = take(p, '!');
    word(p, w);
    in->guard = reg(p->kernel, w);
}

static void instruction(struct parser *p)
{
    struct ptx_kernel *k = p->kernel;
    char w[WORD];
    k->ins = grown(k->ins, k->ins_count, sizeof *k->ins);
    struct ptx_ins *in = &k->ins[k->ins_count++];
    *in = (struct ptx_ins){.line = p->line};
    in->text = strndup(p->at, strcspn(p->at, ";"));
    guard(p, in);
    word(p, w);
    in->op = ptx_op_find(w);
    if (!in->op) {
        refuse(p, "opcode %s has no test", w);
        return;
    }
    for (int i = 0; i < in->op->operands && !p->failed; i++) {
        if (i)
            want(p, ',');
        operand(p, &in->operand[i]);
    }
    want(p, ';');
}

/* .shared .align 16 .b8 name[SIZE]; or .param .align 8 .b8 name[SIZE] */
static void variable(struct parser *p, enum ptx_symbol_kind kind, uint32_t *top)
{
    char w[WORD];
    uint32_t align = 1;
    for (word(p, w); w[0] == '.' && !p->failed; word(p, w)) {
        if (!strcmp(w, ".align")) {
            word(p, w);
            align = (uint32_t)number(w);
        } else if (strcmp(w, ".b8") && strcmp(w, ".shared") && strcmp(w, ".param")) {
            refuse(p, "a variable of type %s has no test", w);
        }
    }
    char name[WORD];
    memcpy(name, w, sizeof name);
    want(p, '[');
    word(p, w);
    want(p, ']');
    *top = (*top + align - 1) / align * align;
    add_symbol(p->kernel, name, kind, *top);
    *top += (uint32_t)number(w);
}

static void label(struct parser *p, const char *name)
{
    int s = symbol(p->kernel, name);
    if (s < 0)
        s = add_symbol(p->kernel, name, PTX_SYM_LABEL, -1);
    p->kernel->symbols[s].value = p->kernel->ins_count;
}

static void statement(struct parser *p)
{
    struct parser before = *p;
    char w[WORD];
    word(p, w);
    if (w[0] == '.') {
        if (!strcmp(w, ".shared"))
            variable(p, PTX_SYM_SHARED, &p->kernel->shared_size);
        else if (strcmp(w, ".reg") && strcmp(w, ".pragma"))
            refuse(p, "directive %s has no test", w);
        skip_to(p, ";");
        want(p, ';');
    } else if (w[0] && take(p, ':')) {
        label(p, w);
    } else {
        p->at = before.at;
        p->line = before.line;
        instruction(p);
    }
}

static void resolve_labels(struct parser *p)
{
    struct ptx_kernel *k = p->kernel;
    for (int i = 0; i < k->ins_count; i++)
        for (int j = 0; j < PTX_OPERANDS; j++) {
            struct ptx_operand *o = &k->ins[i].operand[j];
            if (!k->ins[i].op || j >= k->ins[i].op->operands || o->label < 0)
                continue;
            o->value = (uint64_t)k->symbols[o->label].value;
            if (k->symbols[o->label].value < 0)
                refuse(p, "no label or variable %s", k->symbols[o->label].name);
        }
}

static void entry(struct parser *p)
{
    struct ptx_module *m = p->module;
    char w[WORD];
    m->kernels = grown(m->kernels, m->kernel_count, sizeof *m->kernels);
    p->kernel = &m->kernels[m->kernel_count++];
    *p->kernel = (struct ptx_kernel){0};
    word(p, w);
    p->kernel->name = strdup(w);
    want(p, '(');
    variable(p, PTX_SYM_PARAM, &p->kernel->param_size);
    want(p, ')');
    skip_to(p, "{"); /* .maxntid and the like */
    want(p, '{');
    while (!p->failed && !take(p, '}')) {
        if (*p->at)
            statement(p);
        else
            refuse(p, "the text ends inside kernel %s", p->kernel->name);
    }
    resolve_labels(p);
}

static void directive(struct parser *p)
{
    char w[WORD];
    word(p, w);
    if (!strcmp(w, ".version") || !strcmp(w, ".target") || !strcmp(w, ".address_size"))
        skip_to(p, "\n");
    else if (!strcmp(w, ".entry"))
        entry(p);
    else if (strcmp(w, ".visible"))
        refuse(p, "\"%s\" at top level has no test", w[0] ? w : p->at);
}

struct ptx_module *ptx_load(const char *text, char *why, size_t n)
{
    struct parser p = {.at = text, .line = 1, .why = why, .why_size = n};
    p.module = calloc(1, sizeof *p.module);
    for (skip_space(&p); *p.at && !p.failed; skip_space(&p))
        directive(&p);
    if (!p.failed)
        return p.module;
    ptx_free(p.module);
    return NULL;
}

void ptx_free(struct ptx_module *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->kernel_count; i++) {
        struct ptx_kernel *k = &m->kernels[i];
        for (int j = 0; j < k->symbol_count; j++)
            free(k->symbols[j].name);
        for (int j = 0; j < k->ins_count; j++)
            free(k->ins[j].text);
        free(k->symbols);
        free(k->ins);
        free(k->name);
    }
    free(m->kernels);
    free(m);
}

size_t ptx_param_size(const struct ptx_module *m, const char *kernel)
{
    for (int i = 0; i < m->kernel_count; i++)
        if (!strcmp(m->kernels[i].name, kernel))
            return m->kernels[i].param_size;
    return 0;
}
