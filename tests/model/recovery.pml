/*
 * recovery.pml - two routers of which either may be started again (S8.2, S8.4,
 * S8.5, S6.10), over a network that loses, repeats and reorders as it likes.
 *
 * One TCP session is established at its ingress I and its egress E, and its
 * hosts go on sending. Set by -D, what may happen, at any time:
 *   RESTARTS  of either router
 *   STRAYS    packets that are answered with control 2
 *   LATE      waits that end before the other's word has come: the 4 s of a
 *             tour, and the 10 s of the quiet time
 *   DENIALS   after a restart, policy refuses the session
 *   FORGED    1: another peer invents reverse metadata
 *   ROUTES    1: the way onward is down at first when E was restarted
 * and what the routers do:
 *   QUIET     1: a restarted router waits for its peers' word
 *   REPEATED  1: resync end stands in every packet behind BFD
 *   NAMED     1: resync end names the start that it is meant for
 *   AWAITED   1: it is said when what was told was echoed
 *   TOKENS    1: reverse metadata builds a session only with a token
 *   SILENT    1: in the quiet time nothing is refused that is only missing
 *   NUMBERED  1: only the echo of an exchange acknowledges it
 * With 0 a rule is left out, to show that it is needed and would be missed.
 *
 * handshake.pml looks closer at the exchanges. docs/verification.md tells what
 * is shown.
 */
#ifndef RESTARTS
#define RESTARTS 0
#endif
#ifndef STRAYS
#define STRAYS 0
#endif
#ifndef LATE
#define LATE 0
#endif
#ifndef DENIALS
#define DENIALS 0
#endif
#ifndef FORGED
#define FORGED 0
#endif
#ifndef ROUTES
#define ROUTES 0
#endif
#ifndef QUIET
#define QUIET 1
#endif
#ifndef REPEATED
#define REPEATED 1
#endif
#ifndef NAMED
#define NAMED 1
#endif
#ifndef AWAITED
#define AWAITED 1
#endif
#ifndef TOKENS
#define TOKENS 1
#endif
#ifndef SILENT
#define SILENT 1
#endif
#ifndef NUMBERED
#define NUMBERED 1
#endif

#define SLOTS 2  /* different packets with metadata in each direction */
#define ROUNDS 5 /* of packets until metadata must have stopped */
#define I 0
#define E 1
#define PER_BOOT 16 /* exchange numbers of one boot (S6.9) */

typedef Router {
    byte boot;
    bool quiet; /* it waits for the other's word */
    bool route; /* the way onward is up */
    bool deny;  /* its policy refuses the session */
    byte knows; /* boot counter of the other, as last heard; 0: none */
    byte told;  /* the one for which the other was told all */
    bool has;   /* the session */
    byte last;  /* highest number that it used */
    byte own;   /* number of its exchange */
    byte peer;  /* highest number of the other that it applied */
    bool acked; /* the other has that exchange: sending has stopped */
    bool owes;  /* an echo */
    bool token; /* that of I, which E keeps */
};

Router r[2];
chan net[2] = [SLOTS] of { byte, byte, byte, byte }; /* toward each */
bool plain[2];   /* a packet without metadata was sent toward it */
bool enable[2];  /* control 2 was sent toward it */
bool remove[2];  /* control 6 was sent toward it */
byte ends[2];    /* each boot for which it was ever sent resync end, a bit */
byte restarts = RESTARTS, strays = STRAYS, late = LATE, denials = DENIALS;
bool forged = FORGED;
bool calm;    /* the network delivers, and nothing else happens any more */
bool reset;   /* the hosts' connection was */
bool excused; /* both had lost it, policy refused it, or a wait ended early */

hidden byte num, echo, unechoed, token;
hidden byte aside_num, aside_echo, aside_unechoed, aside_token;
hidden byte round, mode, sent;

inline pick(x) {
    net[x]?num, echo, unechoed, token
}

inline pick_second(x) {
    net[x]?aside_num, aside_echo, aside_unechoed, aside_token;
    net[x]?num, echo, unechoed, token;
    net[x]!aside_num, aside_echo, aside_unechoed, aside_token
}

inline put_back(x) {
    net[x]!!num, echo, unechoed, token
}

/* I makes the token, and E returns what it has. A network that may repeat a
 * packet need not carry it twice. */
inline send_metadata(x) {
    printf("%d sends %d, echo %d, U %d\n", x, r[x].own, r[x].peer,
        !r[x].acked);
    sent++;
    if
    :: nfull(net[1 - x]) && !(net[1 - x]??[eval(r[x].own), eval(r[x].peer),
        eval(!r[x].acked), eval(r[x].token)]) ->
        net[1 - x]!!r[x].own, r[x].peer, !r[x].acked, r[x].token
    :: full(net[1 - x]) || net[1 - x]??[eval(r[x].own), eval(r[x].peer),
        eval(!r[x].acked), eval(r[x].token)]
    fi;
    r[x].owes = false
}

inline renew(x) {
    r[x].last++;
    r[x].own = r[x].last;
    r[x].acked = false
}

