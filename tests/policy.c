#include <criterion/criterion.h>
#include <svr/metadata.h>
#include <svr/policy.h>

#include "base/text.h"
#include "support.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return svr_addr_from_v4((uint8_t[]){a, b, c, d});
}

/* 2001:db8::net:0:0:0:host */
static svr_addr v6(uint8_t net, uint8_t host)
{
    return svr_addr_from_v6(
        (uint8_t[16]){0x20, 1, 0x0d, 0xb8, [7] = net, [15] = host});
}

static test_memory memory;

static svr_policy *create(const svr_policy_config *c)
{
    svr_policy *p = NULL;
    svr_allocator alloc = test_allocator(&memory);
    cr_assert_eq(svr_policy_create(&p, c, &alloc), 0);
    cr_assert_not_null(p);
    return p;
}

static void destroy(svr_policy *p)
{
    svr_policy_destroy(p);
    cr_assert(test_memory_clean(&memory));
}

static svr_tuple packet(svr_addr dst, uint8_t proto, uint16_t dport)
{
    return (svr_tuple){v4(192, 0, 2, 1), dst, 40000, dport, proto};
}

enum { CORP, STAFF_CORP, CORPORATE, GUEST, TENANTS };
static const char *const tenants[] = {"corp", "staff.corp", "corporate",
                                      "guest"};
#define NONE SVR_TENANT_NONE

enum {
    TCP = SVR_PROTO_TCP,
    UDP = SVR_PROTO_UDP,
    ICMP = SVR_PROTO_ICMP,
    GRE = 47
};

/* S5.4: the most specific service wins. */
Test(policy, services_by_table)
{
    enum { WIDE, NET, HOST, WEB, ANYWEB, RANGE, HIGH, PING, SIX, NARROW };
    const svr_prefix wide = {v4(0, 0, 0, 0), 0};
    const svr_prefix net[] = {{v4(10, 2, 0, 9), 24}, {v4(10, 3, 0, 0), 16}};
    const svr_prefix host = {v4(10, 2, 0, 1), 32};
    const svr_prefix web = {v4(10, 4, 0, 0), 24};
    const svr_prefix six = {v6(0, 0), 48};
    const svr_prefix narrow = {v6(1, 0), 64};
    const svr_transport ssh = {TCP, 22, 22};
    const svr_transport tcp_web[] = {{TCP, 80, 80}, {TCP, 443, 443}};
    const svr_transport any_web = {0, 80, 80};
    const svr_transport low = {TCP, 0, 1023};
    const svr_transport high = {UDP, 1024, 65535};
    const svr_transport ping = {ICMP, 7, 7};
    const svr_service_config services[] = {
        {.name = "wide", .prefixes = &wide, .prefix_count = 1},
        {.name = "net", .prefixes = net, .prefix_count = 2},
        {.name = "host",
         .prefixes = &host,
         .prefix_count = 1,
         .transports = &ssh,
         .transport_count = 1},
        {.name = "web",
         .prefixes = &web,
         .prefix_count = 1,
         .transports = tcp_web,
         .transport_count = 2},
        {.name = "anyweb",
         .prefixes = &web,
         .prefix_count = 1,
         .transports = &any_web,
         .transport_count = 1},
        {.name = "low",
         .prefixes = &web,
         .prefix_count = 1,
         .transports = &low,
         .transport_count = 1},
        {.name = "high",
         .prefixes = &web,
         .prefix_count = 1,
         .transports = &high,
         .transport_count = 1},
        {.name = "ping",
         .prefixes = &web,
         .prefix_count = 1,
         .transports = &ping,
         .transport_count = 1},
        {.name = "six", .prefixes = &six, .prefix_count = 1},
        {.name = "narrow",
         .prefixes = &narrow,
         .prefix_count = 1,
         .transports = &ssh,
         .transport_count = 1},
    };
    const svr_policy_config config = {.services = services,
                                      .service_count = COUNT(services)};
    const struct {
        svr_addr dst;
        uint8_t proto;
        uint16_t dport;
        int service;
    } table[] = {
        {v4(198, 51, 100, 1), GRE, 0, WIDE},
        {v4(10, 2, 0, 0), TCP, 22, NET},
        {v4(10, 2, 0, 255), TCP, 22, NET},
        {v4(10, 2, 1, 0), TCP, 22, WIDE},
        {v4(10, 3, 255, 1), UDP, 1, NET},
        {v4(10, 2, 0, 1), TCP, 22, HOST},
        {v4(10, 2, 0, 1), TCP, 23, NET}, /* the longer prefix does not fit */
        {v4(10, 2, 0, 1), UDP, 22, NET},
        {v4(10, 4, 0, 1), TCP, 80, WEB}, /* a named protocol, narrow range */
        {v4(10, 4, 0, 1), TCP, 443, WEB},
        {v4(10, 4, 0, 1), TCP, 81, RANGE},
        {v4(10, 4, 0, 1), TCP, 1023, RANGE},
        {v4(10, 4, 0, 1), TCP, 1024, WIDE},
        {v4(10, 4, 0, 1), UDP, 80, ANYWEB},
        {v4(10, 4, 0, 1), UDP, 1023, WIDE},
        {v4(10, 4, 0, 1), UDP, 1024, HIGH},
        {v4(10, 4, 0, 1), UDP, 65535, HIGH},
        {v4(10, 4, 0, 1), ICMP, 99, PING}, /* the identifier is no port */
        {v4(10, 4, 0, 1), GRE, 0, ANYWEB}, /* which has no ports to differ in */
        {v6(0, 1), TCP, 22, SIX},
        {v6(1, 1), TCP, 22, NARROW},
        {v6(1, 1), TCP, 23, SIX},
        {SVR_ADDR_NONE, TCP, 22, SVR_ERR_NO_SERVICE}, /* no IPv6 default */
    };
    svr_policy *p = create(&config);
    for (size_t i = 0; i < COUNT(table); i++) {
        svr_tuple t = packet(table[i].dst, table[i].proto, table[i].dport);
        cr_assert_eq(svr_policy_service_match(p, &t), table[i].service,
                     "line %zu", i);
    }
    destroy(p);
}

