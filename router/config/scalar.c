#include "scalar.h"

#include "common/hex.h"

#include <stdarg.h>
#include <string.h>

/* The longest text that is looked at; nothing that is right is longer. */
#define TEXT_MAX 1023
#define DEVICE_MAX 15

bool scalar_refuse(const struct scalar *s, const char *format, ...)
{
    char expected[256];
    va_list args;

    va_start(args, format);
    vsnprintf(expected, sizeof(expected), format, args);
    va_end(args);
    report_problem(s->report, s->v->at, "found %s, expected %s",
                   quote(s->v->text).s, expected);
    return false;
}

bool scalar_refuse_type(const struct scalar *s)
{
    return scalar_refuse(s, "%s", schema_types[s->key->type].expected);
}

/* Decimal digits without sign, leading zeros or anything else, up to max.
 * *end is what follows them. */
static bool parse_number(uint64_t *out, const char *text, const char **end,
                         uint64_t max)
{
    const char *p = text;
    uint64_t n = 0;

    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (n > (max - digit) / 10 || (p > text && n == 0))
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    *end = p;
    return p > text;
}

bool scalar_parse_whole(uint64_t *out, const char *text, uint64_t max)
{
    const char *end;

    return parse_number(out, text, &end, max) && *end == '\0';
}

bool scalar_is_name(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f)
            return false;
        if (p[i] == 0xc2 && p[i + 1] < 0xa0) /* U+0080 to U+009F */
            return false;
    }
    return len >= 1 && len <= SVR_NAME_SEND_MAX;
}

static bool read_name(const struct scalar *s)
{
    return scalar_is_name(s->v->text) || scalar_refuse_type(s);
}

static bool read_tenant(const struct scalar *s)
{
    const char *text = s->v->text;
    size_t len = strlen(text);

    if (!read_name(s))
        return false;
    if (strcmp(text, SCHEMA_ANY) == 0)
        return scalar_refuse(s, "a name other than the word for every tenant");
    if (text[0] == '.' || text[len - 1] == '.' || strstr(text, ".."))
        return scalar_refuse(
            s, "no empty part between the dots of a tenant's name");
    return true;
}

static const char *choice_name(const void *choices, size_t i)
{
    return ((const struct schema_choice *)choices)[i].name;
}

static const struct schema_choice *find_choice(const struct scalar *s)
{
    for (size_t i = 0; i < s->key->choice_count; i++) {
        if (strcmp(s->key->choices[i].name, s->v->text) == 0)
            return &s->key->choices[i];
    }
    return NULL;
}

static bool refuse_choice(const struct scalar *s, const char *what)
{
    struct words words = {choice_name, s->key->choices, s->key->choice_count};

    report_unknown(s->report, s->v->at, "", s->v->text, what, &words);
    return false;
}

static bool read_choice(const struct scalar *s)
{
    const struct schema_choice *choice = find_choice(s);

    if (!choice)
        return refuse_choice(s, NULL);
    s->v->number = choice->value;
    return true;
}

static bool read_protocol(const struct scalar *s)
{
    const struct schema_choice *choice = find_choice(s);
    uint64_t n;

    if (choice)
        s->v->number = choice->value;
    else if (scalar_parse_whole(&n, s->v->text, UINT8_MAX) && n > 0)
        s->v->number = n;
    else
        return refuse_choice(s, "a number from 1 to 255 or a word");
    return true;
}

static bool read_number(const struct scalar *s)
{
    uint64_t n;

    if (!scalar_parse_whole(&n, s->v->text, s->key->max) || n < s->key->min)
        return scalar_refuse(s, "a whole number from %llu to %llu",
                             (unsigned long long)s->key->min,
                             (unsigned long long)s->key->max);
    s->v->number = n;
    return true;
}

static bool read_boolean(const struct scalar *s)
{
    bool yes = strcmp(s->v->text, "true") == 0;

    if (!yes && strcmp(s->v->text, "false") != 0)
        return scalar_refuse_type(s);
    s->v->number = yes;
    return true;
}

static uint64_t unit_length(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t length;
    } units[] = {
        {"ms", SVR_MILLISECOND},
        {"s", SVR_SECOND},
        {"m", 60 * SVR_SECOND},
        {"h", 3600 * SVR_SECOND},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].name) == 0)
            return units[i].length;
    }
    return 0;
}

static bool read_duration(const struct scalar *s)
{
    const uint64_t longest = UINT64_MAX / (3600 * SVR_SECOND);
    const char *unit;
    uint64_t n, length;

    if (!parse_number(&n, s->v->text, &unit, longest))
        return scalar_refuse_type(s);
    length = unit_length(unit);
    if (length == 0)
        return scalar_refuse_type(s);
    if (n * length < s->key->min || n * length > s->key->max)
        return scalar_refuse(s, "a duration from %s to %s",
                             duration_text(s->key->min).s,
                             duration_text(s->key->max).s);
    s->v->number = n * length;
    return true;
}

static bool read_interval(const struct scalar *s)
{
    if (strcmp(s->v->text, SCHEMA_NEVER) != 0)
        return read_duration(s);
    s->v->number = SVR_NEVER;
    return true;
}

static bool read_priority(const struct scalar *s)
{
    uint64_t n = SVR_VECTOR_NEVER;

    if (strcmp(s->v->text, "never") != 0 &&
        !scalar_parse_whole(&n, s->v->text, SVR_VECTOR_PRIORITY_MAX))
        return scalar_refuse_type(s);
    s->v->number = n;
    return true;
}

