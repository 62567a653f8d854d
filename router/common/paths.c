#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *paths_folder(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *name =
        slash != NULL ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
    char *out = name != NULL ? realpath(name, NULL) : NULL;

    free(name);
    return out;
}

char *paths_whole(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    char *folder = paths_folder(file);
    char *out = NULL;

    if (folder != NULL &&
        asprintf(&out, "%s/%s", strcmp(folder, "/") != 0 ? folder : "", name) <
            0)
        out = NULL;
    free(folder);
    return out;
}