/* Between equals, the one listed first. */
Test(policy, the_order_of_services_decides_last)
{
    const svr_prefix net = {v4(10, 0, 0, 0), 8};
    const svr_transport a = {TCP, 85, 95}, b = {TCP, 80, 90};
    svr_service_config services[] = {
        {.name = "a",
         .prefixes = &net,
         .prefix_count = 1,
         .transports = &a,
         .transport_count = 1},
        {.name = "b",
         .prefixes = &net,
         .prefix_count = 1,
         .transports = &b,
         .transport_count = 1},
    };
    const svr_policy_config config = {.services = services, .service_count = 2};
    svr_tuple t = packet(v4(10, 9, 9, 9), TCP, 87);
    for (int round = 0; round < 2; round++) {
        svr_policy *p = create(&config);
        cr_assert_eq(svr_policy_service_match(p, &t), 0);
        destroy(p);
        services[0].transports = &b;
        services[1].transports = &a;
    }
}

Test(policy, families_are_kept_apart)
{
    const svr_prefix four = {v4(0, 0, 0, 0), 0}, six = {v6(0, 0), 0};
    const svr_prefix none = {SVR_ADDR_NONE, 0};
    svr_service_config service = {
        .name = "all", .prefixes = &four, .prefix_count = 1};
    const svr_policy_config config = {.services = &service, .service_count = 1};
    svr_tuple to_four = packet(v4(10, 0, 0, 1), TCP, 80);
    svr_tuple to_six = packet(v6(0, 1), TCP, 80);

    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_service_match(p, &to_four), 0);
    cr_assert_eq(svr_policy_service_match(p, &to_six), SVR_ERR_NO_SERVICE);
    destroy(p);
    for (int round = 0; round < 2; round++) {
        service.prefixes = round ? &six : &none;
        p = create(&config);
        cr_assert_eq(svr_policy_service_match(p, &to_four), SVR_ERR_NO_SERVICE);
        cr_assert_eq(svr_policy_service_match(p, &to_six), 0);
        destroy(p);
    }
}

