/* reference.c - writes what is documented of the authority file, at build
 * time: svrd-reference markdown|man|schema. */
#include "config.h"

#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } writers[] = {
        {"markdown", config_write_markdown},
        {"man", config_write_man},
        {"schema", config_write_schema},
    };

    for (size_t i = 0; argc == 2 && i < 3; i++) {
        if (strcmp(argv[1], writers[i].name) != 0)
            continue;
        writers[i].write(stdout);
        return fflush(stdout) != 0 || ferror(stdout);
    }
    fputs("usage: svrd-reference markdown|man|schema\n", stderr);
    return 2;
}
