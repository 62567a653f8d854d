/*
 * read.h - the file's values, checked one by one against the schema but
 * not yet against each other.
 */
#ifndef SVR_ROUTER_CONFIG_READ_H
#define SVR_ROUTER_CONFIG_READ_H

#include "arena.h"
#include "report.h"
#include "schema.h"

#include <svr/svr.h>
#include <yaml.h>

/*
 * One value of the file. A mapping's items are the values of its keys in the
 * schema's order, all of them, given or not. A list's items are its entries; so
 * are those of a mapping from names, whose text is their name.
 */
struct value {
    const struct schema_key *key;
    const char *text; /* a scalar as it was written, or an entry's name; lives
                         as long as the YAML document */
    struct mark at;
    bool given;  /* by the file; else it is the default, or nothing */
    bool broken; /* a problem was found in it or below it: what depends on it
                    cannot be judged */
    bool lost;   /* some of its entries or keys are missing for a problem: what
                    is not among them may still be meant */
    union {
        uint64_t number;   /* also durations, words, booleans, protocols */
        svr_prefix prefix; /* also addresses */
        uint8_t mac[6];
        uint8_t identity[SVR_IDENTITY_SIZE];
        struct {
            uint16_t first, last;
        } ports;
        struct {
            struct value *items;
            const struct value **sorted; /* by name; NULL for lists of mappings
                                          */
            size_t count;
        };
    };
};

/* Parses all of data. False if there was a problem; else *doc must be given
 * back with yaml_document_delete. */
bool read_document(yaml_document_t *doc, struct report *report,
                   const char *data, size_t len);

/* Reads the document's values into *root. False where reading stopped, for want
 * of memory or because the report is full; *root is then incomplete. Problems
 * only show in the report. */
bool read_values(struct value *root, yaml_document_t *doc, struct arena *arena,
                 struct report *report);

/* value.c */

/* Leaves out the entries of a list that have no text or could not be read,
 * sorts the rest for value_find, and reports those that occur twice. False
 * where reading must stop. */
bool value_sort(struct value *list, struct arena *arena, struct report *report);

/* The value of a mapping's key. */
static inline const struct value *value_of(const struct value *mapping,
                                           unsigned key)
{
    return &mapping->items[key];
}

/* The entry of that name or text, or NULL. */
const struct value *value_find(const struct value *list, const char *name);
/* Its place in the list; it must be there. */
size_t value_index(const struct value *list, const char *name);
/* The entries' names. */
struct words value_words(const struct value *list);

/* scalar.c */

/* Fills in v from v->text by the type of v->key. On failure a problem was
 * reported. */
bool scalar_read(struct report *report, struct value *v);
/* Whether text is a name: 1 to 63 bytes, no control characters. */
bool scalar_is_name(const char *text);
/* Orders two scalars of one list: 0 where they mean the same. */
int scalar_compare(const struct value *a, const struct value *b);

#endif