/* S13: who may reach what. */
Test(policy, access_by_table)
{
    enum { GRANTED, EXCEPT, BY_PREFIX, BOTH, OPEN, OPEN_EXCEPT, NOBODY, ALL };
    const svr_prefix any = {SVR_ADDR_NONE, 0};
    const svr_prefix lab = {v4(10, 7, 0, 0), 16};
    const svr_prefix lab6 = {v6(7, 0), 64};
    const svr_access granted[] = {{true, CORP, any}};
    const svr_access except[] = {
        {true, CORP, any}, {false, STAFF_CORP, any}, {true, STAFF_CORP, any}};
    const svr_access by_prefix[] = {{true, NONE, lab}, {true, NONE, lab6}};
    const svr_access both[] = {{true, CORP, lab}};
    const svr_access open_except[] = {{false, NONE, lab}, {true, GUEST, any}};
    const svr_access all[] = {{true, NONE, any}};
    const svr_service_config services[] = {
        {.name = "granted", .access = granted, .access_count = 1},
        {.name = "except", .access = except, .access_count = 3},
        {.name = "by-prefix", .access = by_prefix, .access_count = 2},
        {.name = "both", .access = both, .access_count = 1},
        {.name = "open", .public_scope = true},
        {.name = "open-except",
         .access = open_except,
         .access_count = 2,
         .public_scope = true},
        {.name = "nobody"},
        {.name = "all", .access = all, .access_count = 1},
    };
    const svr_policy_config config = {.tenants = tenants,
                                      .tenant_count = TENANTS,
                                      .services = services,
                                      .service_count = COUNT(services)};
    const svr_addr inside = v4(10, 7, 1, 1), outside = v4(10, 8, 1, 1);
    const svr_addr inside6 = v6(7, 1), outside6 = v6(8, 1);
    const struct {
        int service, tenant;
        svr_addr source;
        bool allowed;
    } table[] = {
        {GRANTED, CORP, outside, true},
        {GRANTED, CORP, outside6, true},
        {GRANTED, STAFF_CORP, outside, true}, /* the grant covers children */
        {GRANTED, CORPORATE, outside, false},
        {GRANTED, GUEST, outside, false},
        {GRANTED, NONE, outside, false},
        {EXCEPT, CORP, outside, true},        /* never the reverse */
        {EXCEPT, STAFF_CORP, outside, false}, /* deny wins, before and behind */
        {BY_PREFIX, GUEST, inside, true},
        {BY_PREFIX, NONE, inside, true},
        {BY_PREFIX, NONE, inside6, true},
        {BY_PREFIX, CORP, outside, false},
        {BY_PREFIX, CORP, outside6, false},
        {BOTH, CORP, inside, true},
        {BOTH, STAFF_CORP, inside, true},
        {BOTH, CORP, outside, false},
        {BOTH, GUEST, inside, false},
        {BOTH, NONE, inside, false},
        {OPEN, NONE, outside, true},
        {OPEN, CORP, outside, false}, /* public is for the tenant-less */
        {OPEN_EXCEPT, NONE, outside, true},
        {OPEN_EXCEPT, NONE, inside, false},
        {OPEN_EXCEPT, GUEST, outside, true},
        {OPEN_EXCEPT, GUEST, inside, false},
        {NOBODY, CORP, outside, false},
        {NOBODY, NONE, outside, false},
        {ALL, GUEST, outside6, true},
        {ALL, NONE, outside, true},
        {ALL, TENANTS, outside, false}, /* no such tenant */
        {ALL, -2, outside, false},
        {COUNT(services), GUEST, outside, false}, /* no such service */
        {SVR_ERR_NO_SERVICE, GUEST, outside, false},
    };
    svr_policy *p = create(&config);
    for (size_t i = 0; i < COUNT(table); i++)
        cr_assert_eq(svr_policy_access(p, table[i].service, table[i].tenant,
                                       &table[i].source),
                     table[i].allowed ? 0 : SVR_ERR_DENIED, "line %zu", i);
    destroy(p);
}

Test(policy, a_child_line_does_not_cover_its_parent)
{
    const svr_prefix any = {SVR_ADDR_NONE, 0};
    const svr_access lines[] = {{true, STAFF_CORP, any}};
    const svr_service_config service = {
        .name = "s", .access = lines, .access_count = 1};
    const svr_policy_config config = {.tenants = tenants,
                                      .tenant_count = TENANTS,
                                      .services = &service,
                                      .service_count = 1};
    const svr_addr source = v4(10, 0, 0, 1);
    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_access(p, 0, STAFF_CORP, &source), 0);
    cr_assert_eq(svr_policy_access(p, 0, CORP, &source), SVR_ERR_DENIED);
    destroy(p);
}

/* The choice of S5.4 does not ask who may: a refusal is not evaded. */
Test(policy, a_wider_service_does_not_help)
{
    const svr_prefix any = {SVR_ADDR_NONE, 0};
    const svr_prefix wide = {v4(10, 0, 0, 0), 8}, host = {v4(10, 0, 0, 1), 32};
    const svr_access everyone = {true, NONE, any};
    const svr_service_config services[] = {
        {.name = "wide",
         .prefixes = &wide,
         .prefix_count = 1,
         .access = &everyone,
         .access_count = 1},
        {.name = "host", .prefixes = &host, .prefix_count = 1},
    };
    const svr_policy_config config = {.services = services, .service_count = 2};
    svr_tuple t = packet(v4(10, 0, 0, 1), TCP, 80);
    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_service_match(p, &t), 1);
    cr_assert_eq(svr_policy_access(p, 1, NONE, &t.src), SVR_ERR_DENIED);
    destroy(p);
}

