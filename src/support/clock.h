/* Time, for reports alone: no result depends on it. */
#ifndef TINYNN_SUPPORT_CLOCK_H
#define TINYNN_SUPPORT_CLOCK_H

/* Seconds since some moment, never going back; 0 where the system has no such clock. */
double tnni_seconds(void);

#endif
