/* From root to an account without rights; see privileges.h. */
#include "broker/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proto/catalog.h"

static enum ieum_err give_up_root(const struct passwd *account, char why[PRIVILEGES_WHY_BYTES])
{
	/* Groups first: afterwards they can't be changed any more. */
	if (initgroups(account->pw_name, account->pw_gid) != 0 ||
	    setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0 ||
	    setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(why, PRIVILEGES_WHY_BYTES, tr("cannot become '%.64s': %s"),
			 account->pw_name, strerror(errno));
		return IEUM_E_INTERNAL;
	}
	if (setuid(0) == 0 || geteuid() == 0 || getegid() == 0) {
		snprintf(why, PRIVILEGES_WHY_BYTES, tr("still root after becoming '%.64s'"),
			 account->pw_name);
		return IEUM_E_INTERNAL;
	}
	return IEUM_E_OK;
}

enum ieum_err privileges_drop(const char *user, char why[PRIVILEGES_WHY_BYTES])
{
	const struct passwd *account;

	if (geteuid() != 0)
		return IEUM_E_OK;
	if (!user) {
		snprintf(
			why, PRIVILEGES_WHY_BYTES, "%s",
			tr("started as root, and no account is named to run under; write `user: ieum`, or `user: root` to stay root"));
		return IEUM_E_NOT_PERMITTED;
	}
	account = getpwnam(user);
	if (!account) {
		snprintf(why, PRIVILEGES_WHY_BYTES, tr("user: there is no account '%.64s'"), user);
		return IEUM_E_FIELD_INVALID;
	}
	return account->pw_uid == 0 ? IEUM_E_OK : give_up_root(account, why);
}