Test(policy, names_are_found)
{
    static const char *const names[] = {"web.corp", "corp", "a.web.corp",
                                        "web.corporate", "x"};
    static const struct {
        const char *name;
        int exact, nearest;
    } table[] = {
        {"web.corp", 0, 0},
        {"corp", 1, 1},
        {"a.web.corp", 2, 2},
        {"b.a.web.corp", -1, 2},
        {"b.web.corp", -1, 0},
        {"db.corp", -1, 1},
        {"db.eu.corp", -1, 1},
        {"db.corporate", -1, -1},
        {"web.corporate", 3, 3},
        {"rp", -1, -1},
        {"corp.", -1, -1},
        {".corp", -1, 1},
        {".", -1, -1},
        {"", -1, -1},
        {"x", 4, 4},
        {"X", -1, -1},
    };
    svr_service_config services[COUNT(names)];
    memset(services, 0, sizeof(services));
    for (size_t i = 0; i < COUNT(names); i++)
        services[i].name = names[i];
    const svr_policy_config config = {.tenants = names,
                                      .tenant_count = COUNT(names),
                                      .services = services,
                                      .service_count = COUNT(names)};
    svr_policy *p = create(&config);
    for (size_t i = 0; i < COUNT(table); i++) {
        int exact = table[i].exact < 0 ? SVR_ERR_NOT_FOUND : table[i].exact;
        int nearest =
            table[i].nearest < 0 ? SVR_ERR_NOT_FOUND : table[i].nearest;
        svr_span name = svr__text(table[i].name);
        cr_assert_eq(svr_policy_tenant_find(p, name), exact, "line %zu", i);
        cr_assert_eq(svr_policy_service_find(p, name), exact, "line %zu", i);
        cr_assert_eq(svr_policy_service_nearest(p, name), nearest, "line %zu",
                     i);
    }
    for (int i = 0; i < (int)COUNT(names); i++) {
        cr_assert_str_eq(svr_policy_tenant_name(p, i), names[i]);
        cr_assert_str_eq(svr_policy_service_name(p, i), names[i]);
    }
    cr_assert_null(svr_policy_tenant_name(p, NONE));
    cr_assert_null(svr_policy_tenant_name(p, COUNT(names)));
    cr_assert_null(svr_policy_service_name(p, SVR_ERR_NO_SERVICE));
    cr_assert_null(svr_policy_service_name(p, COUNT(names)));
    /* A NUL inside does not cut a name short. */
    cr_assert_eq(svr_policy_tenant_find(p, (svr_span){(uint8_t *)"x\0y", 3}),
                 SVR_ERR_NOT_FOUND);
    cr_assert_eq(svr_policy_tenant_find(p, (svr_span){NULL, 0}),
                 SVR_ERR_NOT_FOUND);
    destroy(p);
}

/* Names as long as a peer may send. */
Test(policy, the_nearest_parent_of_a_very_long_name)
{
    uint8_t name[SVR_NAME_ACCEPT_MAX];
    const svr_service_config service = {.name = "z"};
    const svr_policy_config config = {.services = &service, .service_count = 1};
    svr_policy *p = create(&config);
    memset(name, '.', sizeof(name));
    svr_span span = {name, sizeof(name)};
    cr_assert_eq(svr_policy_service_nearest(p, span), SVR_ERR_NOT_FOUND);
    name[sizeof(name) - 1] = 'z';
    cr_assert_eq(svr_policy_service_nearest(p, span), 0);
    destroy(p);
}

Test(policy, denials_are_kept)
{
    const svr_service_config services[] = {
        {.name = "a"},
        {.name = "b",
         .denial = SVR_DENIAL_RESET,
         .policy = {.resiliency = SVR_RESILIENCY_FAILOVER}},
        {.name = "c", .denial = SVR_DENIAL_PROHIBITED},
    };
    const svr_policy_config config = {.services = services, .service_count = 3};
    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_denial(p, 0), SVR_DENIAL_SILENT);
    cr_assert_eq(svr_policy_denial(p, 1), SVR_DENIAL_RESET);
    cr_assert_eq(svr_policy_denial(p, 2), SVR_DENIAL_PROHIBITED);
    cr_assert_eq(svr_policy_denial(p, 3), SVR_DENIAL_SILENT);
    cr_assert_eq(svr_policy_denial(p, -1), SVR_DENIAL_SILENT);
    cr_assert_eq(svr_policy_of_service(p, 1)->resiliency,
                 SVR_RESILIENCY_FAILOVER);
    cr_assert_eq(svr_policy_of_service(p, 2)->resiliency, SVR_RESILIENCY_NONE);
    cr_assert_eq(svr_policy_of_service(p, 3)->resiliency, SVR_RESILIENCY_NONE);
    cr_assert_eq(svr_policy_of_service(p, -1)->resiliency, SVR_RESILIENCY_NONE);
    destroy(p);
}

