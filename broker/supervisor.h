/* Tells the service manager how the hub is: systemd's sd_notify(3), or nothing without one.
 *
 * Any thread. */
#ifndef IEUM_BROKER_SUPERVISOR_H
#define IEUM_BROKER_SUPERVISOR_H

#include <stdint.h>

/* A long replay is at work; the manager waits so much longer for it. */
void supervisor_starting(uint64_t percent);
/* It accepts connections. */
void supervisor_ready(const char *addresses);
void supervisor_stopping(void);
/* The loop turns; not heard for WatchdogSec, the manager kills and starts anew. */
void supervisor_alive(void);

#endif
