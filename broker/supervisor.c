#include "broker/supervisor.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

/* Several times what lies between two calls. */
#define STARTING_US "30000000"

void supervisor_starting(uint64_t percent)
{
	sd_notifyf(0,
		   "EXTEND_TIMEOUT_USEC=" STARTING_US "\nSTATUS=Replaying the journal: %" PRIu64
		   " %%",
		   percent);
}

void supervisor_ready(const char *addresses)
{
	sd_notifyf(0, "READY=1\nSTATUS=Listening on %s", addresses);
}

void supervisor_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Answering what was received");
}

void supervisor_alive(void)
{
	sd_notify(0, "WATCHDOG=1");
}
