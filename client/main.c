/* ieum: the command for agencies and operators; client/command.h has the rest. */
#include <locale.h>

#include "client/command.h"
#include "proto/catalog.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	catalog_open();
	return (int)command_main(argc, argv, stdout, stderr);
}
