#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "svrd/random.h"
#include "svrd/state.h"

static char directory[64];
static char path[128];

static void start(void)
{
    snprintf(directory, sizeof directory, "/tmp/svr-state-XXXXXX");
    cr_assert_neq(mkdtemp(directory), NULL);
    snprintf(path, sizeof path, "%s/r1.boot", directory);
    cr_assert_neq(freopen("/dev/null", "w", stderr), NULL);
}

static void finish(void)
{
    unlink(path);
    rmdir(directory);
}

static void write_file(const char *text, size_t len)
{
    FILE *out = fopen(path, "w");

    fwrite(text, 1, len, out);
    fclose(out);
}

static void read_file(char *text, size_t cap)
{
    FILE *in = fopen(path, "r");
    size_t len = fread(text, 1, cap - 1, in);

    text[len] = '\0';
    fclose(in);
}

Test(router_state, counts_from_one_and_keeps_it, .init = start, .fini = finish)
{
    char text[32];
    uint32_t boot = 0;

    for (uint32_t i = 1; i <= 3; i++) {
        cr_assert_eq(state_next_boot(&boot, directory, "r1"), 0);
        cr_assert_eq(boot, i);
    }
    read_file(text, sizeof text);
    cr_assert_str_eq(text, "3\n");
}

Test(router_state, makes_the_folder, .init = start, .fini = finish)
{
    uint32_t boot;

    cr_assert_eq(rmdir(directory), 0);
    cr_assert_eq(state_next_boot(&boot, directory, "r1"), 0);
    cr_assert_eq(boot, 1);
}

Test(router_state, takes_what_an_editor_leaves, .init = start, .fini = finish)
{
    uint32_t boot;

    write_file("41", 2);
    cr_assert_eq(state_next_boot(&boot, directory, "r1"), 0);
    cr_assert_eq(boot, 42);
    write_file("4294967294\n", 11);
    cr_assert_eq(state_next_boot(&boot, directory, "r1"), 0);
    cr_assert_eq(boot, UINT32_MAX);
    cr_assert_lt(state_next_boot(&boot, directory, "r1"), 0, "the end");
}

Test(router_state, refuses_a_broken_file_and_leaves_it, .init = start,
     .fini = finish)
{
    static const char *const broken[] = {
        "",      "\n",         "x",
        "-1\n",  "+1\n",       " 1\n",
        "1x\n",  "1\n\n",      "1 2\n",
        "0x1\n", "4294967296", "99999999999999999999999999999999999999999\n",
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char text[64];
        uint32_t boot = 77;

        write_file(broken[i], strlen(broken[i]));
        cr_assert_lt(state_next_boot(&boot, directory, "r1"), 0, "%zu", i);
        cr_assert_eq(boot, 77);
        read_file(text, sizeof text);
        cr_assert_str_eq(text, broken[i]);
    }
    uint32_t boot;
    write_file("1\0"
               "2\n",
               4);
    cr_assert_lt(state_next_boot(&boot, directory, "r1"), 0);
}

Test(router_state, refuses_what_is_not_a_file, .init = start, .fini = finish)
{
    uint32_t boot;

    cr_assert_eq(mkdir(path, 0755), 0);
    cr_assert_lt(state_next_boot(&boot, directory, "r1"), 0);
    cr_assert_eq(rmdir(path), 0);
    cr_assert_lt(state_next_boot(&boot, "/dev/null/x", "r1"), 0);
    cr_assert_lt(state_next_boot(&boot, "/proc", "r1"), 0);
}

Test(router_random, pieces_of_all_sizes_differ)
{
    static uint8_t first[5000], second[5000];
    svr_random random = random_system();

    for (size_t len = 8; len <= sizeof first; len = len * 3 / 2) {
        memset(first, 0, sizeof first);
        memset(second, 0, sizeof second);
        random.fill(random.user, first, len);
        random.fill(random.user, second, len);
        cr_assert_neq(memcmp(first, second, len), 0, "%zu", len);
        for (size_t i = len; i < sizeof first; i++)
            cr_assert_eq(first[i] | second[i], 0);
    }
}
