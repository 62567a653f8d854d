#include "log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024

static const char *const names[] = {"error", "warn", "info", "debug"};
static enum log_level shown = LOG_LEVEL_INFO;
static FILE *redirected;

bool log_level_find(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    shown = level;
}

void log_redirect(FILE *out)
{
    redirected = out;
}

/* Whatever a name from outside brings along must not start a second line or
 * steer a terminal. */
static void flatten(char *line)
{
    for (; *line != '\0'; line++)
        if ((unsigned char)*line < 0x20 || *line == 0x7f)
            *line = '?';
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_LEN];
    va_list args;

    if (level > shown)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    flatten(line);
    if (redirected != NULL && level == LOG_LEVEL_ERROR)
        fprintf(redirected, "%s\n", line);
    else if (level == LOG_LEVEL_INFO)
        fprintf(stderr, "svrd: %s\n", line);
    else
        fprintf(stderr, "svrd: %s: %s\n", names[level], line);
}