Test(policy, an_empty_policy_has_nothing)
{
    const svr_policy_config config = {0};
    svr_tuple t = packet(v4(10, 0, 0, 1), TCP, 80);
    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_service_match(p, &t), SVR_ERR_NO_SERVICE);
    cr_assert_eq(svr_policy_tenant_find(p, svr__text("corp")),
                 SVR_ERR_NOT_FOUND);
    cr_assert_eq(svr_policy_access(p, 0, NONE, &t.src), SVR_ERR_DENIED);
    destroy(p);
    svr_policy_destroy(NULL);
}

static int try_create(const svr_policy_config *c)
{
    svr_policy *const before = (svr_policy *)(uintptr_t)8;
    svr_policy *p = before;
    svr_allocator alloc = test_allocator(&memory);
    int err = svr_policy_create(&p, c, &alloc);
    cr_assert_lt(err, 0);
    cr_assert_eq(p, before, "outputs stay as they were");
    cr_assert(test_memory_clean(&memory));
    return err;
}

Test(policy, bad_tenants_are_refused)
{
    char longest[SVR_NAME_SEND_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = 0;
    const struct {
        const char *name;
        int err;
    } table[] = {
        {"", SVR_ERR_ARGUMENT},     {longest, SVR_ERR_ARGUMENT},
        {"a\nb", SVR_ERR_ARGUMENT}, {"\xff", SVR_ERR_ARGUMENT},
        {"first", SVR_ERR_EXISTS},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *const names[] = {"first", table[i].name};
        const svr_policy_config config = {.tenants = names, .tenant_count = 2};
        cr_assert_eq(try_create(&config), table[i].err, "line %zu", i);
    }
    const char *const fits[] = {longest + 1};
    const svr_policy_config config = {.tenants = fits, .tenant_count = 1};
    svr_policy *p = create(&config);
    cr_assert_eq(svr_policy_tenant_find(p, svr__text(longest + 1)), 0);
    destroy(p);
}

/* A service that is right, of which each case spoils one thing. */
static int try_service(svr_service_config *other)
{
    const svr_prefix net = {v4(10, 0, 0, 77), 24};
    const svr_transport web[] = {{TCP, 80, 80}, {ICMP, 1, 2}};
    svr_service_config services[2] = {
        {.name = "first",
         .prefixes = &net,
         .prefix_count = 1,
         .transports = web,
         .transport_count = 2},
        *other,
    };
    const svr_policy_config config = {.tenants = tenants,
                                      .tenant_count = TENANTS,
                                      .services = services,
                                      .service_count = 2};
    return try_create(&config);
}

Test(policy, bad_services_are_refused)
{
    svr_service_config s = {.name = "second"};
    s.name = "";
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    s.name = "first";
    cr_assert_eq(try_service(&s), SVR_ERR_EXISTS);
    s.name = "second";
    s.denial = SVR_DENIAL_PROHIBITED + 1;
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    s.denial = SVR_DENIAL_SILENT;
    s.policy.resiliency = SVR_RESILIENCY_DUPLICATE + 1;
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    s.policy = (svr_service_policy){.best_path = SVR_BEST_MOS + 1};
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    s.policy = (svr_service_policy){.balance = SVR_BALANCE_PROPORTIONAL + 1};
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
}

/* What a policy says of vectors. */
Test(policy, vectors)
{
    static const char *const names[] = {"mpls", "lte"};
    static const char *const twice[] = {"lte", "lte"};
    static const struct {
        svr_vector_rank ranks[2];
        int result;
    } rows[] = {
        {{{0, 1}, {1, SVR_VECTOR_NEVER}}, 0},
        {{{1, SVR_VECTOR_PRIORITY_MAX}, {0, 0}}, 0},
        {{{0, 1}, {2, 1}}, SVR_ERR_ARGUMENT},
        {{{0, SVR_VECTOR_PRIORITY_MAX + 1}, {1, 1}}, SVR_ERR_ARGUMENT},
        {{{1, 1}, {1, 2}}, SVR_ERR_EXISTS},
    };
    svr_service_config s[2] = {{.name = "a"}, {.name = "b"}};
    svr_policy_config config = {
        .services = s, .service_count = 2, .vectors = names, .vector_count = 2};

    for (size_t i = 0; i < COUNT(rows); i++) {
        s[1].policy =
            (svr_service_policy){.vectors = rows[i].ranks, .vector_count = 2};
        if (rows[i].result == 0)
            destroy(create(&config));
        else
            cr_assert_eq(try_create(&config), rows[i].result, "row %zu", i);
    }
    s[0].policy = s[1].policy = (svr_service_policy){
        .vectors = rows[0].ranks, .vector_count = 2, .min_mos = 3500};
    svr_policy *p = create(&config);
    const svr_service_policy *kept = svr_policy_of_service(p, 1);
    cr_assert_eq(kept->vector_count, 2);
    cr_assert_eq(kept->vectors[1].priority, SVR_VECTOR_NEVER);
    cr_assert_neq((const void *)kept->vectors, (const void *)rows[0].ranks);
    cr_assert_eq(kept->min_mos, 3500);
    cr_assert_str_eq(svr_policy_vector_name(p, 1), "lte");
    cr_assert_null(svr_policy_vector_name(p, 2));
    destroy(p);
    config.vectors = twice;
    cr_assert_eq(try_create(&config), SVR_ERR_EXISTS);
    config.vector_count = 1;
    cr_assert_eq(try_create(&config), SVR_ERR_ARGUMENT);
}

Test(policy, bad_prefixes_are_refused)
{
    const svr_prefix bad[] = {{v4(10, 0, 0, 0), 33}, {v6(0, 0), 129}};
    for (size_t i = 0; i < COUNT(bad); i++) {
        svr_service_config s = {
            .name = "second", .prefixes = &bad[i], .prefix_count = 1};
        cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
        const svr_access access = {true, NONE, bad[i]};
        s = (svr_service_config){
            .name = "second", .access = &access, .access_count = 1};
        cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    }
}

Test(policy, bad_lines_are_refused)
{
    const svr_prefix any = {SVR_ADDR_NONE, 0};
    const svr_transport backwards = {TCP, 81, 80};
    svr_service_config s = {
        .name = "second", .transports = &backwards, .transport_count = 1};
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    for (int i = 0; i < 2; i++) {
        const svr_access access = {true, i ? -2 : TENANTS, any};
        s = (svr_service_config){
            .name = "second", .access = &access, .access_count = 1};
        cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    }
}

Test(policy, conflicts_are_refused)
{
    const svr_prefix same = {v4(10, 0, 0, 0), 24};
    const svr_prefix longer = {v4(10, 0, 0, 0), 25};
    const svr_transport web = {TCP, 80, 80}, icmp = {ICMP, 0, 65535};
    const svr_transport udp = {UDP, 80, 80};
    svr_service_config s = {.name = "second",
                            .prefixes = &same,
                            .prefix_count = 1,
                            .transports = &web,
                            .transport_count = 1};
    cr_assert_eq(try_service(&s), SVR_ERR_CONFLICT);
    s.transports = &icmp; /* whose ports are ignored */
    cr_assert_eq(try_service(&s), SVR_ERR_CONFLICT);

    const svr_transport *fine[] = {&web, &web, &udp};
    for (int i = 0; i < 3; i++) { /* another prefix, itself, transport */
        const svr_prefix twice[] = {same, same};
        svr_service_config services[2] = {s, s};
        services[0].name = "first";
        services[0].prefixes = i == 1 ? twice : &same;
        services[0].prefix_count = i == 1 ? 2 : 1;
        services[0].transports = &web;
        services[1].prefixes = i == 2 ? &same : &longer;
        services[1].transports = fine[i];
        const svr_policy_config config = {.services = services,
                                          .service_count = 2};
        destroy(create(&config));
    }
}

Test(policy, more_than_can_be_counted_is_refused)
{
    const svr_policy_config config = {.tenant_count = (size_t)1 << 31};
    cr_assert_eq(try_create(&config), SVR_ERR_ARGUMENT);

    enum { MANY = 50000 };
    svr_prefix *prefixes = calloc(MANY, sizeof(*prefixes));
    svr_transport *transports = calloc(MANY, sizeof(*transports));
    cr_assert(prefixes && transports);
    svr_service_config s = {.name = "second",
                            .prefixes = prefixes,
                            .prefix_count = MANY,
                            .transports = transports,
                            .transport_count = MANY};
    cr_assert_eq(try_service(&s), SVR_ERR_ARGUMENT);
    free(transports);
    free(prefixes);
}

/* Random policies, small enough that everything overlaps. */
#define SERVICES 12
#define LINES 4

typedef struct world {
    uint64_t seed;
    svr_prefix prefixes[SERVICES][LINES];
    svr_transport transports[SERVICES][LINES];
    svr_access access[SERVICES][LINES];
    char names[SERVICES][8];
    svr_service_config services[SERVICES];
    svr_policy_config config;
} world;

static const char *const world_tenants[] = {"a",  "b.a",  "c.b.a",
                                            "ba", "d.ba", "c.a"};

static svr_addr random_addr(world *w)
{
    uint8_t b[16] = {0};
    uint32_t bits = (uint32_t)test_random(&w->seed);
    if (bits & 1) {
        b[0] = 0x20;
        b[15] = bits >> 1 & 3;
        b[8] = bits >> 3 & 0x81;
        return svr_addr_from_v6(b);
    }
    return v4(10, bits >> 1 & 0x81, 0, bits >> 9 & 3);
}

static svr_prefix random_prefix(world *w)
{
    static const uint8_t v4_lens[] = {0, 8, 9, 16, 24, 31, 32};
    static const uint8_t v6_lens[] = {0, 65, 64, 72, 95, 96, 127, 128};
    svr_addr a = random_addr(w);
    if (svr_addr_is_v4(&a))
        return (svr_prefix){a, v4_lens[test_below(&w->seed, COUNT(v4_lens))]};
    return (svr_prefix){a, v6_lens[test_below(&w->seed, COUNT(v6_lens))]};
}

static uint8_t random_proto(world *w)
{
    static const uint8_t protos[] = {0, TCP, UDP, ICMP, GRE};
    return protos[test_below(&w->seed, COUNT(protos))];
}

static svr_transport random_transport(world *w)
{
    uint16_t first = (uint16_t)test_below(&w->seed, 8);
    uint16_t more = (uint16_t)test_below(&w->seed, 4);
    if (test_below(&w->seed, 4) == 0)
        return (svr_transport){random_proto(w), 0, 65535};
    return (svr_transport){random_proto(w), first, (uint16_t)(first + more)};
}

static int random_tenant(world *w)
{
    return (int)test_below(&w->seed, COUNT(world_tenants) + 1) - 1;
}

static svr_access random_access(world *w)
{
    static const svr_prefix any = {{{0}}, 0};
    return (svr_access){test_below(&w->seed, 3) > 0, random_tenant(w),
                        test_below(&w->seed, 2) ? any : random_prefix(w)};
}

static void make_service(world *w, size_t i)
{
    w->names[i][0] = (char)('A' + i);
    for (int line = 0; line < LINES; line++) {
        w->prefixes[i][line] = random_prefix(w);
        w->transports[i][line] = random_transport(w);
        w->access[i][line] = random_access(w);
    }
    w->services[i] = (svr_service_config){
        .name = w->names[i],
        .prefixes = w->prefixes[i],
        .prefix_count = test_below(&w->seed, LINES + 1),
        .transports = w->transports[i],
        .transport_count = test_below(&w->seed, LINES + 1),
        .access = w->access[i],
        .access_count = test_below(&w->seed, LINES + 1),
        .public_scope = test_below(&w->seed, 2),
    };
}

static void make_world(world *w, uint64_t seed)
{
    *w = (world){.seed = seed};
    for (size_t i = 0; i < SERVICES; i++)
        make_service(w, i);
    w->config = (svr_policy_config){.tenants = world_tenants,
                                    .tenant_count = COUNT(world_tenants),
                                    .services = w->services,
                                    .service_count = SERVICES};
}

static bool ported(uint8_t proto)
{
    return proto == TCP || proto == UDP;
}

static bool naive_transport(const svr_transport *r, const svr_tuple *t)
{
    return (r->proto == 0 || r->proto == t->proto) &&
           (!ported(t->proto) || (t->dport >= r->first && t->dport <= r->last));
}

/* Higher is better; the service's place decides between equals. */
static uint32_t naive_rank(const svr_prefix *p, const svr_transport *r)
{
    bool ports = r->proto == 0 || ported(r->proto);
    uint32_t width = ports ? (uint32_t)(r->last - r->first) : 65535;
    return (uint32_t)(p->len * 2 + (r->proto != 0)) * 65536 + 65535 - width;
}

static uint32_t naive_best(const svr_service_config *s, const svr_tuple *t)
{
    static const svr_transport every = {0, 0, 65535};
    const svr_transport *list = s->transport_count ? s->transports : &every;
    size_t count = s->transport_count ? s->transport_count : 1;
    uint32_t best = 0;
    for (size_t i = 0; i < s->prefix_count; i++) {
        if (!svr_prefix_contains(&s->prefixes[i], &t->dst))
            continue;
        for (size_t j = 0; j < count; j++) {
            uint32_t rank = naive_rank(&s->prefixes[i], &list[j]) + 1;
            if (naive_transport(&list[j], t) && rank > best)
                best = rank;
        }
    }
    return best;
}

static int naive_match(const world *w, const svr_tuple *t)
{
    int service = SVR_ERR_NO_SERVICE;
    uint32_t best = 0;
    for (int i = 0; i < SERVICES; i++) {
        uint32_t rank = naive_best(&w->services[i], t);
        if (rank > best) {
            best = rank;
            service = i;
        }
    }
    return service;
}

static bool naive_covers(int line, int tenant)
{
    if (line == NONE)
        return true;
    if (tenant == NONE)
        return false;
    const char *child = world_tenants[tenant];
    while (child && strcmp(child, world_tenants[line]) != 0) {
        child = strchr(child, '.');
        child = child ? child + 1 : NULL;
    }
    return child != NULL;
}

static int naive_access(const world *w, int service, int tenant,
                        const svr_addr *source)
{
    const svr_service_config *s = &w->services[service];
    int denied = 0, allowed = 0;
    for (size_t i = 0; i < s->access_count; i++) {
        const svr_access *line = &s->access[i];
        bool fits = naive_covers(line->tenant, tenant) &&
                    (svr_addr_is_none(&line->source.addr) ||
                     svr_prefix_contains(&line->source, source));
        denied += fits && !line->allow;
        allowed += fits && line->allow;
    }
    if (denied)
        return SVR_ERR_DENIED;
    if (allowed || (tenant == NONE && s->public_scope))
        return 0;
    return SVR_ERR_DENIED;
}

static bool same_rule(const world *w, size_t a, size_t b)
{
    static const svr_transport every = {0, 0, 65535};
    const svr_service_config *x = &w->services[a], *y = &w->services[b];
    for (size_t i = 0; i < x->prefix_count; i++) {
        for (size_t j = 0; j < y->prefix_count; j++) {
            const svr_prefix *p = &x->prefixes[i], *q = &y->prefixes[j];
            if (p->len != q->len || !svr_prefix_contains(p, &q->addr))
                continue;
            for (size_t k = 0; k == 0 || k < x->transport_count; k++) {
                for (size_t l = 0; l == 0 || l < y->transport_count; l++) {
                    svr_transport u =
                        x->transport_count ? x->transports[k] : every;
                    svr_transport v =
                        y->transport_count ? y->transports[l] : every;
                    bool ports = u.proto == 0 || ported(u.proto);
                    if (u.proto == v.proto &&
                        (!ports || (u.first == v.first && u.last == v.last)))
                        return true;
                }
            }
        }
    }
    return false;
}

static bool naive_conflict(const world *w)
{
    for (size_t a = 0; a < SERVICES; a++) {
        for (size_t b = 0; b < a; b++) {
            if (same_rule(w, a, b))
                return true;
        }
    }
    return false;
}

/* Takes services away until no two have the same rule. */
static void settle(world *w)
{
    for (size_t a = 0; a < SERVICES; a++) {
        for (size_t b = 0; b < a; b++) {
            if (same_rule(w, a, b))
                w->services[a].prefix_count = 0;
        }
    }
}

static void compare_world(world *w, const svr_policy *p)
{
    for (int i = 0; i < 300; i++) {
        svr_tuple t = packet(random_addr(w), random_proto(w),
                             (uint16_t)test_below(&w->seed, 12));
        cr_assert_eq(svr_policy_service_match(p, &t), naive_match(w, &t));
        int service = (int)test_below(&w->seed, SERVICES);
        int tenant = random_tenant(w);
        cr_assert_eq(svr_policy_access(p, service, tenant, &t.dst),
                     naive_access(w, service, tenant, &t.dst));
    }
}

Test(policy, agrees_with_a_scan)
{
    int conflicts = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        world w;
        make_world(&w, seed);
        if (naive_conflict(&w)) {
            conflicts++;
            cr_assert_eq(try_create(&w.config), SVR_ERR_CONFLICT);
            settle(&w);
        }
        svr_policy *p = create(&w.config);
        compare_world(&w, p);
        destroy(p);
    }
    cr_assert(conflicts > 0 && conflicts < 400);
}

