/*
 * taint.h - secrets that valgrind follows.
 *
 * Memcheck knows of every bit whether it was ever defined, passes that on
 * through all arithmetic, and reports a branch or an address that depends on an
 * undefined one. A secret that is marked as undefined is therefore a secret of
 * which it reports every use that takes time by its value.
 */
#ifndef SVR_TESTS_TAINT_H
#define SVR_TESTS_TAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <svr/base.h>

/* len bytes are secret from now on, or are known to everybody. */
void taint_secret(void *at, size_t len);
void taint_public(const void *at, size_t len);
/* Whether a bit of it is secret: a test that loses sight of its secrets, since
 * some instruction does not pass them on, would find nothing. */
bool taint_is_secret(const void *at, size_t len);

/* Random bytes, which are secret unless there are 4 of them or less: those are
 * numbers that are sent in the clear. user: a uint64_t that counts. */
void taint_fill(void *user, void *buf, size_t len);

/* False on failure, after saying why; the program then ends with 1. */
#define EXPECT(holds) taint_expect((holds), #holds, __FILE__, __LINE__)
void taint_expect(bool holds, const char *what, const char *file, int line);

/* cases_crypto.c, cases_exchange.c */
void run_macs(void);
void run_ciphers(void);
void run_payloads(void);
void run_metadata(void);
void run_keys(void);
void run_tokens(void);
void run_exchange(void);

#endif
