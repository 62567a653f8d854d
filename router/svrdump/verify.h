/* verify.h - the tags of captured packets (S11), with an authority's keys. */
#ifndef SVR_ROUTER_VERIFY_H
#define SVR_ROUTER_VERIFY_H

#include "svrdump.h"

struct verify_keys;

struct verify_keys *verify_keys_new(void); /* NULL: no memory */
/* What the routers sign to each other under a security policy, both ways;
 * tells_boot: by BFD. False where there is no memory. */
bool verify_keys_add(struct verify_keys *keys, const char *router,
                     const char *peer, const svr_security_config *policy,
                     bool tells_boot);
/* All that an authority file has; folder: that of the key files, NULL: the
 * file's. NULL where a problem was told on stderr. */
struct verify_keys *verify_keys_load(const char *file, const char *folder);
void verify_keys_free(struct verify_keys *keys); /* NULL is allowed; wipes */

/* Sets the tag and the signer of a frame whose metadata, or block behind BFD,
 * names a key, and takes the tag out of its payload. Authentic blocks behind
 * BFD tell the boot counters that other tags cover (S11.7). */
void verify_metadata(struct verify_keys *keys, struct dump_frame *f);
/* The same for a frame without metadata of a followed flow. */
void verify_plain(struct dump_frame *f);

#endif