inline forget(x) {
    r[x].has = false;
    r[x].own = 0;
    r[x].peer = 0;
    r[x].acked = false;
    r[x].owes = false;
    r[x].token = false;
    excused = excused || !r[1 - x].has
}

inline restart(x) {
    printf("%d restarts\n", x);
    r[x].boot++;
    r[x].last = r[x].boot * PER_BOOT;
    r[x].quiet = QUIET;
    r[x].route = x == I || !ROUTES;
    r[x].knows = 0;
    r[x].told = 0;
    if :: NAMED -> ends[x] = 0 :: else fi; /* none of them counts any more */
    forget(x)
}

/* A peer's first start that is heard of counts, too. */
inline hear_boot(x) {
    printf("%d hears boot %d\n", x, r[1 - x].boot);
    r[x].knows = r[1 - x].boot;
    if
    :: r[x].has -> renew(x)
    :: else
    fi
}

#define may_hear_boot(x) (r[x].knows != r[1 - x].boot)
#define is_touring(x) (r[x].knows && r[x].knows != r[x].told)
#define has_told(x) (is_touring(x) && (r[x].acked || !r[x].has || !AWAITED))

inline say_end(x) {
    printf("%d says end of %d\n", x, r[x].knows);
    r[x].told = r[x].knows;
    ends[1 - x] = ends[1 - x] | (1 << r[x].told)
}

/* Sent once, it may be lost. */
inline lose_end(x) {
    r[x].told = r[x].knows
}

#define may_hear_end(x) (r[x].quiet && r[x].route && \
    (NAMED && (ends[x] & (1 << r[x].boot)) || !NAMED && ends[x]))

inline end_quiet(x) {
    printf("%d is no longer quiet\n", x);
    r[x].quiet = false
}

/* From a host, in midstream. Nobody is reset whose session could live. */
inline from_host(x) {
    if
    :: r[x].has && !r[x].acked -> send_metadata(x)
    :: r[x].has && r[x].acked && r[x].owes -> send_metadata(x)
    :: r[x].has && r[x].acked && !r[x].owes ->
        plain[1 - x] = strays || calm /* else nobody answers it */
    :: !r[x].has && !r[x].quiet ->
        printf("%d resets\n", x);
        assert(excused);
        reset = true
    :: !r[x].has && r[x].quiet
    fi
}

inline refuse(x) {
    printf("%d refuses\n", x);
    assert(excused);
    remove[1 - x] = true
}

/* What is older than what was applied does nothing any more where nothing can
 * be forgotten; to leave it out makes fewer states. */
inline leave_out_older(x) {
    round = len(net[x]);
    do
    :: round > 0 ->
        net[x]?aside_num, aside_echo, aside_unechoed, aside_token;
        if
        :: aside_num >= r[x].peer ->
            net[x]!aside_num, aside_echo, aside_unechoed, aside_token
        :: else
        fi;
        round--
    :: round == 0 -> break
    od
}

inline got_number(x) {
    if
    :: num >= r[x].peer && echo == r[x].own || !NUMBERED ->
        r[x].acked = true
    :: NUMBERED && num > r[x].peer && echo < r[x].own -> r[x].acked = false
    :: else
    fi;
    if :: num >= r[x].peer && unechoed -> r[x].owes = true :: else fi;
    if
    :: num >= r[x].peer ->
        r[x].peer = num;
        r[x].token = token;
        if
        :: !calm && !restarts && !denials && !r[0].deny && !r[1].deny ->
            leave_out_older(x)
        :: else
        fi
    :: else
    fi
}

/* S8.5: from forward metadata as the first time, from reverse metadata with
 * the token that I made. */
inline build(x) {
    assert(x == E || token);
    printf("%d builds\n", x);
    r[x].has = true;
    renew(x);
    got_number(x)
}

/* S6.10: what is only missing may yet come. */
inline not_built(x) {
    if
    :: !r[x].route && r[x].quiet && SILENT
    :: r[x].deny || !r[x].route && !(r[x].quiet && SILENT) -> refuse(x)
    :: else /* a forger is no router of the session: its answer is lost */
    fi
}

inline got_metadata(x) {
    printf("%d gets %d, echo %d, U %d\n", x, num, echo, unechoed);
    if
    :: r[x].has -> got_number(x)
    :: !r[x].has && r[x].route && !r[x].deny &&
        (x == E || token || !TOKENS) -> build(x)
    :: else -> not_built(x)
    fi
}

inline got_plain(x) {
    if
    :: !r[x].has -> enable[1 - x] = true
    :: else
    fi
}

inline got_enable(x) {
    if :: r[x].has -> renew(x) :: else fi
}

/* The ingress answers its client. */
inline got_remove(x) {
    if
    :: r[x].has ->
        printf("%d ends it\n", x);
        forget(x);
        reset = true
    :: else
    fi
}

#define owes_alone(x) (r[x].has && (r[x].owes || !r[x].acked))

/* What may happen at a router. A full network loses the new packet or an old
 * one; one that is there and never delivered is lost, too. */
