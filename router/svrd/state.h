/* state.h - what a router remembers over restarts: its boot counter and its
 * recovery key. */
#ifndef SVR_ROUTER_STATE_H
#define SVR_ROUTER_STATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <svr/crypto.h>

#define STATE_DIRECTORY "/var/lib/svr"

/* Raises the counter in directory/router.boot, which is made where it is
 * missing, and makes sure that it is on the disk before anything uses it. 0, or
 * -1 after one line in the log. */
int state_next_boot(uint32_t *boot, const char *directory, const char *router);

/* The key in directory/router.recovery.key (S8.5), which is drawn and put on
 * the disk where there is none yet. 0, or -1 after one line in the log: a file
 * that is not the caller's own, that others may read, or that is no key. */
int state_recovery_key(uint8_t key[SVR_KEY_SIZE], const svr_random *random,
                       const char *directory, const char *router);

/* state_file.c: puts the bytes into path, in that directory, whole or not at
 * all, and on the disk. 0, or -1 with errno set. */
int state_write(const char *path, const char *directory, const void *bytes,
                size_t len, mode_t mode);

#endif
