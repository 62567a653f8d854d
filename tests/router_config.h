/*
 * router_config.h - what the tests of the authority file share: a small correct
 * file, changes to it, and loading with the report caught.
 */
#ifndef SVR_TESTS_ROUTER_CONFIG_H
#define SVR_TESTS_ROUTER_CONFIG_H

#include "config/config.h"

/* A correct file of two routers, a and b. */
extern const char base_file[];

/* The name that files in memory have in reports. */
#define FILE_NAME "test.yaml"

/* A folder for the test's key files; s.key and t.key in it are good. */
extern char key_folder[];
void folder_make(void);
void folder_remove(void);
/* Writes a file of that folder with the mode. */
void file_write(const char *name, const char *text, unsigned mode);

/* base_file with the first `find` replaced; to be freed. */
char *file_with(const char *find, const char *put);

/* What a load came to. */
struct outcome {
    struct config *config;
    char *report;
};

struct outcome load_text(const char *text, const char *router);
/* A load that must succeed without a word. */
struct config *load_good(const char *text, const char *router);
void outcome_free(struct outcome *o);

/* Nothing that was allocated is lost, as far as a sanitizer can tell. */
void check_leaks(void);

#endif