proctype router(byte x) provided (!calm) {
end:
    do
    :: d_step { !reset && !(plain[1 - x] && r[x].acked) -> from_host(x) }
    :: d_step { owes_alone(x) && nfull(net[1 - x]) -> send_metadata(x) }
    :: d_step { owes_alone(x) && full(net[1 - x]) ->
        pick((1 - x)); send_metadata(x) }
    :: d_step { owes_alone(x) && full(net[1 - x]) ->
        pick_second((1 - x)); send_metadata(x) }
    :: d_step { may_hear_boot(x) -> hear_boot(x) }
    :: d_step { has_told(x) -> say_end(x) }
    :: d_step { has_told(x) && !REPEATED -> lose_end(x) }
    :: d_step { may_hear_end(x) -> end_quiet(x) }
    :: d_step { late && is_touring(x) && !has_told(x) ->
        late--; excused = true; say_end(x) }
    :: d_step { late && r[x].quiet -> late--; excused = true; end_quiet(x) }
    :: d_step { !r[x].route -> r[x].route = true }
    :: d_step { restarts -> restarts--; restart(x) }
    :: d_step { restarts && denials -> restarts--; denials--; r[x].deny = true;
        restart(x); excused = true }
    :: d_step { forged && x == I && !r[x].has -> forged = false;
        num = 1; echo = 0; unechoed = true; token = false; got_metadata(x) }
    :: d_step { plain[x] && strays && !r[x].has && !enable[1 - x] ->
        strays--; got_plain(x) }
    :: d_step { enable[x] -> enable[x] = false; got_enable(x) }
    :: d_step { remove[x] -> got_remove(x) }
    :: d_step { nempty(net[x]) -> pick(x); put_back(x); got_metadata(x) }
    :: d_step { full(net[x]) -> pick_second(x); put_back(x); got_metadata(x) }
    od
}

/* ---- the end: what is on its way is lost, and all that follows arrives ---- */

inline empty_network(x) {
    do
    :: nempty(net[x]) -> pick(x)
    :: empty(net[x]) -> break
    od;
    plain[x] = false;
    enable[x] = false;
    remove[x] = false
}

inline deliver(x) {
    do
    :: nempty(net[x]) -> pick(x); got_metadata(x)
    :: empty(net[x]) && plain[x] -> plain[x] = false; got_plain(x)
    :: empty(net[x]) && !plain[x] && enable[x] ->
        enable[x] = false; got_enable(x)
    :: empty(net[x]) && !plain[x] && !enable[x] && remove[x] ->
        remove[x] = false; got_remove(x)
    :: empty(net[x]) && !plain[x] && !enable[x] && !remove[x] -> break
    od
}

/* A packet of the host (mode: bit 0 the client, bit 1 the server), BFD, and
 * what goes by itself. */
inline turn(x) {
    r[x].route = true;
    if :: (mode & (1 << x)) && !reset -> from_host(x) :: else fi;
    if :: may_hear_boot(x) -> hear_boot(x) :: else fi;
    deliver((1 - x));
    if :: owes_alone(x) -> send_metadata(x) :: else fi;
    deliver((1 - x));
    deliver(x);
    if :: has_told(x) && REPEATED -> say_end(x) :: else fi;
    if :: may_hear_end(x) -> end_quiet(x) :: else fi
}

inline play() {
    round = 0;
    do
    :: round < ROUNDS ->
        round++;
        sent = 0;
        turn(I);
        turn(E)
    :: round == ROUNDS -> break
    od
}

/* The hosts were reset, or the session lives on. Nobody waits for a word that
 * will not come. */
inline check_agreement() {
    assert(!r[I].quiet && !r[E].quiet);
    assert(r[I].told == r[E].boot && r[E].told == r[I].boot);
    assert(!reset || excused);
    if
    :: reset
    :: else ->
        assert(r[I].has && r[E].has);
        assert(sent == 0);
        assert(r[I].acked && r[E].acked);
        assert(r[I].peer == r[E].own && r[E].peer == r[I].own);
        assert(r[E].token)
    fi
}

/* All ends look alike, so that they are one state. */
inline blur(x) {
    forget(x);
    r[x].boot = 0;
    r[x].route = false;
    r[x].deny = false;
    r[x].knows = 0;
    r[x].told = 0;
    r[x].last = 0;
    ends[x] = 0
}

inline begin(x) {
    r[x].boot = 1;
    r[x].route = true;
    r[x].knows = 1;
    r[x].told = 1;
    r[x].has = true;
    r[x].last = PER_BOOT + 1;
    r[x].own = PER_BOOT + 1;
    r[x].peer = PER_BOOT + 1;
    r[x].acked = true;
    r[x].token = true
}

init {
    atomic {
        begin(I);
        begin(E);
        run router(I);
        run router(E)
    }
    atomic {
        calm = true;
        if
        :: mode = 1
        :: mode = 2
        :: mode = 3
        fi;
        d_step {
            printf("calm, mode %d\n", mode);
            empty_network(I);
            empty_network(E);
            play();
            check_agreement();
            blur(I);
            blur(E);
            restarts = 0;
            strays = 0;
            late = 0;
            denials = 0;
            forged = false;
            reset = false;
            excused = false
        }
    }
}
