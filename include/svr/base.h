/*
 * base.h - words that every other header uses: errors, time, memory,
 * randomness, addresses.
 *
 * Conventions of the whole library:
 *  - Functions return 0 or a count on success and a negative enum svr_err on
 *    failure; on failure every output is as it was.
 *  - The library reads no clock, opens nothing and logs nothing. The caller
 *    passes the time, the memory and the randomness in.
 *  - A struct that the caller fills starts from its _init function, so that
 *    fields can be added later.
 *  - Nothing here is safe to call on one object from two threads at a time;
 *    different objects share nothing.
 */
#ifndef SVR_BASE_H
#define SVR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SVR_API __attribute__((visibility("default")))
#define SVR_MUST_CHECK __attribute__((warn_unused_result))
#else
#define SVR_API
#define SVR_MUST_CHECK
#endif

/*
 * Errors: one list, of which the enum, the names and the texts are made.
 * X(NAME, number, "name", "text")
 */
#define SVR_ERR_MAP(X)                                                         \
    X(ARGUMENT, 1, "argument", "an argument is out of its range")              \
    X(NO_MEMORY, 2, "no_memory", "the allocator refused")                      \
    X(NO_SPACE, 3, "no_space", "the buffer is too small")                      \
    X(FULL, 4, "full", "the table is full")                                    \
    X(EXISTS, 5, "exists", "the entry exists already")                         \
    X(NOT_FOUND, 6, "not_found", "there is no such entry")                     \
    X(TRUNCATED, 7, "truncated", "the input ends too early")                   \
    X(VERSION, 8, "version", "the version is not supported")                   \
    X(LENGTH, 9, "length", "a length contradicts another or its limits")       \
    X(CHECKSUM, 10, "checksum", "a checksum is wrong")                         \
    X(UNSUPPORTED, 11, "unsupported", "the input is valid but not supported")  \
    X(FRAGMENT, 12, "fragment", "the packet is an IP fragment")                \
    X(NO_COOKIE, 13, "no_cookie", "there is no metadata cookie")               \
    X(TLV_LENGTH, 14, "tlv_length",                                            \
      "an attribute has a length that its type forbids")                       \
    X(TLV_OVERRUN, 15, "tlv_overrun", "an attribute runs past its section")    \
    X(TLV_SECTION, 16, "tlv_section",                                          \
      "an attribute stands in the wrong section")                              \
    X(TLV_DUPLICATE, 17, "tlv_duplicate", "an attribute occurs twice")         \
    X(TLV_VALUE, 18, "tlv_value",                                              \
      "an attribute has a value that its type forbids")                        \
    X(TAG, 19, "tag", "the tag is wrong")                                      \
    X(REPLAY, 20, "replay", "the packet number was seen before or is too old") \
    X(NO_KEY, 21, "no_key", "no key has this security id")                     \
    X(DENIED, 22, "denied", "the policy refuses")                              \
    X(NO_SERVICE, 23, "no_service", "no service has this destination")         \
    X(MARTIAN, 24, "martian", "an address cannot be a source or destination")  \
    X(NO_ENTROPY, 25, "no_entropy", "the random source refused")               \
    X(CONFLICT, 26, "conflict", "two entries contradict each other")           \
    X(VALUE, 27, "value", "a field has a value that is forbidden")

enum svr_err {
#define X(name, number, id, text) SVR_ERR_##name = -(number),
    SVR_ERR_MAP(X)
#undef X
};

/* The text for a negative enum svr_err; "success" for 0 and above, "unknown
 * error" for anything else. Static storage, never NULL. */
SVR_API const char *svr_strerror(int err);

/* The constant's name without its prefix in lower case ("no_memory"). Static
 * storage; "unknown" where there is none. */
SVR_API const char *svr_err_name(int err);

/* Nanoseconds of the caller's monotonic clock; its zero means nothing. */
typedef uint64_t svr_time;

#define SVR_NEVER UINT64_MAX
#define SVR_MICROSECOND ((svr_time)1000)
#define SVR_MILLISECOND ((svr_time)1000000)
#define SVR_SECOND ((svr_time)1000000000)

/*
 * Memory. Given at creation and carried by the object. alloc answers memory
 * aligned for any type, or NULL; it need not be cleared. free gets the length
 * that was asked for; ptr is never NULL.
 */
typedef struct svr_allocator {
    void *(*alloc)(void *user, size_t len);
    void (*free)(void *user, void *ptr, size_t len);
    void *user;
} svr_allocator;

/*
 * Randomness. fill writes len unpredictable bytes and cannot fail: a program
 * whose source can fail must end itself. A repeatable function gives a
 * repeatable run, for tests and simulations only.
 */
typedef struct svr_random {
    void (*fill)(void *user, void *buf, size_t len);
    void *user;
} svr_random;

/*
 * An IP address. IPv4 is held in its mapped form ::ffff:a.b.c.d, so that one
 * 16-byte comparison serves both families; on the wire a mapped address is
 * refused as martian, so the two cannot be confused. All zero is "none".
 */
typedef struct svr_addr {
    uint8_t b[16];
} svr_addr;

#define SVR_ADDR_NONE ((svr_addr){{0}})

/* From 4 and from 16 bytes in network order. */
SVR_API svr_addr svr_addr_from_v4(const uint8_t b[4]);
SVR_API svr_addr svr_addr_from_v6(const uint8_t b[16]);
SVR_API bool svr_addr_is_none(const svr_addr *a);
SVR_API bool svr_addr_is_v4(const svr_addr *a);
SVR_API bool svr_addr_equal(const svr_addr *a, const svr_addr *b);

/* An address with a prefix length: 0-32 for IPv4, 0-128 for IPv6. For an
 * interface, addr is the interface's own address within the prefix. */
typedef struct svr_prefix {
    svr_addr addr;
    uint8_t len;
} svr_prefix;

/* Whether a lies in p; never across families. */
SVR_API bool svr_prefix_contains(const svr_prefix *p, const svr_addr *a);

/* A context (S1): the 5-tuple of a session, ports in host order. Contexts of
 * protocols without ports follow S4.3. */
typedef struct svr_tuple {
    svr_addr src, dst;
    uint16_t sport, dport;
    uint8_t proto;
} svr_tuple;

SVR_API bool svr_tuple_equal(const svr_tuple *a, const svr_tuple *b);
/* The tuple with its ends exchanged. */
SVR_API svr_tuple svr_tuple_reverse(const svr_tuple *t);

/* A session's UUID, bytes in printing order. */
typedef struct svr_uuid {
    uint8_t b[16];
} svr_uuid;

/* Bytes that belong to somebody else: valid as long as what they point into. */
typedef struct svr_span {
    const uint8_t *data;
    size_t len;
} svr_span;

/* IP protocol numbers that the library names. */
enum {
    SVR_PROTO_ICMP = 1,
    SVR_PROTO_TCP = 6,
    SVR_PROTO_UDP = 17,
    SVR_PROTO_ICMPV6 = 58,
};

#ifdef __cplusplus
}
#endif

#endif
