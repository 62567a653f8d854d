/*
 * reassembly.c - packets out of pieces (S18).
 *
 * A slot's memory holds the packet at its place: bytes go to where they belong
 * behind a border, the headers end at it. Beside them stands one mark for each
 * 8 bytes, so that two pieces cannot claim the same ones.
 */
#include "base/memory.h"
#include "wire/checksum.h"
#include "wire/headers.h"

#include <assert.h>

#include <svr/fragment.h>

enum {
    UNIT = 8,
    UNITS = (SVR_PACKET_MAX + UNIT - 1) / UNIT,
    SLOTS = 2 * SVR_REASSEMBLY_MAX,
    BORDER = SVR_HEADROOM + SVR_REASSEMBLY_HEADERS,
    BYTES_MAX = SVR_PACKET_MAX,
    /* A multiple of a cache line. */
    SLOT_BYTES = (UNITS + BORDER + BYTES_MAX + SVR_TAILROOM + 63) / 64 * 64,
};

enum mark {
    EMPTY,
    FIRST, /* a piece begins here */
    INSIDE,
};

enum state {
    FREE,
    OPEN,
    SPOILT,
    COMPLETE,
};

struct slot {
    svr_piece_key key;
    uint8_t state; /* enum state */
    bool congested;
    uint8_t proto;
    uint16_t l4, front; /* of the first piece; front 0: it is not there yet */
    uint16_t size;
    uint32_t got, end; /* bytes there are, and where the furthest ends */
    uint32_t total;    /* 0: the last piece is not there yet */
    uint64_t order;    /* of opening; then of completion */
    svr_time due;
    uint8_t *marks, *bytes; /* bytes begin at the border */
    svr_packet packet;
};

struct svr_reassembly {
    struct slot slots[SLOTS];
    svr_time timeout;
    size_t incomplete, complete;
    uint64_t order, lost;
    uint8_t *memory;
    svr_allocator alloc;
};

_Static_assert(sizeof(svr_piece_key) == 44, "a key has no padding");

int svr_reassembly_create(svr_reassembly **out, svr_time timeout,
                          const svr_allocator *alloc)
{
    svr_reassembly *r = svr__alloc(alloc, 1, sizeof(*r));

    if (!r)
        return SVR_ERR_NO_MEMORY;
    r->alloc = *alloc;
    r->timeout = timeout;
    r->memory = svr__reserve(alloc, SLOTS, SLOT_BYTES);
    if (!r->memory) {
        svr_reassembly_destroy(r);
        return SVR_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        r->slots[i].marks = r->memory + i * SLOT_BYTES;
        r->slots[i].bytes = r->slots[i].marks + UNITS + BORDER;
    }
    *out = r;
    return 0;
}

void svr_reassembly_destroy(svr_reassembly *r)
{
    if (!r)
        return;
    svr_allocator a = r->alloc;
    svr__free(&a, r->memory, SLOTS, SLOT_BYTES);
    svr__free(&a, r, 1, sizeof(*r));
}

static bool is_incomplete(const struct slot *s)
{
    return s->state == OPEN || s->state == SPOILT;
}

static struct slot *find(svr_reassembly *r, const svr_piece_key *key)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (r->slots[i].state != FREE &&
            memcmp(&r->slots[i].key, key, sizeof(*key)) == 0)
            return &r->slots[i];
    return NULL;
}

static bool same_sender(const svr_piece_key *a, const svr_piece_key *b)
{
    return a->iface == b->iface && svr_addr_equal(&a->src, &b->src);
}

/* An incomplete packet is given up. */
static void give_up(svr_reassembly *r, struct slot *s)
{
    s->state = FREE;
    r->incomplete--;
    r->lost++;
}

/* The slot that the sender's next packet is to take the place of, if it has as
 * many as it may. */
static struct slot *own_oldest(svr_reassembly *r, const svr_piece_key *key)
{
    struct slot *oldest = NULL;
    size_t count = 0;

    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &r->slots[i];

        if (!is_incomplete(s) || !same_sender(&s->key, key))
            continue;
        count++;
        if (!oldest || s->order < oldest->order)
            oldest = s;
    }
    return count < SVR_REASSEMBLY_SENDER_MAX ? NULL : oldest;
}

