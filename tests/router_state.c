#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "svrd/random.h"
#include "svrd/state.h"

static char directory[64];
static char path[128], key_path[128];

static void start(void)
{
    snprintf(directory, sizeof directory, "/tmp/svr-state-XXXXXX");
    cr_assert_neq(mkdtemp(directory), NULL);
    snprintf(path, sizeof path, "%s/r1.boot", directory);
    snprintf(key_path, sizeof key_path, "%s/r1.recovery.key", directory);
    cr_assert_neq(freopen("/dev/null", "w", stderr), NULL);
}

static void finish(void)
{
    unlink(path);
    unlink(key_path);
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

static void write_key(size_t len, mode_t mode, uint8_t byte)
{
    uint8_t bytes[64];
    FILE *out;

    unlink(key_path);
    out = fopen(key_path, "w");
    memset(bytes, byte, sizeof bytes);
    fwrite(bytes, 1, len, out);
    fclose(out);
    chmod(key_path, mode);
}

static int get_key(uint8_t key[SVR_KEY_SIZE])
{
    svr_random random = random_system();

    return state_recovery_key(key, &random, directory, "r1");
}

Test(router_state, refuses_a_key_that_is_none_and_leaves_it, .init = start,
     .fini = finish)
{
    static const struct {
        size_t len;
        mode_t mode;
        uint8_t byte;
    } rows[] = {
        {0, 0600, 1},  {1, 0600, 1},  {31, 0600, 1}, {33, 0600, 1},
        {64, 0600, 1}, {32, 0600, 0}, {32, 0604, 1}, {32, 0620, 1},
        {32, 0640, 1}, {32, 0666, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t key[SVR_KEY_SIZE] = {77};
        struct stat st;

        write_key(rows[i].len, rows[i].mode, rows[i].byte);
        cr_expect_lt(get_key(key), 0, "row %zu", i);
        cr_expect_eq(key[0], 77, "row %zu", i);
        cr_assert_eq(stat(key_path, &st), 0);
        cr_expect_eq((size_t)st.st_size, rows[i].len);
    }
    write_key(32, 0600, 1);
    uint8_t key[SVR_KEY_SIZE];
    cr_expect_eq(get_key(key), 0, "the control");
    if (geteuid() == 0) {
        cr_assert_eq(chown(key_path, 12345, (gid_t)-1), 0);
        cr_expect_lt(get_key(key), 0, "another user's");
    }
}

Test(router_state, refuses_a_key_that_is_no_file, .init = start, .fini = finish)
{
    uint8_t key[SVR_KEY_SIZE];

    cr_assert_eq(symlink("/dev/zero", key_path), 0);
    cr_expect_lt(get_key(key), 0);
    unlink(key_path);
    cr_assert_eq(mkfifo(key_path, 0600), 0);
    cr_expect_lt(get_key(key), 0);
    unlink(key_path);
    cr_assert_eq(mkdir(key_path, 0700), 0);
    cr_expect_lt(get_key(key), 0);
    rmdir(key_path);
    svr_random random = random_system();
    cr_expect_lt(state_recovery_key(key, &random, "/dev/null/x", "r1"), 0);
    cr_expect_lt(state_recovery_key(key, &random, "/proc", "r1"), 0);
}

Test(router_state, draws_a_key_once_and_keeps_it, .init = start, .fini = finish)
{
    uint8_t first[SVR_KEY_SIZE], second[SVR_KEY_SIZE], other[SVR_KEY_SIZE];
    struct stat st;

    umask(0);
    cr_assert_eq(get_key(first), 0);
    cr_assert_eq(stat(key_path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600);
    cr_assert_eq(get_key(second), 0);
    cr_expect_arr_eq(first, second, SVR_KEY_SIZE);
    unlink(key_path);
    cr_assert_eq(get_key(other), 0);
    cr_expect_neq(memcmp(first, other, SVR_KEY_SIZE), 0);
}

/* What a crash in the middle left is in nobody's way. */
Test(router_state, writes_over_what_a_crash_left, .init = start, .fini = finish)
{
    char left[sizeof key_path + 4];
    uint8_t key[SVR_KEY_SIZE];
    struct stat st;

    snprintf(left, sizeof left, "%s.new", key_path);
    fclose(fopen(left, "w"));
    chmod(left, 0666);
    cr_assert_eq(get_key(key), 0);
    cr_assert_eq(stat(key_path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600);
    cr_expect_lt(stat(left, &st), 0);
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
