#include "check.h"

#include "config.h"

#include <string.h>

bool interface_reaches(const struct value *iface, const svr_addr *a)
{
    const struct value *list = value_of(iface, INTERFACE_ADDRESS);

    for (size_t i = 0; i < list->count; i++) {
        if (svr_prefix_contains(&list->items[i].prefix, a))
            return true;
    }
    return false;
}

static bool is_link_local(const svr_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

const struct value *interface_address(const struct value *iface,
                                      const svr_addr *a)
{
    const struct value *list = value_of(iface, INTERFACE_ADDRESS);

    for (size_t i = 0; i < list->count; i++) {
        if (svr_addr_equal(&list->items[i].prefix.addr, a))
            return &list->items[i];
    }
    return NULL;
}

const struct value *interface_of_family(const struct value *iface, unsigned key,
                                        bool v4)
{
    const struct value *list = value_of(iface, key);

    for (size_t i = 0; i < list->count; i++) {
        if (svr_addr_is_v4(&list->items[i].prefix.addr) == v4)
            return &list->items[i];
    }
    return NULL;
}

/* A gateway of IPv6 may have an address that is in no prefix. */
static bool is_near(const struct value *iface, const svr_addr *a)
{
    return interface_reaches(iface, a) ||
           (is_link_local(a) &&
            interface_of_family(iface, INTERFACE_ADDRESS, false));
}

static void check_gateway(struct checker *c, const struct value *iface,
                          const struct value *gateway)
{
    const svr_addr *a = &gateway->prefix.addr;

    if (interface_address(iface, a))
        report_problem(c->report, gateway->at,
                       "found the interface's own address %s, expected that of "
                       "another router",
                       addr_text(a).s);
    else if (!is_near(iface, a))
        report_problem(c->report, gateway->at,
                       "found %s, expected an address in a network of "
                       "interface %s",
                       addr_text(a).s, quote(iface->text).s);
}

static void check_gateways(struct checker *c, const struct value *iface)
{
    const struct value *list = value_of(iface, INTERFACE_GATEWAY);

    for (size_t i = 0; i < list->count; i++)
        check_gateway(c, iface, &list->items[i]);
    if (list->count == 2 && svr_addr_is_v4(&list->items[0].prefix.addr) ==
                                svr_addr_is_v4(&list->items[1].prefix.addr))
        report_problem(c->report, list->items[1].at,
                       "found a second gateway of one family, expected at most "
                       "one for IPv4 and one for IPv6");
}

static bool check_sources(struct checker *c, const struct value *iface)
{
    const struct value *list = value_of(iface, INTERFACE_TENANTS);
    const struct value *tenants = value_of(c->root, ROOT_TENANTS);
    struct claim *claims = check_claims(c, list->count);

    if (!claims)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *prefix = value_of(&list->items[i], SOURCE_PREFIX);

        check_reference(c, value_of(&list->items[i], SOURCE_TENANT), tenants,
                        "a tenant");
        claims[i] =
            (struct claim){&prefix->prefix, sizeof(prefix->prefix), prefix};
    }
    check_distinct(c, claims, list->count, "the prefix");
    return true;
}

static bool check_interface(struct checker *c, const struct value *iface)
{
    const struct value *tenant = value_of(iface, INTERFACE_TENANT);
    const struct value *mac = value_of(iface, INTERFACE_MAC);

    if (iface->broken)
        return true;
    if (tenant->given)
        check_reference(c, tenant, value_of(c->root, ROOT_TENANTS), "a tenant");
    if (mac->given && value_of(iface, INTERFACE_KIND)->number != PORT_TAP)
        report_problem(c->report, mac->at,
                       "found the key \"mac\" at an interface of kind %s, "
                       "expected it at kind \"tap\" only",
                       quote(value_of(iface, INTERFACE_KIND)->text).s);
    check_gateways(c, iface);
    return check_sources(c, iface);
}

/* No two interfaces of a router attach to one device. */
static bool check_devices(struct checker *c, const struct value *interfaces)
{
    struct claim *claims = check_claims(c, interfaces->count);
    size_t n = 0;

    if (!claims)
        return false;
    for (size_t i = 0; i < interfaces->count; i++) {
        const struct value *device =
            value_of(&interfaces->items[i], INTERFACE_DEVICE);

        if (device->text)
            claims[n++] =
                (struct claim){device->text, strlen(device->text), device};
    }
    check_distinct(c, claims, n, "the device");
    return true;
}

static size_t address_count(const struct value *interfaces)
{
    size_t n = 0;

    for (size_t i = 0; i < interfaces->count; i++)
        n += value_of(&interfaces->items[i], INTERFACE_ADDRESS)->count;
    return n;
}

/* No two of its interfaces have one address. What a single one has twice was
 * found before. */
static bool check_addresses(struct checker *c, const struct value *interfaces)
{
    struct claim *claims = check_claims(c, address_count(interfaces));
    size_t n = 0;

    if (!claims)
        return false;
    for (size_t i = 0; i < interfaces->count; i++) {
        const struct value *list =
            value_of(&interfaces->items[i], INTERFACE_ADDRESS);

        for (size_t j = 0; j < list->count && !list->broken; j++) {
            const svr_addr *a = &list->items[j].prefix.addr;

            claims[n++] = (struct claim){a, sizeof(*a), &list->items[j]};
        }
    }
    check_distinct(c, claims, n, "the address");
    return true;
}

static bool check_router(struct checker *c, const struct value *router)
{
    const struct value *interfaces = value_of(router, ROUTER_INTERFACES);

    if (strchr(router->text, '/'))
        report_problem(c->report, router->at,
                       "found %s, expected a router's name without a slash",
                       quote(router->text).s);
    for (size_t i = 0; i < interfaces->count; i++) {
        if (!check_interface(c, &interfaces->items[i]))
            return false;
    }
    return check_devices(c, interfaces) && check_addresses(c, interfaces);
}

bool check_routers(struct checker *c)
{
    const struct value *routers = value_of(c->root, ROOT_ROUTERS);

    for (size_t i = 0; i < routers->count && !report_full(c->report); i++) {
        if (!check_router(c, &routers->items[i]))
            return false;
    }
    return true;
}
