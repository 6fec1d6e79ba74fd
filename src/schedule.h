/* The catalogue of schedules. */
#ifndef TINYNN_SCHEDULE_H
#define TINYNN_SCHEDULE_H

#include <tinynn/tinynn.h>

/* Can it be followed? Otherwise TNN_INVALID_ARGUMENT, naming caller. */
tnn_status tnni_schedule_check(const char *caller, const tnn_schedule *schedule);

/* Can this be the state of a schedule of this name? A user's own may be any. */
bool tnni_schedule_has_state(const char *name, const double state[4]);

#endif
