#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As long as AFL++ makes them. */
#define INPUT_MAX ((size_t)1 << 20)

/* In a block of its exact size, so that a sanitizer sees each step past it. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len);
    if (!copy)
        abort();
    memcpy(copy, data, len);
    fuzz_one(copy, len);
    free(copy);
}

/* The name comes first, so that it is the last line where an input ends the
 * process. */
static int replay_file(const char *path)
{
    static uint8_t data[INPUT_MAX + 1];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    puts(path);
    size_t len = fread(data, 1, sizeof(data), f);
    fclose(f);
    if (len > INPUT_MAX) {
        fprintf(stderr, "%s: longer than %zu bytes\n", path, INPUT_MAX);
        return -1;
    }
    run(data, len);
    return 1;
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Every file of a folder. Returns how many, or -1. */
static int replay_folder(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, is_visible, alphasort);
    int status = 0;
    if (count < 0)
        perror(path);
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        if (status == 0 && replay_file(name) < 0)
            status = -1;
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status == 0 ? count : -1;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return replay_folder(path);
    return replay_file(path);
}

static int replay_all(char **paths)
{
    int total = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; *paths; paths++) {
        int count = replay(*paths);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1;
}

#ifdef __AFL_FUZZ_TESTCASE_LEN

__AFL_FUZZ_INIT();

static int fuzz(void)
{
    __AFL_INIT();
    const uint8_t *data = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(100000))
        run(data, (size_t)__AFL_FUZZ_TESTCASE_LEN);
    return 0;
}

#else

static int fuzz(void)
{
    fputs("usage: fuzz_TARGET FILE|FOLDER...\n", stderr);
    return 2;
}

#endif

int main(int argc, char **argv)
{
    return argc > 1 ? replay_all(argv + 1) : fuzz();
}
