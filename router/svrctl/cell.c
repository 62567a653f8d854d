#include "cell.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct cell cell_of(const json_t *value)
{
    const char *s = json_string_value(value);
    struct cell c = {"-"};

    if (s != NULL)
        text_escape(c.text, sizeof c.text, s, strlen(s));
    else if (json_is_integer(value))
        snprintf(c.text, sizeof c.text, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
    return c;
}

struct cell cell_get(const json_t *o, const char *key)
{
    return cell_of(json_object_get(o, key));
}

uint64_t cell_number(const json_t *o, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

struct cell cell_duration(uint64_t seconds)
{
    struct cell c;
    uint64_t days = seconds / 86400;
    int len = 0;

    if (days > 0)
        len = snprintf(c.text, sizeof c.text, "%" PRIu64 "d ", days);
    snprintf(c.text + len, sizeof c.text - (size_t)len, "%02u:%02u:%02u",
             (unsigned)(seconds / 3600 % 24), (unsigned)(seconds / 60 % 60),
             (unsigned)(seconds % 60));
    return c;
}

void cell_append(struct cell *list, const char *item)
{
    size_t used = strlen(list->text);
    size_t room = sizeof list->text - used;
    int len =
        snprintf(list->text + used, room, "%s%s", used > 0 ? ", " : "", item);

    if ((size_t)len >= room)
        list->text[used] = '\0';
}

struct cell cell_join(const json_t *list)
{
    struct cell c = {""};
    size_t i;
    json_t *value;

    json_array_foreach(list, i, value)
    {
        cell_append(&c, cell_of(value).text);
    }
    return c;
}
