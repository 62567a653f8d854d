/*
 * fuzz.h - a fuzz target is one function. main.c calls it: with AFL++ for each
 * input that the fuzzer makes, otherwise for each file that it is given, so
 * that a corpus replays as a test.
 */
#ifndef SVR_FUZZ_FUZZ_H
#define SVR_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Ends the process (abort) where a property does not hold. data is a heap block
 * of exactly len bytes. */
void fuzz_one(const uint8_t *data, size_t len);

#endif
