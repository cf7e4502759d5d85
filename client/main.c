/* ieum: the command for agencies and operators; client/command.h has the rest. */
#include <locale.h>

#include "client/command.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return (int)command_main(argc, argv, stdout, stderr);
}
