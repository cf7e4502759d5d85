/* The version of the command `ieum`. */
#ifndef IEUM_CLIENT_VERSION_H
#define IEUM_CLIENT_VERSION_H

#define IEUM_CLIENT_VERSION "0.1.0"

#endif
