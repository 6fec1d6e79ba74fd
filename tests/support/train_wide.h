/*
 * train_wide.h: one training that is worth several threads, for tests of who may run it where.
 */
#ifndef TINYNN_TESTS_TRAIN_WIDE_H
#define TINYNN_TESTS_TRAIN_WIDE_H

#include "testing.h"

/* A net whose work is shared out among all the threads that it may use; dropout at work. */
enum { WIDE_INPUTS = 64, WIDE_UNITS = 128, WIDE_OUTPUTS = 10, WIDE_ROWS = 64 };
enum { WIDE_PARAMETERS = (WIDE_INPUTS + 1) * WIDE_UNITS + (WIDE_UNITS + 1) * WIDE_OUTPUTS };

/* Makes the net, trains it for some steps by train and by the three verbs, and hands out what it
 * learned. No assertion, so that any thread and any process may call it. */
tnn_status train_wide(unsigned threads, float parameters[WIDE_PARAMETERS]);

/* The same with a net that is there. */
tnn_status train_wide_net(tnn_net *net);
tnn_status new_wide_net(unsigned threads, tnn_net **net);

#endif /* TINYNN_TESTS_TRAIN_WIDE_H */
