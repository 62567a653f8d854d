#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In a block of its exact size, so that a sanitizer sees each step past it. */
static void run(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, data, len);
    fuzz_one(copy, len);
    free(copy);
}

#ifdef __AFL_FUZZ_TESTCASE_LEN

__AFL_FUZZ_INIT();

int main(void)
{
    __AFL_INIT();
    const uint8_t *data = __AFL_FUZZ_TESTCASE_BUF;
    while (__AFL_LOOP(10000))
        run(data, (size_t)__AFL_FUZZ_TESTCASE_LEN);
    return 0;
}

#else

enum {
    INPUT_MAX = 1 << 20,
};

static int replay_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    run(data, fread(data, 1, sizeof(data), f));
    fclose(f);
    return 0;
}

/* Every file of a folder. Returns how many, or -1. */
static int replay_folder(const char *path)
{
    char name[4096];
    int count = 0;
    DIR *dir = opendir(path);
    if (!dir) {
        perror(path);
        return -1;
    }
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
        if (replay_file(name) < 0)
            return -1;
        count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int count = replay_folder(argv[1]);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}

#endif
