/*
 * paths - reads a topology and queries as in paths.txt and prints the vectors
 * that are chosen, best first, with their figures, and of those that would have
 * come first without conditions why they were refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svr/path.h>

enum { MOST = 64, BEST = 8 };

/* Of routers, pathways, vectors and services alike: a name has one number. */
static char names[MOST][16];
static size_t name_count;
static const char *routers[MOST];
static svr_path_edge edges[MOST];
static svr_path_instance instances[MOST];
static svr_topology topology = {
    .routers = routers, .edges = edges, .instances = instances};
static uint32_t index_memory[16 * MOST];

static uint32_t number_of(const char *name)
{
    size_t i = 0;

    while (i < name_count && strcmp(names[i], name) != 0)
        i++;
    if (i == name_count) {
        if (++name_count == MOST)
            exit(1);
        snprintf(names[i], sizeof(names[i]), "%s", name);
    }
    return (uint32_t)i;
}

static void read_pathway(const char *line)
{
    char from[16], to[16], name[16], vector[16];
    double latency, jitter, loss;
    unsigned capacity;
    uint32_t n = (uint32_t)topology.edge_count;

    if (sscanf(line, "pathway %15s %15s %15s %15s %lf %lf %lf %u", from, to,
               name, vector, &latency, &jitter, &loss, &capacity) != 8 ||
        n + 2 > MOST)
        exit(1);
    for (uint32_t back = 0; back < 2; back++)
        edges[n + back] = (svr_path_edge){
            .name = names[number_of(name)],
            .from = number_of(back ? to : from),
            .to = number_of(back ? from : to),
            .link = n,
            .latency_us = (uint32_t)(latency * 1000),
            .jitter_us = (uint32_t)(jitter * 1000),
            .loss_ppm = (uint32_t)(loss * 10000 + 0.5),
            .capacity = capacity,
            .vector = (uint16_t)number_of(vector),
            .up = true,
        };
    topology.edge_count += 2;
}

static void read_service(const char *line)
{
    char name[16], at[16];
    svr_path_instance *i = &instances[topology.instance_count++];

    if (sscanf(line, "service %15s %15s %u", name, at, &i->capacity) != 3)
        exit(1);
    i->service = number_of(name);
    i->router = number_of(at);
}

static void print_vector(const char *mark, const svr_vector *v)
{
    printf("  %s", mark);
    for (uint32_t i = 0; i < v->hops; i++)
        printf("%s -%s-> ", routers[edges[v->edges[i]].from],
               edges[v->edges[i]].name);
    printf("%s: %.1f ms, jitter %.1f ms, loss %.2f %%, MOS %.2f, room %u",
           routers[v->router], (double)v->latency_us / 1000,
           (double)v->jitter_us / 1000, v->loss_ppm / 1e4, v->mos / 1e3,
           v->room);
    if (v->reason != SVR_PATH_REASON_NONE)
        printf(": %s (%llu, limit %llu)", svr_path_reason_text(v->reason),
               (unsigned long long)v->value, (unsigned long long)v->bound);
    putchar('\n');
}

static void answer(const svr_path_query *q)
{
    void *scratch = malloc(svr_path_scratch_size(&topology, q));
    svr_vector v[BEST];
    svr_path_note note;
    ptrdiff_t count = svr_path_find(&topology, q, v, BEST, &note, scratch);

    if (note.best_effort)
        puts("  nothing meets the conditions; best effort:");
    for (ptrdiff_t i = 0; i < count; i++)
        print_vector("", &v[i]);
    count = svr_path_explain(&topology, q, v, BEST, NULL, scratch);
    for (ptrdiff_t i = 0; i < count; i++)
        if (v[i].reason != SVR_PATH_REASON_NONE)
            print_vector("not ", &v[i]);
    free(scratch);
}

/* Those that are not named are not allowed. */
static size_t rank_vectors(char *list, uint16_t *priorities)
{
    uint16_t next = 1;

    memset(priorities, 0xff, MOST * sizeof(*priorities)); /* never */
    for (char *end; list; list = end) {
        if ((end = strchr(list, ',')))
            *end++ = '\0';
        priorities[number_of(list)] = next++;
    }
    return MOST;
}

static void read_query(char *line)
{
    uint16_t priorities[MOST];
    svr_path_query q;

    fputs(line, stdout);
    svr_path_query_init(&q);
    q.priorities = priorities;
    strtok(line, " \n");
    q.from = number_of(strtok(NULL, " \n"));
    q.service = number_of(strtok(NULL, " \n"));
    for (char *word; (word = strtok(NULL, " =\n"));) {
        char *value = strtok(NULL, " \n");
        q.quality_filter |= strncmp(word, "max-", 4) == 0;
        if (strcmp(word, "max-latency") == 0)
            q.max_latency_us = (uint32_t)(atof(value) * 1000);
        else if (strcmp(word, "max-loss") == 0)
            q.max_loss_ppm = (uint32_t)(atof(value) * 10000 + 0.5);
        else if (strcmp(word, "count") == 0)
            q.count = (uint32_t)atoi(value);
        else
            q.priority_count = rank_vectors(value, priorities);
    }
    answer(&q);
}

int main(void)
{
    char line[256];

    for (size_t i = 0; i < MOST; i++)
        routers[i] = names[i];
    topology.router_count = MOST;
    while (fgets(line, sizeof(line), stdin)) {
        if (strncmp(line, "pathway ", 8) == 0)
            read_pathway(line);
        else if (strncmp(line, "service ", 8) == 0)
            read_service(line);
        else if (strncmp(line, "query ", 6) == 0 &&
                 svr_topology_index(&topology, index_memory) == 0)
            read_query(line);
    }
    return 0;
}
