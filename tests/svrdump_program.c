/* svrdump as a command: options, exit codes, messages. SVRDUMP names it. */
#include "svrdump_file.h"

#include <criterion/criterion.h>
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
        {"", 2, "usage: svrdump "},
        {"-q", 2, "usage: svrdump "},
        {"-r", 2, "usage: svrdump "},
        {"-r a -i b", 2, "usage: svrdump "},
        {"-c 0 -r a", 2, "usage: svrdump "},
        {"-c x -r a", 2, "usage: svrdump "},
        {"-c -1 -r a", 2, "usage: svrdump "},
        {"-r /no/such/file", 1, "svrdump: /no/such/file: No such file"},
        {"-r /", 1, "svrdump: /: "},
        {"-i no-such-interface", 1, "svrdump: no-such-interface: "},
        {"-r /dev/null", 1, "svrdump: /dev/null: "},
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

Test(svrdump_program, program_reads_a_file)
{
    static struct bytes file;
    uint8_t packet[FRAME_MAX];
    char name[] = "/tmp/svrdump-XXXXXX", arguments[128], text[4096];
    int fd;

    if (!getenv("SVRDUMP"))
        cr_skip("SVRDUMP does not name the program");
    fd = mkstemp(name);
    cr_assert_geq(fd, 0);
    begin_capture(&file, 101);
    add_frame(&file, packet, make_forward_packet(packet, "hello"));
    cr_assert_eq(write(fd, file.data, file.len), (ssize_t)file.len);
    snprintf(arguments, sizeof(arguments), "-r %s udp port 16385", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect(strstr(text, " tenant staff.corp "), "%s", text);
    snprintf(arguments, sizeof(arguments), "--json -a -v -r %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_eq(text[0], '{', "%s", text);
    snprintf(arguments, sizeof(arguments), "-r - udp port 1 < %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 0);
    cr_expect_str_eq(text, "");
    cr_assert_eq(ftruncate(fd, (off_t)file.len - 1), 0);
    snprintf(arguments, sizeof(arguments), "-r %s", name);
    cr_expect_eq(run(text, sizeof(text), arguments), 1);
    cr_expect(strstr(text, "truncated"), "%s", text);
    close(fd);
    unlink(name);
}
