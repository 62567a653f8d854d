/*
 * session_diagram - the table of lib/session/hop.c, for docs/sessions.md.
 *
 *   session_diagram dot        the states and what leads from one to another,
 *                              for Graphviz
 *   session_diagram markdown   every state and event
 */
#include "session/hop.h"

#include <stdio.h>
#include <string.h>

static const struct {
    unsigned action;
    const char *text;
} actions[] = {
    {SVR_SESSION_ADD_METADATA, "add metadata"},
    {SVR_SESSION_ADD_HEALTH, "add a health request"},
    {SVR_SESSION_SEND_METADATA, "send metadata"},
    {SVR_SESSION_SEND_KEEP_ALIVE, "send a keep-alive"},
    {SVR_SESSION_SEND_HEALTH_ANSWER, "send a health answer"},
    {SVR_SESSION_END, "end"},
    {SVR__HOP_NUMBER, "next number"},
    {SVR__HOP_OWE_ECHO, "owe an echo"},
    {SVR__HOP_OWE, "owe an answer"},
    {SVR__HOP_PAY, "owe nothing"},
};

static void print_actions(const svr__hop_rule *rule, const char *before)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        bool covered = actions[i].action == SVR__HOP_OWE &&
                       (rule->actions & SVR__HOP_OWE_ECHO);
        if (!(rule->actions & actions[i].action) || covered)
            continue;
        printf("%s%s", before, actions[i].text);
        before = ", ";
    }
}

/* One arrow for all events that lead from a state to another. */
static void print_arrow(enum svr_hop_state from, enum svr_hop_state to)
{
    bool found = false;
    for (int e = 0; e < SVR__HOP_EVENTS; e++) {
        enum svr__hop_event event = (enum svr__hop_event)e;
        if (svr__hop_rule_for(from, event)->next != to)
            continue;
        if (!found)
            printf("    %s -> %s [label=\"", svr__hop_state_name(from),
                   svr__hop_state_name(to));
        printf("%s%s", found ? "\\n" : "", svr__hop_event_name(event));
        found = true;
    }
    if (found)
        puts("\"];");
}

static void print_dot(void)
{
    puts("digraph hop {\n"
         "    rankdir=LR;\n"
         "    node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
         "    edge [fontname=\"sans-serif\", fontsize=10];\n"
         "    opener, answerer [shape=plaintext, style=\"\"];\n"
         "    opener -> offering;\n"
         "    answerer -> answering;");
    for (int from = SVR_HOP_OFFERING; from < SVR_HOP_STATES; from++)
        for (int to = SVR_HOP_OFFERING; to < SVR_HOP_STATES; to++)
            if (from != to)
                print_arrow((enum svr_hop_state)from, (enum svr_hop_state)to);
    puts("}");
}

static void print_cell(enum svr_hop_state state, enum svr__hop_event event)
{
    const svr__hop_rule *rule = svr__hop_rule_for(state, event);
    bool moves = rule->next != state;
    if (moves)
        printf("**%s**", svr__hop_state_name((enum svr_hop_state)rule->next));
    print_actions(rule, moves ? ": " : "");
    if (!moves && !rule->actions)
        printf("-");
    printf(" |");
}

static void print_markdown(void)
{
    printf("| event | what has happened |");
    for (int state = SVR_HOP_OFFERING; state < SVR_HOP_STATES; state++)
        printf(" %s |", svr__hop_state_name((enum svr_hop_state)state));
    puts("\n|---|---|---|---|---|---|");
    for (int e = 0; e < SVR__HOP_EVENTS; e++) {
        enum svr__hop_event event = (enum svr__hop_event)e;
        printf("| %s | %s |", svr__hop_event_name(event),
               svr__hop_event_text(event));
        for (int state = SVR_HOP_OFFERING; state < SVR_HOP_STATES; state++) {
            printf(" ");
            print_cell((enum svr_hop_state)state, event);
        }
        puts("");
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "dot") == 0) {
        print_dot();
    } else if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
        print_markdown();
    } else {
        fputs("usage: session_diagram dot|markdown\n", stderr);
        return 2;
    }
    return 0;
}
