/* svrdump as a command: options, exit codes, messages. SVRDUMP names it. */
#include "svrdump_file.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the program; its status, and the beginning of what it printed, standard
 * error included. */
static int run(char *text, size_t cap, const char *arguments)
{
    char command[512];
    FILE *pipe;
    size_t len;
    int status;

    snprintf(command, sizeof(command), "\"$SVRDUMP\" %s 2>&1", arguments);
    pipe = popen(command, "r");
    cr_assert(pipe);
    len = fread(text, 1, cap - 1, pipe);
    text[len] = '\0';
    status = pclose(pipe);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(svrdump_program, command_line)
{
    static const struct {
        const char *arguments;
        int status;
        const char *text;
    } rows[] = {
        {"--help", 0, "usage: svrdump "},
        {"-h", 0, "usage: svrdump "},
        {"--version", 0, "svrdump " SVR_VERSION "\n"},
        {"", 2, "svrdump: expected -r FILE or -i INTERFACE\nusage: svrdump "},
        {"-q", 2, "usage: svrdump "},
        {"-r", 2, "usage: svrdump "},
        {"-r a -i b", 2, "svrdump: found both -r and -i"},
        {"-c 0 -r a", 2, "svrdump: -c expects a number from 1"},
        {"-c x -r a", 2, "svrdump: -c expects"},
        {"-c -1 -r a", 2, "svrdump: -c expects"},
        {"--keys a -r b", 2, "svrdump: --keys needs --authority"},
        {"-r /no/such/file", 1, "svrdump: /no/such/file: No such file"},
        {"-r /", 1, "svrdump: /: "},
        {"-i no-such-interface", 1, "svrdump: no-such-interface: "},
        {"-r /dev/null", 1, "; expected a pcap or pcapng file"},
        {"-r - </dev/null", 1, "svrdump: -: "},
        {"-r " SOURCE_ROOT "/README.md", 1, "; expected a pcap or pcapng file"},
        {"--authority /no/such/file -r a", 1, "/no/such/file: cannot be read"},
        {"--authority " SOURCE_ROOT "/README.md -r a", 1, "/README.md:"},
        {"--authority " SOURCE_ROOT "/examples/authority.yaml --keys /nowhere "
         "-r a",
         1, "key file \"/nowhere/demo.key\" does not exist; "},
    };
    char text[4096];

    if (!getenv("SVRDUMP"))
        cr_skip("SVRDUMP does not name the program");
    for (size_t i = 0; i < COUNT(rows); i++) {
        cr_expect_eq(run(text, sizeof(text), rows[i].arguments), rows[i].status,
                     "%s: %s", rows[i].arguments, text);
        cr_expect(strstr(text, rows[i].text), "%s: %s", rows[i].arguments,
                  text);
        if (rows[i].status == 1)
            cr_expect_eq(count_lines(text), 1, "%s", text);
    }
}

/* A capture of one packet on disk, whose name is written to `name`; the caller
 * unlinks it. Returns its descriptor. */
static int write_file(char name[32])
{
    static struct bytes file;
    uint8_t packet[FRAME_MAX];
    int fd;

    strcpy(name, "/tmp/svrdump-XXXXXX");
    fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    begin_capture(&file, 101);
    add_frame(&file, packet, make_forward_packet(packet, "hello"));
    cr_assert_eq(write(fd, file.data, file.len), (ssize_t)file.len);
    return fd;
}

Test(svrdump_program, reads_a_file)
{
    char name[32], arguments[128], text[4096];
    int fd;

    if (!getenv("SVRDUMP"))
        cr_skip("SVRDUMP does not name the program");
    fd = write_file(name);
    snprintf(arguments, sizeof(arguments), "-r %s udp port 16385", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect(strstr(text, " tenant staff.corp "), "%s", text);
    snprintf(arguments, sizeof(arguments), "--json -a -v -r %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_eq(text[0], '{', "%s", text);
    snprintf(arguments, sizeof(arguments), "-r - udp port 1 < %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_str_eq(text, "");
    snprintf(arguments, sizeof(arguments), "-r - < %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_eq(count_lines(text), 1, "%s", text);
    cr_assert_eq(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
    snprintf(arguments, sizeof(arguments), "-r %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 1);
    cr_expect(strstr(text, "truncated"), "%s", text);
    close(fd);
    unlink(name);
}

/* Whoever reads its output may go away; a full disk is another matter. */
Test(svrdump_program, output_ends)
{
    char name[32], arguments[128], text[4096];
    int fd, ends[2];

    if (!getenv("SVRDUMP"))
        cr_skip("SVRDUMP does not name the program");
    fd = write_file(name);
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    cr_assert_eq(dup2(ends[1], 9), 9); /* the shell knows one digit */
    signal(SIGPIPE, SIG_IGN);          /* in the program too */
    snprintf(arguments, sizeof(arguments), "-r %s 2>&1 >&9 #", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_str_eq(text, "");
    snprintf(arguments, sizeof(arguments), "-r %s 2>&1 >/dev/full #", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 1);
    cr_expect_str_eq(text,
                     "svrdump: standard output: No space left on device\n");
    close(ends[1]);
    close(fd);
    unlink(name);
}
