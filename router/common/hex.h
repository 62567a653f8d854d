/* hex.h - keys as hexadecimal digits, without a branch or a table that a digit
 * decides. */
#ifndef SVR_ROUTER_HEX_H
#define SVR_ROUTER_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len lower-case digits and a terminating zero. */
void hex_encode(char *digits, const uint8_t *bytes, size_t len);

/* Reads 2 * len digits. 0, or the place of the first character that is none,
 * counted from 1; bytes are then partly written. */
size_t hex_decode(uint8_t *bytes, size_t len, const char *digits);

#endif
