/* key.h - files that hold a key (S12.1), or a router's identity (S12.3). */
#ifndef SVR_ROUTER_CONFIG_KEY_H
#define SVR_ROUTER_CONFIG_KEY_H

#include "config.h"
#include "report.h"

#include <svr/exchange.h>

/* The authority that may use the key which everyone knows. */
#define KEY_DEMO_AUTHORITY "demo"

/* Reads the key in the file at path, which must belong to this process's user,
 * or be opened by an opener and belong to whom that says. On failure a problem
 * was reported for the place `at` in the authority file, and key is as it was.
 */
bool key_read(uint8_t key[SVR_KEY_SIZE], const char *path,
              const char *authority, const struct config_opener *opener,
              struct report *report, struct mark at);

/* The same for the private half of a router's identity. */
bool key_read_identity(uint8_t seed[SVR_IDENTITY_SEED_SIZE], const char *path,
                       const char *router, const struct config_opener *opener,
                       struct report *report, struct mark at);

#endif