static struct slot *free_slot(svr_reassembly *r)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (r->slots[i].state == FREE)
            return &r->slots[i];
    return NULL;
}

static struct slot *open_slot(svr_reassembly *r, const svr_piece_key *key,
                              svr_time now)
{
    struct slot *s = own_oldest(r, key);

    if (s)
        give_up(r, s);
    else if (r->incomplete < SVR_REASSEMBLY_MAX)
        s = free_slot(r);
    if (!s)
        return NULL;
    *s = (struct slot){
        .key = *key,
        .state = OPEN,
        .order = r->order++,
        .due = now + r->timeout,
        .marks = s->marks,
        .bytes = s->bytes,
    };
    memset(s->marks, EMPTY, UNITS);
    r->incomplete++;
    return s;
}

static size_t end_of(const svr_piece *piece)
{
    return (size_t)piece->offset * UNIT + piece->bytes.len;
}

/* What is wrong with a piece whatever came before it. */
static bool is_malformed(const svr_piece *piece)
{
    size_t len = piece->bytes.len;

    return len == 0 || (piece->more && len % UNIT != 0) || piece->broken ||
           piece->front.len > SVR_REASSEMBLY_HEADERS ||
           piece->front.len + end_of(piece) > SVR_PACKET_MAX;
}

static size_t units_of(const svr_piece *piece)
{
    return (piece->bytes.len + UNIT - 1) / UNIT;
}

static bool is_there(const struct slot *s, size_t unit)
{
    return unit < UNITS && s->marks[unit] != EMPTY;
}

/* Whether it is the last one if the packet's end is where it ends. */
static bool ends_alike(const struct slot *s, const svr_piece *piece)
{
    if (piece->more)
        return s->total == 0 || end_of(piece) < s->total;
    return end_of(piece) == s->total;
}

/* Whether the very same piece came before: one that covers the same bytes and
 * has the same ones. */
static bool is_duplicate(const struct slot *s, const svr_piece *piece)
{
    size_t first = piece->offset, count = units_of(piece);

    if (s->marks[first] != FIRST || !ends_alike(s, piece))
        return false;
    for (size_t i = 1; i < count; i++)
        if (s->marks[first + i] != INSIDE)
            return false;
    if (is_there(s, first + count) && s->marks[first + count] != FIRST)
        return false;
    return memcmp(s->bytes + first * UNIT, piece->bytes.data,
                  piece->bytes.len) == 0;
}

/* What is wrong with it beside those that came before. */
static int check_beside(const struct slot *s, const svr_piece *piece)
{
    if (s->state == SPOILT)
        return SVR_ERR_CONFLICT;
    for (size_t i = 0; i < units_of(piece); i++)
        if (is_there(s, piece->offset + i))
            return is_duplicate(s, piece) ? SVR_ERR_EXISTS : SVR_ERR_CONFLICT;
    if (piece->more ? s->total && end_of(piece) > s->total
                    : s->total || end_of(piece) < s->end)
        return SVR_ERR_CONFLICT;
    return 0;
}

static void take_front(struct slot *s, const svr_piece *piece)
{
    s->front = (uint16_t)piece->front.len;
    s->l4 = piece->l4;
    s->proto = piece->proto;
    memcpy(s->bytes - s->front, piece->front.data, s->front);
}

static uint8_t tos_of(const uint8_t *ip)
{
    return svr__is_v6(ip) ? (uint8_t)(svr__load_be16(ip) >> 4) : ip[IP4_TOS];
}

static void take(struct slot *s, const svr_piece *piece)
{
    size_t units = units_of(piece);

    memcpy(s->bytes + (size_t)piece->offset * UNIT, piece->bytes.data,
           piece->bytes.len);
    memset(s->marks + piece->offset, INSIDE, units);
    s->marks[piece->offset] = FIRST;
    s->got += (uint32_t)piece->bytes.len;
    if (end_of(piece) > s->end)
        s->end = (uint32_t)end_of(piece);
    if (!piece->more)
        s->total = s->end;
    if (piece->offset == 0)
        take_front(s, piece);
    if (piece->size > s->size)
        s->size = piece->size;
    if ((tos_of(piece->front.data) & IP_CE) == IP_CE)
        s->congested = true;
}

