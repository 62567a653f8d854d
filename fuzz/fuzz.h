/*
 * fuzz.h - a fuzz target is one function. main.c calls it: with AFL++ for each
 * input that the fuzzer makes, otherwise for each file that it is given, so
 * that a corpus replays as a test. With libFuzzer libfuzzer.c does.
 *
 * Targets are built with assertions whatever the library is built with: a
 * property that does not hold ends the process.
 */
#ifndef SVR_FUZZ_FUZZ_H
#define SVR_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* data is a heap block of exactly len bytes. Whatever the target keeps from one
 * call to the next must not change what a later one does. */
void fuzz_one(const uint8_t *data, size_t len);

#endif
