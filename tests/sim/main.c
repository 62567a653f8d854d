/*
 * sim - simulated networks of routers, from seeds, in virtual time.
 *
 * Each seed is a network, hosts that talk through it, and faults. What must
 * hold is checked all the time (docs/verification.md); the first thing that
 * does not is printed with the events before it and the command that repeats
 * it.
 */
#include "world.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct request {
    struct world_options world;
    uint64_t first, last;
    unsigned minutes; /* 0: until the last seed */
    bool repeat, controls, rows;
    const char *program, *faults;
};

static const char *const plan_names[] = {
    [PLAN_RESTART] = "--restart",
    [PLAN_CROWD] = "--crowd",
    [PLAN_DAYS] = "--days",
    [PLAN_VECTORS] = "--vectors",
};

static void usage(FILE *out)
{
    fputs("usage: sim [--seed N | --seeds A-B] [--minutes N] [--log]\n"
          "           [--faults LIST | none] [--routers N] [--sessions N]\n"
          "           [--repeat] [--encrypt CIPHER]\n"
          "           [--restart | --crowd | --days N | --vectors | --rows | "
          "--row NAME]\n"
          "       sim --controls\n\n"
          "  --seed N       one network\n"
          "  --seeds A-B    many, one after the other\n"
          "  --minutes N    as many from the first seed on as fit into that "
          "time\n"
          "  --repeat       each twice: both must be the same to the byte\n"
          "  --encrypt CIPHER\n"
          "                 all metadata and payloads are encrypted\n"
          "  --log          every event to stdout\n"
          "  --faults LIST  only these, with commas between:\n",
          out);
    for (int i = 0; i < FAULT_KINDS; i++)
        fprintf(out, "                 %-12s %s\n", fault_names[i],
                fault_texts[i]);
    fputs("  --routers N, --sessions N\n"
          "                 how many, whatever the seed says\n"
          "  --restart      2,000 sessions over three routers, each of which "
          "dies\n"
          "                 for a second in turn: 99 % go on\n"
          "  --crowd        200 routers with 100,000 sessions\n"
          "  --days N       few sessions and faults in that many days\n"
          "  --vectors      500 routers whose services choose vectors, while "
          "lines and\n"
          "                 routers fail and heal\n"
          "  --rows         one fault of a link after the other, under "
          "policies\n"
          "  --row NAME     one of these\n"
          "  --controls     whether mistakes that are planted are found\n",
          out);
}

static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "sim: %s: %s\n", what, value);
    exit(2);
}

static uint64_t number(const char *text, char **end)
{
    char *mine;
    uint64_t n = strtoull(text, &mine, 10);

    if (mine == text || (!end && *mine))
        refuse("no number", text);
    if (end)
        *end = mine;
    return n;
}

static void read_seeds(struct request *r, const char *text)
{
    char *rest;

    r->first = number(text, &rest);
    if (*rest != '-')
        refuse("no range of seeds", text);
    r->last = number(rest + 1, NULL);
}

static unsigned read_faults(const char *text)
{
    unsigned bits = 0;

    if (strcmp(text, "none") == 0)
        return 0;
    while (*text) {
        size_t len = strcspn(text, ",");
        int i = 0;
        while (i < FAULT_KINDS && (strncmp(fault_names[i], text, len) != 0 ||
                                   fault_names[i][len] != '\0'))
            i++;
        if (i == FAULT_KINDS)
            refuse("no such fault", text);
        bits |= 1u << i;
        text += len + (text[len] == ',');
    }
    return bits;
}

static const struct row *find_row(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    refuse("no such row", name);
    return NULL;
}

static void set_row(struct world_options *o, const struct row *row)
{
    o->plan = PLAN_ROW;
    o->row = row;
}

static bool read_options(struct request *r, int argc, char **argv)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'S'},
        {"minutes", required_argument, NULL, 'm'},
        {"log", no_argument, NULL, 'l'},
        {"faults", required_argument, NULL, 'f'},
        {"routers", required_argument, NULL, 'r'},
        {"sessions", required_argument, NULL, 'n'},
        {"repeat", no_argument, NULL, 'R'},
        {"restart", no_argument, NULL, 't'},
        {"crowd", no_argument, NULL, 'c'},
        {"days", required_argument, NULL, 'd'},
        {"vectors", no_argument, NULL, 'v'},
        {"rows", no_argument, NULL, 'L'},
        {"row", required_argument, NULL, 'M'},
        {"encrypt", required_argument, NULL, 'e'},
        {"controls", no_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (c) {
        case 's':
            r->first = r->last = number(optarg, NULL);
            break;
        case 'S':
            read_seeds(r, optarg);
            break;
        case 'm':
            r->minutes = (unsigned)number(optarg, NULL);
            r->last = UINT64_MAX;
            break;
        case 'l':
            r->world.log = true;
            break;
        case 'f':
            r->faults = optarg;
            r->world.faults = read_faults(optarg);
            break;
        case 'r':
            r->world.routers = number(optarg, NULL);
            break;
        case 'n':
            r->world.sessions = number(optarg, NULL);
            break;
        case 'R':
            r->repeat = true;
            break;
        case 't':
            r->world.plan = PLAN_RESTART;
            break;
        case 'c':
            r->world.plan = PLAN_CROWD;
            break;
        case 'd':
            r->world.plan = PLAN_DAYS;
            r->world.days = (unsigned)number(optarg, NULL);
            break;
        case 'v':
            r->world.plan = PLAN_VECTORS;
            break;
        case 'L':
            r->rows = true;
            break;
        case 'M':
            set_row(&r->world, find_row(optarg));
            break;
        case 'e':
            r->world.cipher = optarg;
            break;
        case 'C':
            r->controls = true;
            break;
        case 'h':
            usage(stdout);
            exit(0);
        default:
            return false;
        }
    return optind == argc;
}