Test(policy, refused_memory_leaves_nothing_behind)
{
    world w;
    make_world(&w, 1);
    settle(&w);
    memory = (test_memory){0};
    destroy(create(&w.config));
    size_t calls = memory.calls;
    cr_assert_gt(calls, 1);
    for (size_t n = 1; n <= calls; n++) {
        memory = (test_memory){.fail_at = n};
        cr_assert_eq(try_create(&w.config), SVR_ERR_NO_MEMORY);
        cr_assert_geq(memory.calls, n);
    }
}

Test(policy, the_caller_may_change_its_arrays_afterwards)
{
    world w, before;
    make_world(&w, 2);
    settle(&w);
    svr_policy *p = create(&w.config);
    before = w;
    memset(w.prefixes, 0xff, sizeof(w.prefixes));
    memset(w.transports, 0xff, sizeof(w.transports));
    memset(w.access, 0xff, sizeof(w.access));
    memset(w.names, 0xff, sizeof(w.names));
    world copy = before;
    for (size_t i = 0; i < SERVICES; i++) {
        copy.services[i].prefixes = copy.prefixes[i];
        copy.services[i].transports = copy.transports[i];
        copy.services[i].access = copy.access[i];
    }
    compare_world(&copy, p);
    cr_assert_eq(svr_policy_service_find(p, svr__text("B")), 1);
    destroy(p);
}
