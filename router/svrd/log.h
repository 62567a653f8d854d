/* log.h - lines for people, on standard error. Never keys or payload. */
#ifndef SVR_ROUTER_LOG_H
#define SVR_ROUTER_LOG_H

#include <stdbool.h>
#include <stdio.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* The level of that name; false where there is none. */
bool log_level_find(const char *name, enum log_level *out);
/* Lines above level are left out; the default is INFO. */
void log_set_level(enum log_level level);

/* Errors go to this stream instead, one a line, until it is NULL again. */
void log_redirect(FILE *out);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
                                                    const char *format, ...);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
