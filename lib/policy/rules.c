#include "policy/rules.h"

#include <string.h>

#include "base/memory.h"
#include "base/sort.h"

/* Other protocols ignore ports; so do their contexts (S4.3). */
static bool has_ports(uint8_t proto)
{
    return proto == SVR_PROTO_TCP || proto == SVR_PROTO_UDP;
}

static svr_addr mask_addr(const svr_addr *a, unsigned bits)
{
    svr_addr net = SVR_ADDR_NONE;
    memcpy(net.b, a->b, bits / 8);
    if (bits % 8)
        net.b[bits / 8] = a->b[bits / 8] & (uint8_t)(0xff00 >> bits % 8);
    return net;
}

int svr__rules_init(svr__rules *r, size_t count, const svr_allocator *alloc)
{
    r->rules = svr__alloc(alloc, count, sizeof(*r->rules));
    r->count = (uint32_t)count;
    return r->rules ? 0 : SVR_ERR_NO_MEMORY;
}

void svr__rules_fini(svr__rules *r, const svr_allocator *alloc)
{
    svr__free(alloc, r->rules, r->count, sizeof(*r->rules));
}

/* Ports that are ignored become all ports, so that equal rules look equal. */
void svr__rules_put(svr__rules *r, size_t index, const svr_prefix *prefix,
                    const svr_transport *transport, size_t service)
{
    bool ports = transport->proto == 0 || has_ports(transport->proto);
    unsigned bits = prefix->len + (svr_addr_is_v4(&prefix->addr) ? 96u : 0u);
    r->rules[index] = (svr__rule){
        .net = mask_addr(&prefix->addr, bits),
        .bits = (uint8_t)bits,
        .proto = transport->proto,
        .first = ports ? transport->first : 0,
        .last = ports ? transport->last : UINT16_MAX,
        .service = (uint32_t)service,
    };
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* IPv4 first, then the longest prefixes, then networks. */
static int compare_prefixes(const svr__rule *a, const svr__rule *b)
{
    int order =
        compare_numbers(svr_addr_is_v4(&b->net), svr_addr_is_v4(&a->net));
    if (!order)
        order = compare_numbers(b->bits, a->bits);
    return order ? order : memcmp(a->net.b, b->net.b, sizeof(a->net.b));
}

static int compare_transports(const svr__rule *a, const svr__rule *b)
{
    int order = compare_numbers(a->proto, b->proto);
    if (!order)
        order = compare_numbers(a->first, b->first);
    return order ? order : compare_numbers(a->last, b->last);
}

/* Brings rules together that say the same. */
static int compare_content(const void *left, const void *right,
                           const void *context)
{
    (void)context;
    int order = compare_prefixes(left, right);
    return order ? order : compare_transports(left, right);
}

static uint32_t width(const svr__rule *r)
{
    return r->last - (uint32_t)r->first;
}

/* The order of S5.4: who names the protocol, who has the narrowest range, who
 * is listed first. */
static int compare_rank(const void *left, const void *right,
                        const void *context)
{
    const svr__rule *a = left, *b = right;
    (void)context;
    int order = compare_prefixes(a, b);
    if (!order)
        order = compare_numbers(a->proto == 0, b->proto == 0);
    if (!order)
        order = compare_numbers(width(a), width(b));
    return order ? order : compare_numbers(a->service, b->service);
}

static bool has_conflict(const svr__rules *r)
{
    for (uint32_t i = 1; i < r->count; i++) {
        const svr__rule *a = &r->rules[i - 1], *b = &r->rules[i];
        if (a->service != b->service && compare_content(a, b, NULL) == 0)
            return true;
    }
    return false;
}

static void find_levels(svr__rules *r)
{
    svr__rule_level *level = NULL;
    for (uint32_t i = 0; i < r->count; i++) {
        const svr__rule *rule = &r->rules[i];
        bool v4 = svr_addr_is_v4(&rule->net);
        if (!level || level->v4 != v4 || level->bits != rule->bits) {
            level = &r->levels[r->level_count++];
            *level = (svr__rule_level){v4, rule->bits, i, 0};
        }
        level->count++;
    }
}

int svr__rules_sort(svr__rules *r)
{
    svr__sort(r->rules, r->count, sizeof(*r->rules), compare_content, NULL);
    if (has_conflict(r))
        return SVR_ERR_CONFLICT;
    svr__sort(r->rules, r->count, sizeof(*r->rules), compare_rank, NULL);
    find_levels(r);
    return 0;
}

/* The first rule of the level whose network is not below net. */
static uint32_t find_network(const svr__rules *r, const svr__rule_level *level,
                             const svr_addr *net)
{
    uint32_t first = level->first, end = level->first + level->count;
    while (first < end) {
        uint32_t mid = first + (end - first) / 2;
        if (memcmp(r->rules[mid].net.b, net->b, sizeof(net->b)) < 0)
            first = mid + 1;
        else
            end = mid;
    }
    return first;
}

static bool transport_fits(const svr__rule *r, const svr_tuple *t)
{
    if (r->proto != 0 && r->proto != t->proto)
        return false;
    return !has_ports(t->proto) ||
           (r->first <= t->dport && t->dport <= r->last);
}

static int match_level(const svr__rules *r, const svr__rule_level *level,
                       const svr_tuple *t)
{
    svr_addr net = mask_addr(&t->dst, level->bits);
    uint32_t end = level->first + level->count;
    for (uint32_t i = find_network(r, level, &net);
         i < end && svr_addr_equal(&r->rules[i].net, &net); i++) {
        if (transport_fits(&r->rules[i], t))
            return (int)r->rules[i].service;
    }
    return SVR_ERR_NO_SERVICE;
}

int svr__rules_match(const svr__rules *r, const svr_tuple *t)
{
    bool v4 = svr_addr_is_v4(&t->dst);
    int service = SVR_ERR_NO_SERVICE;
    for (uint32_t i = 0; i < r->level_count && service < 0; i++) {
        if (r->levels[i].v4 == v4)
            service = match_level(r, &r->levels[i], t);
    }
    return service;
}
