/*
 * exchange.pml - the key exchange between routers (S12.3), against somebody
 * who owns the network: who hears all, keeps all, sends anything to anybody,
 * and is a router of the authority himself.
 *
 * East and west are honest; each begins one run, with the other or with the
 * attacker, and answers whoever asks. The attacker's name is pinned with a key
 * of his own (COPIED 0) or with east's (1): nobody checks that who claims a
 * public key has the private one. Cryptography is perfect: who does not know
 * one of the two ephemeral secrets of a run cannot open or make what is sealed
 * in it, and who has not got the private key cannot sign. Signatures that the
 * attacker has come to see he can use again.
 *
 *   BOUND   1: what is signed, and the keys, hang on both names and identities
 *   FRESH   1: what is signed names both ephemeral keys
 * With 0 a rule is left out, to show that it is needed and would be missed.
 *
 * docs/verification.md tells what is shown.
 */
#ifndef COPIED
#define COPIED 0
#endif
#ifndef BOUND
#define BOUND 1
#endif
#ifndef FRESH
#define FRESH 1
#endif

#define EAST 0
#define WEST 1
#define THIRD 2 /* the attacker */
#define NOBODY 3

/* Ephemeral keys: of the run that east or west begins, the attacker's, and from
 * here on of each answer. */
#define HIS 2
#define FIRST_ANSWER 3
#define ANSWERS 3

#define public(name) ((name) == THIRD && COPIED -> EAST : (name))

mtype = { NONE, STARTED, FINISHING, USED };

/* The run that east or west begins; its ephemeral key has the router's number.
 */
typedef Run {
    mtype state = NONE;
    byte with = NOBODY;
    byte theirs; /* the other ephemeral key, from FINISHING on */
};

/* An answer that east or west has given. The router keeps nothing of it until
 * FINISH comes: this is what it says. */
typedef Answer {
    bool given;
    byte by, to;
    byte first; /* the initiator's ephemeral key */
    bool agreed;
};

Run begun[2];
Answer answer[ANSWERS];

/* Signatures that the attacker has seen, of answers to him and of runs that
 * ended at him: by whom, and between whom. */
typedef Seen {
    bool answer[4]; /* [to] with HIS first; the other key is that of the answer,
                       which is never asked for again */
    bool finish[4]; /* [with] with HIS second */
};
Seen seen[2];

/* Whether the attacker can sign for a name, in an ANSWER to `to` that follows
 * its START, or in a FINISH for `to`. What he has seen names other ephemeral
 * keys than any other run has. */
#define owns(name) ((name) == THIRD && !COPIED)
#define saw(who, part) \
    (seen[public(who)].part[EAST] || seen[public(who)].part[WEST] || \
     seen[public(who)].part[THIRD])
#define any(who, part, other) \
    (BOUND -> seen[public(who)].part[other] : saw(who, part))
#define again_answer(who, other) \
    (!FRESH && public(who) < THIRD && any(who, answer, other))
#define again_finish(who, other) \
    (!FRESH && public(who) < THIRD && any(who, finish, other))

/* What both hold once the initiator of run r has taken answer a, and after
 * that. */
#define matches(r, a) \
    (answer[a].first == r && begun[r].theirs == FIRST_ANSWER + a)
#define same_pair(r, a) \
    (!BOUND || (answer[a].to == r && begun[r].with == answer[a].by))

inline begin(r)
{
    atomic {
        begun[r].state == NONE ->
        begun[r].state = STARTED;
        if
        :: begun[r].with = 1 - r
        :: begun[r].with = THIRD
        fi
    }
}

/* Anybody can make a START that fits a pair: what it takes is public. */
inline ask(r, a)
{
    atomic {
        !answer[a].given ->
        answer[a].given = true;
        answer[a].by = r;
        if
        :: answer[a].to = 1 - r
        :: answer[a].to = THIRD
        fi;
        if
        :: begun[EAST].state != NONE -> answer[a].first = EAST
        :: begun[WEST].state != NONE -> answer[a].first = WEST
        :: answer[a].first = HIS; /* he opens what comes back */
           seen[r].answer[answer[a].to] = true
        fi
    }
}

/* The initiator takes an answer of east's or west's, wherever it comes from. */
inline take_answer(r, a)
{
    atomic {
        begun[r].state == STARTED && answer[a].given && answer[a].first == r &&
        public(answer[a].by) == public(begun[r].with) &&
        (!BOUND || (answer[a].to == r && answer[a].by == begun[r].with)) ->
        begun[r].state = FINISHING;
        begun[r].theirs = FIRST_ANSWER + a;
        assert(begun[r].with == THIRD ||
               (answer[a].by == begun[r].with && answer[a].to == r))
    }
}

/* Or one of the attacker's, who then opens its FINISH. */
inline take_made_answer(r)
{
    atomic {
        begun[r].state == STARTED &&
        (owns(begun[r].with) || again_answer(begun[r].with, r)) ->
        assert(begun[r].with == THIRD);
        begun[r].state = FINISHING;
        begun[r].theirs = HIS;
        seen[r].finish[begun[r].with] = true
    }
}

/* The responder takes a FINISH. Both now hold one key, and must mean each
 * other. */
inline take_finish(r, a)
{
    atomic {
        answer[a].given && !answer[a].agreed && begun[r].state != NONE &&
        begun[r].state != STARTED && matches(r, a) &&
        public(answer[a].to) == public(r) && same_pair(r, a) ->
        answer[a].agreed = true;
        assert(answer[a].to == r && begun[r].with == answer[a].by)
    }
}

inline take_made_finish(a)
{
    atomic {
        answer[a].given && !answer[a].agreed && answer[a].first == HIS &&
        (owns(answer[a].to) || again_finish(answer[a].to, answer[a].by)) ->
        answer[a].agreed = true;
        assert(answer[a].to == THIRD)
    }
}

/* CONFIRM: who uses a key with an honest router knows that this one has it. */
inline take_confirm(r, a)
{
    atomic {
        begun[r].state == FINISHING && answer[a].agreed && matches(r, a) ->
        begun[r].state = USED;
        assert(begun[r].with == THIRD ||
               (answer[a].by == begun[r].with && answer[a].to == r))
    }
}

inline take_made_confirm(r)
{
    atomic {
        begun[r].state == FINISHING && begun[r].theirs == HIS ->
        begun[r].state = USED;
        assert(begun[r].with == THIRD)
    }
}

init
{
    byte a;

end:
    do
    :: begin(EAST)
    :: begin(WEST)
    :: atomic { a = 0; do :: a < ANSWERS - 1 -> a++ :: break od }
    :: ask(EAST, a)
    :: ask(WEST, a)
    :: take_answer(EAST, a)
    :: take_answer(WEST, a)
    :: take_made_answer(EAST)
    :: take_made_answer(WEST)
    :: take_finish(EAST, a)
    :: take_finish(WEST, a)
    :: take_made_finish(a)
    :: take_confirm(EAST, a)
    :: take_confirm(WEST, a)
    :: take_made_confirm(EAST)
    :: take_made_confirm(WEST)
    od
}
