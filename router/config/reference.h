/*
 * reference.h - what the writers of the reference pages share: the walk
 * over the schema, and the words for what a key takes.
 */
#ifndef SVR_ROUTER_CONFIG_REFERENCE_H
#define SVR_ROUTER_CONFIG_REFERENCE_H

#include "schema.h"

#include <stdio.h>

/* Calls visit for the root and every mapping below it, each before what it
 * contains. path is where it stands: "routers.NAME.interfaces.NAME"; empty for
 * the root. */
void reference_walk(void (*visit)(FILE *out, const struct schema_mapping *m,
                                  const char *path),
                    FILE *out);

/* "list of addresses, at most 32"; words of the file in backticks. */
void reference_value(FILE *out, const struct schema_key *key);
/* "required", "`1500`", or what holds without the key. */
void reference_default(FILE *out, const struct schema_key *key);
/* An outline of the whole file in YAML, each line after the indentation. */
void reference_outline(FILE *out, const char *indentation);

#endif