static void tell_repetition(const struct request *r)
{
    fprintf(stderr, "repeat with: %s --seed %" PRIu64, r->program,
            r->world.seed);
    if (r->world.row)
        fprintf(stderr, " --row %s", r->world.row->name);
    else if (r->world.plan != PLAN_SEED)
        fprintf(stderr, " %s", plan_names[r->world.plan]);
    if (r->world.days)
        fprintf(stderr, " %u", r->world.days);
    if (r->world.routers)
        fprintf(stderr, " --routers %zu", r->world.routers);
    if (r->world.sessions)
        fprintf(stderr, " --sessions %zu", r->world.sessions);
    if (r->world.cipher)
        fprintf(stderr, " --encrypt %s", r->world.cipher);
    if (r->faults)
        fprintf(stderr, " --faults %s", r->faults);
    fprintf(stderr, " --log\n");
}

/* Whether both runs of a seed are the same. */
static bool is_repeatable(const struct world_options *options, uint64_t hash)
{
    struct world_options again = *options;
    struct tally tally;
    uint64_t second;

    again.quiet = true;
    again.log = false;
    return world_run(&again, &second, &tally) && second == hash;
}

static bool run(const struct request *r)
{
    struct tally tally;
    uint64_t hash;
    bool ok = world_run(&r->world, &hash, &tally);

    if (ok && r->repeat && !is_repeatable(&r->world, hash)) {
        fprintf(stderr, "seed %" PRIu64 " is not the same twice\n",
                r->world.seed);
        ok = false;
    }
    if (!ok)
        tell_repetition(r);
    return ok;
}

/* How many of them are wrong. */
static unsigned run_rows(struct request *r)
{
    unsigned wrong = 0;

    for (int i = 0; i < ROWS; i++) {
        set_row(&r->world, &rows[i]);
        printf("%s: %s\n", rows[i].name, rows[i].text);
        wrong += !run(r);
    }
    return wrong;
}

/* A planted mistake is found in some of the first seeds. */
static bool finds(enum plant plant)
{
    struct world_options o = {
        .plant = plant,
        .faults = plant == PLANT_UNSIGNED ? 1u << FAULT_CORRUPT
                  : plant == PLANT_STAYS  ? 1u << FAULT_DOWN
                                          : 0,
        .cipher = plant == PLANT_CLEAR ? "chacha20-poly1305" : NULL,
        .quiet = true,
    };
    struct tally tally;
    uint64_t hash;

    for (o.seed = 1; o.seed <= 40; o.seed++)
        if (!world_run(&o, &hash, &tally) ||
            (plant == PLANT_CHANCE && !is_repeatable(&o, hash)))
            return true;
    return false;
}

static int controls(void)
{
    int missed = 0;

    for (int i = PLANT_NONE; i < PLANTS; i++) {
        bool found = finds((enum plant)i);
        bool right = found == (i != PLANT_NONE);
        printf("%-10s %s%s\n", plant_names[i], found ? "found" : "not found",
               right ? "" : ": WRONG");
        missed += !right;
    }
    return missed != 0;
}

int main(int argc, char **argv)
{
    struct request r = {.world = {.faults = (1u << FAULT_KINDS) - 1},
                        .first = 1,
                        .last = 1,
                        .program = argv[0]};
    time_t begin = time(NULL);
    uint64_t failed = 0;

    if (!read_options(&r, argc, argv)) {
        usage(stderr);
        return 2;
    }
    if (r.controls)
        return controls();
    if (r.world.plan == PLAN_CROWD) {
        if (!r.world.routers)
            r.world.routers = 200;
        if (!r.world.sessions)
            r.world.sessions = 100000;
    }
    if (r.world.plan == PLAN_VECTORS && !r.world.routers)
        r.world.routers = 500;
    for (uint64_t seed = r.first; seed <= r.last; seed++) {
        r.world.seed = seed;
        failed += r.rows ? run_rows(&r) : !run(&r);
        if (r.minutes && time(NULL) - begin >= (time_t)r.minutes * 60)
            break;
    }
    if (failed)
        fprintf(stderr, "%" PRIu64 " seeds failed\n", failed);
    return failed != 0;
}