/* RFC 3168 5.3: only where the first piece knows of congestion marks. */
static void mark_congestion(uint8_t *ip)
{
    if ((tos_of(ip) & IP_CE) == 0)
        return;
    if (svr__is_v6(ip))
        svr__store_be16(ip, (uint16_t)(svr__load_be16(ip) | IP_CE << 4));
    else
        ip[IP4_TOS] |= IP_CE;
}

static void make_packet(struct slot *s)
{
    svr_packet *p = &s->packet;
    const svr_headers h = {.l4 = s->l4, .tuple.proto = s->proto};

    *p = (svr_packet){
        .data = s->bytes - s->front,
        .len = s->front + s->total,
        .headroom = (uint16_t)(BORDER - s->front),
        .tailroom = svr__room(0, BYTES_MAX - (long)s->total + SVR_TAILROOM),
        .iface = s->key.iface,
        .fragment_size = s->size,
    };
    if (s->congested)
        mark_congestion(p->data);
    svr__lengths_write(p->data, p->len, s->l4, s->proto);
    if (s->key.fabric)
        svr_packet_checksum_write(p, &h);
    else if (!svr__is_v6(p->data))
        svr__ip4_checksum_write(p->data);
}

/* Whether all is there and fits. */
static int finish(svr_reassembly *r, struct slot *s)
{
    if (s->front + s->end > SVR_PACKET_MAX)
        return SVR_ERR_LENGTH;
    if (s->got != s->total)
        return 0;
    make_packet(s);
    s->state = COMPLETE;
    s->order = r->order++;
    r->incomplete--;
    r->complete++;
    return 1;
}

int svr_reassembly_add(svr_reassembly *r, const svr_piece_key *key,
                       const svr_piece *piece, svr_time now)
{
    struct slot *s = find(r, key);
    int err = is_malformed(piece) ? SVR_ERR_LENGTH : 0;

    if (!s && err < 0)
        return err;
    if (!s)
        s = open_slot(r, key, now);
    if (!s)
        return SVR_ERR_FULL;
    if (err == 0)
        err = check_beside(s, piece);
    if (err == 0) {
        take(s, piece);
        err = finish(r, s);
    }
    if (err < 0 && err != SVR_ERR_EXISTS && s->state == OPEN)
        s->state = SPOILT;
    return err;
}

static struct slot *first_complete(svr_reassembly *r)
{
    struct slot *first = NULL;

    for (size_t i = 0; r->complete && i < SLOTS; i++) {
        struct slot *s = &r->slots[i];

        if (s->state == COMPLETE && (!first || s->order < first->order))
            first = s;
    }
    return first;
}

svr_packet *svr_reassembly_first(svr_reassembly *r)
{
    struct slot *s = first_complete(r);

    return s ? &s->packet : NULL;
}

void svr_reassembly_release(svr_reassembly *r)
{
    struct slot *s = first_complete(r);

    assert(s);
    if (!s)
        return;
    s->state = FREE;
    r->complete--;
}

void svr_reassembly_renumber(svr_reassembly *r, const uint16_t *numbers,
                             size_t count)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &r->slots[i];

        if (s->state == FREE || s->key.iface >= count)
            continue;
        s->key.iface = numbers[s->key.iface];
        if (s->key.iface == UINT16_MAX && is_incomplete(s))
            give_up(r, s);
    }
}

svr_time svr_reassembly_expiry(const svr_reassembly *r)
{
    svr_time due = SVR_NEVER;

    for (size_t i = 0; r->incomplete && i < SLOTS; i++)
        if (is_incomplete(&r->slots[i]) && r->slots[i].due < due)
            due = r->slots[i].due;
    return due;
}

void svr_reassembly_handle_expiry(svr_reassembly *r, svr_time now)
{
    for (size_t i = 0; r->incomplete && i < SLOTS; i++)
        if (is_incomplete(&r->slots[i]) && r->slots[i].due <= now)
            give_up(r, &r->slots[i]);
}

uint64_t svr_reassembly_lost(const svr_reassembly *r)
{
    return r->lost;
}