/* A number with up to `digits` digits behind the point, as a whole number of
 * such parts; *end is what follows. */
static bool parse_decimal(uint64_t *out, const char *text, const char **end,
                          uint64_t max, unsigned digits)
{
    const char *p;
    uint64_t n;

    if (!parse_number(&n, text, &p, max))
        return false;
    bool point = *p == '.';
    p += point;
    if (point && !(*p >= '0' && *p <= '9'))
        return false;
    for (; digits > 0; digits--) {
        bool digit = point && *p >= '0' && *p <= '9';
        n = n * 10 + (digit ? (uint64_t)(*p++ - '0') : 0);
    }
    *out = n;
    *end = p;
    return true;
}

static bool read_share(const struct scalar *s)
{
    const char *end;
    uint64_t n;

    if (!parse_decimal(&n, s->v->text, &end, 100, 4) || strcmp(end, "%") != 0 ||
        n > 1000000)
        return scalar_refuse_type(s);
    s->v->number = n;
    return true;
}

static bool read_score(const struct scalar *s)
{
    const char *end;
    uint64_t n;

    if (!parse_decimal(&n, s->v->text, &end, 4, 3) || *end != '\0' ||
        n < 1000 || n > 4500)
        return scalar_refuse_type(s);
    s->v->number = n;
    return true;
}

static bool read_ports(const struct scalar *s)
{
    uint64_t first, last;
    const char *end;

    if (!parse_number(&first, s->v->text, &end, UINT16_MAX) || first == 0)
        return scalar_refuse_type(s);
    last = first;
    if (*end == '-' && !scalar_parse_whole(&last, end + 1, UINT16_MAX))
        return scalar_refuse_type(s);
    if (*end != '-' && *end != '\0')
        return scalar_refuse_type(s);
    if (last < first)
        return scalar_refuse(s, "the lower port first: %u-%u", (unsigned)last,
                             (unsigned)first);
    s->v->ports.first = (uint16_t)first;
    s->v->ports.last = (uint16_t)last;
    return true;
}

static bool is_device_letter(char c)
{
    return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%';
}

static bool read_device(const struct scalar *s)
{
    const char *text = s->v->text;
    size_t n = 0;

    while (n <= DEVICE_MAX && is_device_letter(text[n]))
        n++;
    if (n == 0 || n > DEVICE_MAX || text[n] != '\0' || strcmp(text, ".") == 0 ||
        strcmp(text, "..") == 0)
        return scalar_refuse_type(s);
    return true;
}

static bool read_key(const struct scalar *s)
{
    return s->v->text[0] != '\0' || scalar_refuse_type(s);
}

/* None of zeros: that is what is put in the place of one. */
static bool read_identity(const struct scalar *s)
{
    static const uint8_t none[SVR_IDENTITY_SIZE];
    const char *text = s->v->text;

    if (strlen(text) != 2 * sizeof(s->v->identity) ||
        hex_decode(s->v->identity, sizeof(s->v->identity), text) > 0 ||
        memcmp(s->v->identity, none, sizeof(none)) == 0)
        return scalar_refuse_type(s);
    return true;
}

bool scalar_read(struct report *report, struct value *v)
{
    static bool (*const readers[SCHEMA_TYPE_COUNT])(const struct scalar *) = {
        [SCHEMA_NAME] = read_name,
        [SCHEMA_TENANT] = read_tenant,
        [SCHEMA_CHOICE] = read_choice,
        [SCHEMA_NUMBER] = read_number,
        [SCHEMA_BOOLEAN] = read_boolean,
        [SCHEMA_DURATION] = read_duration,
        [SCHEMA_INTERVAL] = read_interval,
        [SCHEMA_ADDRESS] = scalar_read_address,
        [SCHEMA_INTERFACE_ADDRESS] = scalar_read_interface_address,
        [SCHEMA_PREFIX] = scalar_read_prefix,
        [SCHEMA_MAC] = scalar_read_mac,
        [SCHEMA_PORTS] = read_ports,
        [SCHEMA_PROTOCOL] = read_protocol,
        [SCHEMA_DEVICE] = read_device,
        [SCHEMA_KEY] = read_key,
        [SCHEMA_IDENTITY] = read_identity,
        [SCHEMA_PRIORITY] = read_priority,
        [SCHEMA_SHARE] = read_share,
        [SCHEMA_SCORE] = read_score,
    };
    struct scalar s = {report, v->key, v};

    if (strlen(v->text) > TEXT_MAX)
        return scalar_refuse_type(&s);
    return readers[v->key->type](&s);
}

int scalar_compare(const struct value *a, const struct value *b)
{
    switch (a->key->type) {
    case SCHEMA_ADDRESS:
    case SCHEMA_PREFIX:
        return memcmp(&a->prefix, &b->prefix, sizeof(a->prefix));
    case SCHEMA_INTERFACE_ADDRESS:
        return memcmp(&a->prefix.addr, &b->prefix.addr, sizeof(a->prefix.addr));
    case SCHEMA_PORTS:
        if (a->ports.first != b->ports.first)
            return a->ports.first < b->ports.first ? -1 : 1;
        return (a->ports.last > b->ports.last) -
               (a->ports.last < b->ports.last);
    default:
        return strcmp(a->text, b->text);
    }
}
