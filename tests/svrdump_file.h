/*
 * svrdump_file.h - capture files in memory, and svrdump over them, for its
 * tests.
 */
#ifndef SVR_TESTS_SVRDUMP_FILE_H
#define SVR_TESTS_SVRDUMP_FILE_H

#include "svrdump/svrdump.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define COOKIE "4c48dbc6ddf6670c"
#define PAYLOAD_MAX 1400
#define FRAME_MAX 1600

/* A number below limit, the same in each run of the program. */
size_t draw_below(size_t limit);

struct bytes {
    uint8_t data[64 * 1024];
    size_t len;
};

void put(struct bytes *b, const void *data, size_t len);
/* Blanks are skipped. Returns the number of bytes. */
size_t from_hex(uint8_t *buf, const char *hex);

/* A file header of pcap with nanoseconds, in the order of this machine. */
void begin_capture(struct bytes *file, uint32_t datalink);
/* Frames are of 2023-11-14 22:13:20.123456789 UTC. */
void add_frame(struct bytes *file, const uint8_t *frame, size_t len);
void add_frame_at(struct bytes *file, uint32_t sec, const uint8_t *frame,
                  size_t len);
void add_cut_frame(struct bytes *file, const uint8_t *frame, size_t captured,
                   size_t len);

svr_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
svr_tuple waypoints(void);
svr_span span(const char *text);

/* An IP and UDP or TCP packet around a payload; returns its length. */
size_t make_packet(uint8_t *out, const svr_tuple *t, const uint8_t *payload,
                   size_t len);
svr_metadata forward_metadata(void);
/* One with metadata in front of the payload. */
size_t make_metadata_packet(uint8_t *out, const svr_tuple *t,
                            const svr_metadata *md, const char *data);
/* Between waypoints(), with forward_metadata(). */
size_t make_forward_packet(uint8_t *out, const char *data);

/* NULL: libpcap refuses the file. */
pcap_t *open_capture(const struct bytes *file);
/* Runs svrdump over a file; the caller frees what it printed. NULL: it refused
 * the file. */
char *dump(const struct bytes *file, const struct dump_options *options);
/* The only frame of a raw IP capture, as JSON; the caller releases it. */
json_t *dump_one(const uint8_t *packet, size_t captured, size_t len);

/* The frames of a capture as a list of JSON; the caller releases it. */
json_t *dump_list(const struct bytes *file, const struct dump_options *options);
/* The text at the end of the path "member.member", or "" where there is none.
 */
const char *text_at(const json_t *frame, const char *path);

/* Its metadata's status, "none" without. */
const char *status_of(const json_t *frame);
/* Why that is malformed, or "". */
const char *reason_of(const json_t *frame);

bool is_printable(const char *text);
size_t count_lines(const char *text);
/* Every line is a JSON document; the text is taken apart. */
void check_json_lines(char *text);
/* Changes some of the file's bytes, and perhaps cuts it off. */
void mutate(struct bytes *file);

#endif
