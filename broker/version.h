/* The version of this program, in --version, HubStarted and the ready line. */
#ifndef IEUM_BROKER_VERSION_H
#define IEUM_BROKER_VERSION_H

#define IEUM_VERSION "ieumd 0.1.0"

#endif
